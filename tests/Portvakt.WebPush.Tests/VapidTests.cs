using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Portvakt.Testing;

namespace Portvakt.WebPush.Tests;

public sealed class VapidTests
{
    private static readonly Uri Service = new("https://push.example.net");
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_judge_of_these_tests_accepts_the_example_of_RFC_8292_section_2_4()
    {
        const string example =
            "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0"
            + ".i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, "
            + "k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
        var expiry = DateTimeOffset.FromUnixTimeSeconds(1453523768);

        Assert.Null(VapidToken.Refuse(example, Service, null, expiry.AddHours(-1)));
        Assert.Equal("the token has expired", VapidToken.Refuse(example, Service, null, expiry));
        Assert.Equal("the signature is wrong", VapidToken.Refuse(example.Replace("zNjjvW2L", "zNjjvW2M", StringComparison.Ordinal), Service, null, expiry.AddHours(-1)));
    }

    [Fact]
    public void A_token_says_to_whom_until_when_and_who_answers_for_it()
    {
        using var key = VapidKey.Create();

        var token = key.Token("https://push.example.net", Scene.Contact, Noon.AddHours(13));

        Assert.Null(VapidToken.Refuse($"vapid t={token}, k={key.ApplicationServerKey}", Service, key.ApplicationServerKey, Noon));
        Assert.Equal(86, token.Split('.')[2].Length); // r ‖ s, not ASN.1 (RFC 7518, section 3.4)
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]));
        Assert.Equal(
            ["aud=https://push.example.net", $"exp={Noon.AddHours(13).ToUnixTimeSeconds()}", "sub=mailto:drift@portvakt.example"],
            claims.RootElement.EnumerateObject().Select(claim => $"{claim.Name}={claim.Value}"),
            StringComparer.Ordinal);
    }

    [Fact]
    public void A_push_service_refuses_a_token_for_another_by_another_or_for_too_long()
    {
        using var key = VapidKey.Create();
        using var other = VapidKey.Create();
        string? Refused(string audience, DateTimeOffset expiresAt, string k) =>
            VapidToken.Refuse($"vapid t={key.Token(audience, Scene.Contact, expiresAt)}, k={k}", Service, null, Noon);

        Assert.Null(Refused("https://push.example.net", Noon.AddHours(1), key.ApplicationServerKey));
        Assert.Equal("aud is not this push service", Refused("https://push.example.com", Noon.AddHours(1), key.ApplicationServerKey));
        Assert.Equal("the signature is wrong", Refused("https://push.example.net", Noon.AddHours(1), other.ApplicationServerKey));
        Assert.Equal("the token lives for more than 24 hours", Refused("https://push.example.net", Noon.AddHours(25), key.ApplicationServerKey));
    }

    [Fact]
    public void A_token_is_signed_once_per_origin_and_twelve_hours()
    {
        using var key = VapidKey.Create();
        var clock = new Scene.Clock();
        var tokens = new VapidTokens(key, Scene.Contact, clock);

        var first = tokens.AuthorizationFor(new Uri("https://push.example.net/wp/1"));
        Assert.Equal(first, tokens.AuthorizationFor(new Uri("https://push.example.net:443/wp/2")));
        var elsewhere = tokens.AuthorizationFor(new Uri("https://push.example.com/wp/1"));
        Assert.NotEqual(first, elsewhere, StringComparer.Ordinal);

        clock.Advance(VapidTokens.Kept - TimeSpan.FromSeconds(1));
        Assert.Equal(first, tokens.AuthorizationFor(new Uri("https://push.example.net/wp/3")));
        Assert.Null(VapidToken.Refuse(first, Service, null, clock.GetUtcNow().AddMinutes(59))); // a service whose clock is ahead

        clock.Advance(TimeSpan.FromSeconds(1));
        var second = tokens.AuthorizationFor(new Uri("https://push.example.net/wp/4"));
        Assert.NotEqual(first, second, StringComparer.Ordinal);
        Assert.Null(VapidToken.Refuse(second, Service, null, clock.GetUtcNow()));
    }

    [Fact]
    public void A_clock_that_was_wrong_and_set_back_does_not_leave_a_token_that_lives_too_long()
    {
        using var key = VapidKey.Create();
        var wrong = new Scene.Clock();
        wrong.Advance(TimeSpan.FromDays(30));
        var clock = new AdjustableClock(wrong);
        var tokens = new VapidTokens(key, Scene.Contact, clock);
        tokens.AuthorizationFor(Service);

        clock.Now = new Scene.Clock();

        Assert.Null(VapidToken.Refuse(tokens.AuthorizationFor(Service), Service, null, clock.GetUtcNow()));
    }

    [Fact]
    public void Origins_without_end_do_not_fill_the_memory_and_each_still_gets_its_own_token()
    {
        using var key = VapidKey.Create();
        var clock = new Scene.Clock();
        var tokens = new VapidTokens(key, Scene.Contact, clock);

        for (var i = 0; i < 600; i++)
        {
            var origin = new Uri($"https://n{i}.push.example.net");
            Assert.Null(VapidToken.Refuse(tokens.AuthorizationFor(origin), origin, key.ApplicationServerKey, clock.GetUtcNow()));
        }
    }

    [Fact]
    public void A_kept_key_is_the_same_key()
    {
        using var key = VapidKey.Create();
        using var again = VapidKey.FromPkcs8(key.ExportPkcs8());

        Assert.Equal(key.ApplicationServerKey, again.ApplicationServerKey);
        Assert.Equal(65, again.PublicKey.Length);
        Assert.Null(VapidToken.Refuse($"vapid t={again.Token(Service.GetLeftPart(UriPartial.Authority), Scene.Contact, Noon.AddHours(1))}, k={key.ApplicationServerKey}", Service, null, Noon));
    }

    [Fact]
    public void A_key_of_another_kind_is_refused()
    {
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var brainpool = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1);
        using var rsa = RSA.Create(2048);

        Assert.Throws<CryptographicException>(() => VapidKey.FromPkcs8(p384.ExportPkcs8PrivateKey()));
        Assert.Throws<CryptographicException>(() => VapidKey.FromPkcs8(brainpool.ExportPkcs8PrivateKey()));
        Assert.Throws<CryptographicException>(() => VapidKey.FromPkcs8(rsa.ExportPkcs8PrivateKey()));
        Assert.Throws<CryptographicException>(() => VapidKey.FromPkcs8("not a key"u8));
    }

    [Theory]
    [InlineData("mailto:drift@kommune.no")]
    [InlineData("mailto:it.drift+push@sub.kommune-nord.no")]
    [InlineData("https://kommune.no")]
    [InlineData("https://kommune.no/kontakt?x=1")]
    [InlineData("https://kommune.no:8443/")]
    [InlineData("mailto:drift@portvakt.example")]
    public void A_contact_that_leads_somewhere_is_taken_as_it_is(string text)
    {
        Assert.True(VapidSubject.TryParse(text, out var subject));
        Assert.Equal(text, subject.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("drift@kommune.no")]
    [InlineData("mailto:")]
    [InlineData("mailto:drift")]
    [InlineData("mailto:@kommune.no")]
    [InlineData("mailto:drift@")]
    [InlineData("mailto: drift@kommune.no")]
    [InlineData("mailto:drift@kommune.no ")]
    [InlineData("mailto:drift@kommune.no\n")]
    [InlineData("mailto:Drift <drift@kommune.no>")]
    [InlineData("mailto:<drift@kommune.no>")]
    [InlineData("mailto:a@kommune.no,b@kommune.no")]
    [InlineData("mailto:drift@kommune.no?subject=x")]
    [InlineData("mailto:..@kommune.no")]
    [InlineData("mailto:drift@localhost")]
    [InlineData("mailto:drift@LOCALHOST")]
    [InlineData("mailto:drift@server.local")]
    [InlineData("mailto:drift@server.internal")]
    [InlineData("mailto:drift@server.invalid")]
    [InlineData("mailto:drift@x.localhost")]
    [InlineData("mailto:drift@127.0.0.1")]
    [InlineData("mailto:drift@[127.0.0.1]")]
    [InlineData("mailto:drift@-kommune.no")]
    [InlineData("mailto:drift@kommune..no")]
    [InlineData("MAILTO:drift@kommune.no")]
    [InlineData("http://kommune.no")]
    [InlineData("https://localhost")]
    [InlineData("https://localhost/")]
    [InlineData("https://localhost:8080/x")]
    [InlineData("https://10.0.0.1/")]
    [InlineData("https://kommune")]
    [InlineData("https://user@kommune.no/")]
    [InlineData("https://kommune.no/<script>")]
    [InlineData("https://kommune.no/a b")]
    [InlineData("ftp://kommune.no")]
    [InlineData("javascript:alert(1)")]
    public void A_contact_that_a_push_service_would_not_like_is_refused_at_set_up(string? text) =>
        Assert.False(VapidSubject.TryParse(text, out _));

    private sealed class AdjustableClock(TimeProvider now) : TimeProvider
    {
        public TimeProvider Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now.GetUtcNow();
    }
}
