using System.Text;
using Portvakt.Server.Branding;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>Pictures of strangers: told by their bytes, and put together anew from what draws them.</summary>
public sealed class PictureFileTests
{
    private static readonly byte[] Evil = "<script>alert(1)</script><svg onload=alert(1)>"u8.ToArray();

    [Fact]
    public void Three_kinds_are_known_by_their_bytes_with_their_size()
    {
        Assert.Equal((PictureKind.Png, 8, 4, "image/png"), Known(Pictures.Png()));
        Assert.Equal((PictureKind.Jpeg, 8, 4, "image/jpeg"), Known(Pictures.Jpeg));
        Assert.Equal((PictureKind.Webp, 8, 4, "image/webp"), Known(Pictures.Webp));

        static (PictureKind, int, int, string) Known(byte[] file)
        {
            var picture = Read(file);
            Assert.Equal(file, picture.Content); // there was nothing to leave out
            return (picture.Kind, picture.Width, picture.Height, picture.MediaType);
        }
    }

    [Fact]
    public void What_does_not_draw_is_left_out()
    {
        var plain = Pictures.Png();
        Assert.Equal(plain, Read(Pictures.Png(8, 4, ("tEXt", Evil), ("eXIf", Evil), ("iTXt", Evil), ("evIl", Evil))).Content);
        Assert.Equal(plain, Read([.. plain, .. Evil]).Content); // two files in one
        Assert.Equal(plain, Read([.. plain, .. "PK\u0003\u0004"u8]).Content);

        byte[] exif = [0xFF, 0xE1, 0, (byte)(Evil.Length + 2), .. Evil];
        byte[] comment = [0xFF, 0xFE, 0, (byte)(Evil.Length + 2), .. Evil];
        Assert.Equal(Pictures.Jpeg, Read([.. Pictures.Jpeg[..2], .. exif, .. comment, .. Pictures.Jpeg[2..], .. Evil]).Content);

        byte[] canvas = [0x0C, 0, 0, 0, 7, 0, 0, 3, 0, 0]; // says that EXIF and XMP follow
        var drawn = Read([.. Pictures.WebpOf(("VP8X", canvas), ("VP8 ", Pictures.Vp8), ("EXIF", Evil), ("XMP ", Evil), ("evil", Evil)), .. Evil]);
        Assert.Equal(Pictures.WebpOf(("VP8X", [0, .. canvas[1..]]), ("VP8 ", Pictures.Vp8)), drawn.Content);
    }

    [Theory]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>")]
    [InlineData("<?xml version=\"1.0\"?><svg/>")]
    [InlineData("GIF89a\u0001\0\u0001\0")]
    [InlineData("<html>")]
    [InlineData("%PDF-1.7")]
    [InlineData("RIFF\0\0\0\0WAVE")]
    [InlineData("")]
    public void Whatever_else_it_is_is_not_taken(string file) => Assert.Equal(PictureTrouble.OtherKind, Trouble(Encoding.Latin1.GetBytes(file)));

    [Fact]
    public void What_begins_like_a_picture_must_go_on_like_one()
    {
        // Cut off anywhere, none is whole.
        foreach (var file in (byte[][])[Pictures.Png(), Pictures.Jpeg, Pictures.Webp, Pictures.WebpOf(("VP8X", [0, 0, 0, 0, 7, 0, 0, 3, 0, 0]), ("VP8 ", Pictures.Vp8))])
        {
            for (var length = 12; length < file.Length; length++) Assert.Equal(PictureTrouble.Broken, Trouble(file[..length]));
        }

        Assert.Equal(PictureTrouble.Broken, Trouble([.. Pictures.Png()[..8], .. Evil]));
        Assert.Equal(PictureTrouble.Broken, Trouble([0xFF, 0xD8, 0xFF, .. Evil]));
        Assert.Equal(PictureTrouble.Broken, Trouble(Pictures.WebpOf(("evil", Evil))));
        Assert.Equal(PictureTrouble.Broken, Trouble(Pictures.WebpOf(("VP8X", [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]), ("VP8 ", Pictures.Vp8)))); // the canvas is another than the picture
        Assert.Equal(PictureTrouble.Broken, Trouble(Pictures.Png(0, 4)));
        Assert.Equal(PictureTrouble.Broken, Trouble(Pictures.Png(-8, 4)));
    }

    [Fact]
    public void A_few_bytes_that_unfold_to_a_wall_are_not_taken()
    {
        var bomb = Pictures.Png(60_000, 60_000);
        Assert.True(bomb.Length < 10_000);
        Assert.Equal(PictureTrouble.TooManyPixels, Trouble(bomb));
        Assert.Equal(PictureTrouble.TooManyPixels, Trouble(Pictures.Png(101)));
        Assert.Equal(PictureTrouble.TooManyBytes, PictureFile.Read(new byte[1001], 1000, 100, out _));
    }

    [Fact]
    public void What_moves_is_not_taken()
    {
        Assert.Equal(PictureTrouble.Moves, Trouble(Pictures.Png(8, 4, ("acTL", [0, 0, 0, 2, 0, 0, 0, 0]))));
        Assert.Equal(PictureTrouble.Moves, Trouble(Pictures.WebpOf(("VP8X", [2, 0, 0, 0, 7, 0, 0, 3, 0, 0]), ("ANIM", new byte[6]))));
    }

    [Fact]
    public void Bytes_that_were_changed_at_random_never_throw()
    {
        var chance = new Random(20261123);
        foreach (var file in (byte[][])[Pictures.Png(8, 4, ("tEXt", Evil)), Pictures.Jpeg, Pictures.WebpOf(("VP8X", [0, 0, 0, 0, 7, 0, 0, 3, 0, 0]), ("VP8 ", Pictures.Vp8))])
        {
            for (var time = 0; time < 3000; time++)
            {
                var changed = (byte[])file.Clone();
                for (var count = chance.Next(1, 6); count > 0; count--) changed[chance.Next(changed.Length)] = (byte)chance.Next(256);
                if (PictureFile.Read(changed, 100_000, 100, out var picture) is PictureTrouble.None) Assert.InRange(picture!.Width, 1, 100);
                else Assert.Null(picture);
            }
        }
    }

    private static PictureFile Read(byte[] file)
    {
        Assert.Equal(PictureTrouble.None, PictureFile.Read(file, 100_000, 100, out var picture));
        Assert.Equal(PictureTrouble.None, PictureFile.Read(picture!.Content, 100_000, 100, out var again));
        Assert.Equal(picture.Content, again!.Content); // what was put together is what comes out again
        return picture;
    }

    private static PictureTrouble Trouble(byte[] file) => PictureFile.Read(file, 100_000, 100, out _);
}
