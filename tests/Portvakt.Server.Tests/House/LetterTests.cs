using MimeKit;
using Portvakt.Server.Branding;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>What a mail looks like, with pictures and without.</summary>
public sealed class LetterTests
{
    private static readonly PortvaktSettings Settings = new() { PublicAddress = "https://id.test", Organisation = "Ås & Bø", MailFrom = "portvakt@eksempel.no" };

    [Fact]
    public void A_mail_wears_the_organisations_colour_and_one_address_looks_like_a_button()
    {
        var html = Html(StyleEdition.None);
        Assert.Contains("border-bottom:3px solid #0062ba", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", html, StringComparison.Ordinal);
        Assert.Contains(">Ås &amp; Bø</p>", html, StringComparison.Ordinal);

        html = Html(new StyleEdition { Theme = BrandTheme.Of(Colour.Parse("#c8102e")!.Value, isTinted: false) });
        Assert.Contains("border-bottom:3px solid #c8102e", html, StringComparison.Ordinal);
        Assert.Single(html.Split("background:#c8102e")[1..]);
        Assert.Matches("""<a href="https://id\.test/activate" style="[^"]*background:#c8102e;color:#ffffff[^"]*">https://id\.test/activate</a></p>""", html); // it says where it leads
        Assert.Contains("""<a href="https://id.test/guides">https://id.test/guides</a></p>""", html, StringComparison.Ordinal);
        Assert.Contains("""<a href="https://id.test/account">https://id.test/account</a>, if""", html, StringComparison.Ordinal); // in a sentence it stays a link
    }

    [Fact]
    public void A_logo_travels_inside_the_mail_and_nothing_is_fetched()
    {
        var logo = Picture(Pictures.Png(160, 40));
        using var message = Letter.Of(Mail(), Settings, new StyleEdition { Logo = logo });
        var related = Assert.IsType<MultipartRelated>(Assert.IsType<MultipartAlternative>(message.Body)[1]);
        var image = Assert.IsAssignableFrom<MimePart>(related[1]);
        Assert.Equal("image/png", image.ContentType.MimeType);
        using var content = new MemoryStream();
        image.Content!.DecodeTo(content);
        Assert.Equal(logo.Content, content.ToArray());
        Assert.Contains($"""<img src="cid:{image.ContentId}" alt="" width="160" height="40" """, message.HtmlBody, StringComparison.Ordinal);
        Assert.Contains("Ås &amp; Bø</p>", message.HtmlBody, StringComparison.Ordinal); // whoever sees no picture sees the name
        Assert.DoesNotContain("src=\"http", message.HtmlBody, StringComparison.Ordinal);

        using var named = Letter.Of(Mail(), Settings, new StyleEdition { Logo = Picture(Pictures.Jpeg), LogoHasName = true });
        Assert.Contains("alt=\"Ås &amp; Bø\"", named.HtmlBody, StringComparison.Ordinal);
        Assert.Single(named.HtmlBody!.Split("Ås &amp; Bø")[1..]);
    }

    [Fact]
    public void A_logo_that_mail_programs_do_not_draw_or_that_is_heavy_stays_at_home()
    {
        Assert.DoesNotContain("<img", Html(new StyleEdition { Logo = Picture(Pictures.Webp), LogoHasName = true }), StringComparison.Ordinal);
        Assert.DoesNotContain("<img", Html(new StyleEdition { Logo = Picture(Pictures.Png()) with { Content = new byte[Letter.MostLogoBytes + 1] } }), StringComparison.Ordinal);
        Assert.Contains("Ås &amp; Bø</p>", Html(new StyleEdition { Logo = Picture(Pictures.Webp), LogoHasName = true }), StringComparison.Ordinal);
    }

    private static string Html(StyleEdition style)
    {
        using var message = Letter.Of(Mail(), Settings, style);
        return message.HtmlBody!;
    }

    private static Mail Mail() => new()
    {
        Id = Guid.Parse("0197f0a0-0000-7000-8000-000000000001"),
        Recipient = "kari@eksempel.no",
        Kind = nameof(MailKind.Announcement),
        Language = "nb",
        Subject = "2-faktor",
        Text = "Hei!\n\nSe https://id.test/account, if you like.\n\nBegynn her:\nhttps://id.test/activate\n\nVeiledning:\nhttps://id.test/guides",
        CreatedAt = DateTimeOffset.UnixEpoch,
        NextTryAt = DateTimeOffset.UnixEpoch,
    };

    private static PictureFile Picture(byte[] file)
    {
        Assert.Equal(PictureTrouble.None, PictureFile.Read(file, 1_000_000, 1000, out var picture));
        return picture!;
    }
}
