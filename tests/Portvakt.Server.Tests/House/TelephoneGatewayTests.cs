using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Tests.House;

/// <summary>A provider's request as a template: whatever the values hold, they stay values.</summary>
public sealed class TelephoneGatewayTests
{
    private const string Nasty = "\"},{\"to\":\"+4499\"&to=+4499#\\\r\nX-Evil: 1\r\n\r\n{number} æ 🔑";
    private static readonly TelephoneValues Values = new("+4790000000", Nasty, "nb", "0199");

    [Fact]
    public async Task In_JSON_a_value_stays_one_string()
    {
        using var request = new TelephoneGateway { Address = "https://sms.example/send", Body = """{"to":["{number}"],"text":"{text}","id":"{id}","lang":"{language}"}""" }.RequestFor(Values);
        using var sent = JsonDocument.Parse(await request.Content!.ReadAsStringAsync());
        Assert.Equal(["to", "text", "id", "lang"], sent.RootElement.EnumerateObject().Select(part => part.Name));
        Assert.Equal("+4790000000", Assert.Single(sent.RootElement.GetProperty("to").EnumerateArray()).GetString());
        Assert.Equal(Nasty, sent.RootElement.GetProperty("text").GetString());
        Assert.Equal("0199", sent.RootElement.GetProperty("id").GetString());
        Assert.Equal("application/json", request.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task In_a_form_a_value_stays_one_field()
    {
        using var request = new TelephoneGateway { Address = "https://sms.example/send", ContentType = "application/x-www-form-urlencoded", Body = "to={number}&text={text}" }.RequestFor(Values);
        var sent = QueryHelpers.ParseQuery(await request.Content!.ReadAsStringAsync());
        Assert.Equal(2, sent.Count);
        Assert.Equal(("+4790000000", Nasty), (sent["to"].Single(), sent["text"].Single()));
    }

    [Fact]
    public void In_an_address_a_value_stays_where_it_was_put()
    {
        using var request = new TelephoneGateway { Method = "GET", Address = "https://sms.example/{language}/send?to={number}&text={text}" }.RequestFor(Values with { Language = "../admin" });
        Assert.Equal(("sms.example", "/..%2Fadmin/send", ""), (request.RequestUri!.Host, request.RequestUri.AbsolutePath, request.RequestUri.Fragment));
        var sent = QueryHelpers.ParseQuery(request.RequestUri.Query);
        Assert.Equal(2, sent.Count);
        Assert.Equal(("+4790000000", Nasty), (sent["to"].Single(), sent["text"].Single()));
        Assert.Null(request.Content);
    }

    [Fact]
    public async Task In_plain_text_and_in_headers_a_value_stays_one_line()
    {
        using var request = new TelephoneGateway { Address = "https://sms.example/send", ContentType = "text/plain", Body = "{number}\n{text}", Headers = { ["X-Id"] = "{id}" } }.RequestFor(Values with { Id = "1\r\nX-Evil: 1" });
        Assert.Equal(2, (await request.Content!.ReadAsStringAsync()).Split('\n', '\r').Length);
        Assert.Equal("1  X-Evil: 1", Assert.Single(request.Headers.GetValues("X-Id")));
        Assert.False(request.Headers.Contains("X-Evil"));
    }

    [Theory]
    [InlineData("http://sms.example/{number}/{text}", "", "Address must be https")]
    [InlineData("ftp://sms.example/", "{\"a\":\"{number}{text}\"}", "Address must be https")]
    [InlineData("https://{number}.sms.example/", "{\"a\":\"{number}{text}\"}", "only after the host")]
    [InlineData("https://sms.example/", "{\"a\":\"{text}\"}", "must have {number}")]
    [InlineData("https://sms.example/?to={number}", "{\"a\":1}", "must have {text}")]
    [InlineData("https://sms.example/", "{\"to\":{number},\"a\":\"{text}\"}", "no JSON")]
    [InlineData("https://sms.example/", "to={number}&text={text}", "no JSON")]
    public void A_gateway_that_cannot_work_stops_the_start(string address, string body, string sentence)
    {
        var problems = new TelephoneGateway { Address = address, Body = body, Headers = { ["Authorization"] = "Bearer s3cret" } }.Problems("Texts").ToList();
        Assert.Contains(sentence, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Type", "x")]
    [InlineData("X-Text", "{text}")]
    [InlineData("X", "a\r\nb")]
    [InlineData("no name", "x")]
    public void A_header_is_one_line_and_carries_no_text(string name, string value) =>
        Assert.Contains("Headers", Assert.Single(new TelephoneGateway { Address = "https://sms.example/", Body = """{"a":"{number}{text}"}""", Headers = { [name] = value } }.Problems("Texts")), StringComparison.Ordinal);

    [Fact]
    public void What_is_wrong_is_said_without_what_is_secret()
    {
        var settings = new PortvaktSettings
        {
            Texts = new TelephoneGateway { Address = "http://user:s3cret@sms.example/?key=s3cret", Method = "PATCH", ContentType = "text/s3cret", Body = "s3cret", Headers = { ["Authorization"] = "s3cret\n" } },
            TelephoneCountries = ["no"],
            TelephoneDailyLimit = 0,
        };
        var problems = settings.Problems().ToList();
        Assert.DoesNotContain(problems, problem => problem.Contains("s3cret", StringComparison.Ordinal));
        foreach (var name in new[] { "Texts:Address", "Texts:Method", "Texts:ContentType", "Texts must have {number}", "Texts must have {text}", "Texts:Headers", "TelephoneCountries", "TelephoneDailyLimit" })
            Assert.Contains(problems, problem => problem.Contains(name, StringComparison.Ordinal));
    }
}
