using Portvakt.Server.Hosting;

namespace Portvakt.Server.Tests.House;

/// <summary>R74: what begins inside the product ends inside the product.</summary>
public sealed class LocalAddressTests
{
    private static readonly string?[] Written =
    [
        null, "", " ", "account", "./account", "../account", "~/account", "?x", "#x", "x:/account", "//", "///", "//evil.test", "///evil.test", "////evil.test", "/\\", "/\\evil.test", "\\/evil.test",
        "\\\\evil.test", "\\evil.test", "/account\\..\\evil", "/\\/evil.test", "//evil.test/..", "//evil.test@id.test", "//id.test@evil.test", "//id.test:443@evil.test", "//[::1]", "//evil%00.test", "//%65vil.test",
        "http://evil.test", "https://evil.test", "HTTPS://evil.test", "https:evil.test", "https:/evil.test", "https:///evil.test", "https:\\\\evil.test", "https://id.test.evil.test", "https://id.test@evil.test",
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "\u0001javascript:alert(1)", "data:text/html,x", "vbscript:x", "blob:https://evil.test/x", "file:///etc/passwd", "ftp://evil.test", "mailto:x@evil.test",
        "/／evil.test", "／／evil.test", "/∕evil.test", "/⁄evil.test", "／evil.test", "/。evil.test", "/account\u2028", "/account\u202eevil", "/\u200b/evil.test", "/\ufeff/evil.test", "/\u3000/evil.test", "/\u1680/evil.test", "/å",
        "/account\r\nSet-Cookie: x=y", "/account\nLocation: https://evil.test", "/ /evil.test", "/account x", " /account", "/account ", "\u00a0/account", "/\u0085/evil.test",
    ];

    /// <summary>Browsers drop tabs, line ends and leading control characters before they read an address, so each of them could hide a second slash.</summary>
    private static readonly string[] Generated =
        [.. Enumerable.Range(0, 33).Append(127).SelectMany(code => new[] { $"/{(char)code}/evil.test", $"{(char)code}//evil.test", $"/account{(char)code}" })];

    [Fact]
    public void Hostile_addresses_are_all_refused()
    {
        var hostile = Written.Concat(Generated).ToList();
        Assert.True(hostile.Distinct().Count() >= 160);
        Assert.All(hostile, address => Assert.False(LocalAddress.IsLocal(address), $"passed: {address}"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/account")]
    [InlineData("/sign-in/AAAA_-AAAA/second-factor")]
    [InlineData("/connect/authorize?client_id=x&redirect_uri=https%3A%2F%2Fapp.test%2Fcb&state=a%20b&attempt=1")]
    [InlineData("/connect/authorize?redirect_uri=https://app.test/cb")]
    [InlineData("/.evil.test")]
    [InlineData("/@evil.test")]
    [InlineData("/:443")]
    [InlineData("/%2f/evil.test")]
    [InlineData("/%5cevil.test")]
    [InlineData("/%09/evil.test")]
    [InlineData("/account#//evil.test")]
    [InlineData("/account//evil.test")]
    public void What_passes_stays_with_us_however_a_browser_reads_it(string address)
    {
        Assert.True(LocalAddress.IsLocal(address));
        Assert.Equal("id.test", new Uri(new Uri("https://id.test/sign-in/x"), address).Authority);
    }
}
