using System.Net;
using System.Text;
using System.Text.Json;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>R88, as far as it is ours and not Kestrel's: size, depth and ambiguity of what phones send.</summary>
public sealed class LimitsTests(HouseServer house) : IClassFixture<HouseServer>
{
    private const int Limit = 64 * 1024;
    private static readonly string Kid = new('A', 43);
    private static int _callers;

    [Theory]
    [InlineData("/phone/api/binding/begin")]
    [InlineData("/phone/api/binding/finish")]
    [InlineData("/phone/api/report")]
    [InlineData("/phone/api/remove")]
    [InlineData("/phone/api/approvals/AAAAAAAAAAAAAAAAAAAAAA/answer")]
    public async Task A_body_over_64_KiB_is_too_large_whether_it_says_so_or_not(string path)
    {
        foreach (var chunked in new[] { false, true })
        {
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PostAsync(path, new string(' ', Limit + 1), chunked)).Status);
            Assert.NotEqual(HttpStatusCode.RequestEntityTooLarge, (await PostAsync(path, new string(' ', Limit), chunked)).Status);
        }
    }

    [Fact]
    public async Task Json_may_be_sixteen_deep_and_no_deeper()
    {
        Assert.Equal((HttpStatusCode.NotFound, "unknown-code"), await BeginAsync($",\"x\":{Nested(14)}"));
        Assert.Equal((HttpStatusCode.NotFound, "unknown-code"), await BeginAsync($",\"x\":{Nested(15)}"));
        Assert.Equal((HttpStatusCode.BadRequest, "malformed"), await BeginAsync($",\"x\":{Nested(16)}"));
        Assert.Equal((HttpStatusCode.BadRequest, "malformed"), await BeginAsync($",\"x\":{Nested(20_000)}"));
    }

    [Fact]
    public async Task A_member_that_stands_there_twice_is_no_member()
    {
        Assert.Equal((HttpStatusCode.NotFound, "unknown-code"), await BeginAsync(""));
        Assert.Equal((HttpStatusCode.BadRequest, "malformed"), await BeginAsync(",\"code\":\"ABCDEFGHIJKM\""));
        Assert.Equal((HttpStatusCode.BadRequest, "malformed"), await BeginAsync($",\"kid\":\"{Kid}\""));
        Assert.Equal((HttpStatusCode.BadRequest, "malformed"), await BeginAsync(",\"CODE\":\"ABCDEFGHIJKM\"")); // read without regard to case, so it is the same
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{}")]
    [InlineData("{\"code\":7,\"kid\":7}")]
    [InlineData("{\"code\":null,\"kid\":null}")]
    [InlineData("{\"code\":\"ABCDEFGHIJKL\"")]
    [InlineData("{\"code\":\"ABCDEFGHIJKL\",}")]
    [InlineData("{/* */\"code\":\"ABCDEFGHIJKL\"}")]
    [InlineData("\u0000")]
    public async Task What_is_no_message_is_called_malformed(string body)
    {
        foreach (var path in new[] { "/phone/api/binding/begin", "/phone/api/binding/finish" })
            Assert.Equal((HttpStatusCode.BadRequest, "malformed"), await PostAsync(path, body));
    }

    [Fact]
    public async Task Text_that_is_not_UTF_8_is_called_malformed()
    {
        byte[] body = [.. Encoding.ASCII.GetBytes("{\"code\":\""), 0xff, 0xfe, .. Encoding.ASCII.GetBytes($"\",\"kid\":\"{Kid}\"}}")];
        Assert.Equal((HttpStatusCode.BadRequest, "malformed"), await PostAsync("/phone/api/binding/begin", new ByteArrayContent(body)));
    }

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);

    private Task<(HttpStatusCode Status, string? Code)> BeginAsync(string more) => PostAsync("/phone/api/binding/begin", $"{{\"code\":\"ABCDEFGHIJKL\",\"kid\":\"{Kid}\"{more}}}");

    private Task<(HttpStatusCode Status, string? Code)> PostAsync(string path, string body, bool chunked = false)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        return PostAsync(path, chunked ? new StreamContent(new Unmeasured(bytes)) : new ByteArrayContent(bytes));
    }

    private async Task<(HttpStatusCode Status, string? Code)> PostAsync(string path, HttpContent content)
    {
        using var http = new HttpClient(house.Server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        content.Headers.ContentType = new("application/json");
        request.Headers.Add("Test-Address", $"198.51.100.{Interlocked.Increment(ref _callers)}"); // nobody is throttled for another's try
        using var answer = await http.SendAsync(request);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return (answer.StatusCode, body.RootElement.TryGetProperty("code", out var code) ? code.GetString() : null);
    }

    /// <summary>A body whose length nobody says.</summary>
    private sealed class Unmeasured(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
