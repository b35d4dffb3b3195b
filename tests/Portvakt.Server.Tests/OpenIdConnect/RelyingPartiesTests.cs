using Portvakt.Domain.SignIn;
using Portvakt.Server.OpenIdConnect;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>The file of relying parties: what it may say, and that every mistake is named where it stands.</summary>
public sealed class RelyingPartiesTests
{
    private const string Good = "\"client_id\": \"a\", \"client_secret\": \"0123456789012345678901234567890123456789\", \"redirect_uris\": [\"https://a.test/cb\"]";

    [Theory]
    [InlineData("{", "clients.json is not JSON")]
    [InlineData("{}", "clients.json must hold an array")]
    [InlineData("[7]", "relying party 0: must be an object")]
    [InlineData("[{}]", "relying party 0, client_id: is missing")]
    [InlineData("[{\"client_id\": 7}]", "relying party 0, client_id: must be a text")]
    [InlineData("[{\"client_id\": \"a b\"}]", "relying party 0, client_id: may have")]
    [InlineData("[{\"client_id\": \"a\"}]", "relying party 0, client_secret: is missing")]
    [InlineData("[{\"client_id\": \"a\", \"client_secret\": \"s\"}]", "relying party 0, redirect_uris: needs at least one")]
    [InlineData("[{" + Good + "}, {" + Good + "}]", "relying party 1, client_id: \"a\" stands there twice")]
    [InlineData("[{" + Good + ", \"client_secret_sha256\": \"00\"}]", "client_secret_sha256: stands beside client_secret")]
    [InlineData("[{" + Good + ", \"redirect_uri\": \"https://a.test\"}]", "redirect_uri: is not a field")]
    [InlineData("[{" + Good + ", \"grant_types\": [\"implicit\"]}]", "grant_types: \"implicit\" is none of")]
    [InlineData("[{" + Good + ", \"grant_types\": \"refresh_token\"}]", "grant_types: must be an array")]
    [InlineData("[{" + Good + ", \"token_endpoint_auth_method\": \"private_key_jwt\"}]", "token_endpoint_auth_method: \"private_key_jwt\" is none of")]
    [InlineData("[{" + Good + ", \"token_endpoint_auth_method\": \"none\"}]", "token_endpoint_auth_method: none means")]
    [InlineData("[{" + Good + ", \"default_acr_values\": [\"gold\"]}]", "default_acr_values: \"gold\" is not understood")]
    [InlineData("[{" + Good + ", \"backchannel_logout_uri\": \"http://a.test/bc\"}]", "backchannel_logout_uri: \"http://a.test/bc\" must be https")]
    [InlineData("[{" + Good + ", \"backchannel_logout_uri\": \"com.app:/bc\"}]", "backchannel_logout_uri: \"com.app:/bc\" must be https")]
    [InlineData("[{" + Good + ", \"backchannel_logout_session_required\": \"yes\"}]", "backchannel_logout_session_required: must be true or false")]
    [InlineData("[{" + Good + ", \"post_logout_redirect_uris\": [\"https://a.test/#x\"]}]", "post_logout_redirect_uris: \"https://a.test/#x\" must have no fragment")]
    [InlineData("[{" + Good + ", \"post_logout_redirect_uris\": [\"https://*.a.test/\"]}]", "there are no patterns")]
    [InlineData("[{" + Good + ", \"post_logout_redirect_uris\": [\"https://u:p@a.test/\"]}]", "must hold no name or password")]
    [InlineData("[{" + Good + ", \"post_logout_redirect_uris\": [\"javascript:alert(1)\"]}]", "must be https")]
    [InlineData("[{" + Good + ", \"post_logout_redirect_uris\": [\"/bye\"]}]", "\"/bye\" is not an absolute address")]
    [InlineData("[{" + Good + ", \"post_logout_redirect_uris\": [7]}]", "post_logout_redirect_uris: must be an array of texts")]
    [InlineData("[{\"client_id\": \"a\", \"client_secret_sha256\": \"xyz\", \"redirect_uris\": [\"https://a.test/cb\"]}]", "client_secret_sha256: must be 64 hexadecimal digits")]
    [InlineData("[{\"client_id\": \"a\", \"token_endpoint_auth_method\": \"none\", \"grant_types\": [\"client_credentials\"]}]", "grant_types: client_credentials needs")]
    public void A_mistake_is_named_where_it_stands(string json, string expected)
    {
        var problem = Assert.Throws<InvalidOperationException>(() => RelyingParties.Parse(json, "clients.json"));
        Assert.Contains("clients.json", problem.Message, StringComparison.Ordinal);
        Assert.Contains(expected, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_with_comments_in_an_object_is_read()
    {
        var all = RelyingParties.Parse("{ /* ours */ \"relying_parties\": [ { " + Good + ", \"default_acr_values\": [\"aal2\"], } ] } // end", "clients.json");
        var client = Assert.Single(all.All);
        Assert.Equal(("a", "a", AssuranceLevel.Aal2), (client.ClientId, client.Name, client.LeastAssurance));
        Assert.True(client.HasSecret("0123456789012345678901234567890123456789"));
        Assert.False(client.HasSecret("0123456789012345678901234567890123456788"));
        Assert.Empty(all.Warnings);
        Assert.Null(all.Find("A"));
    }

    [Theory]
    [InlineData("urn:portvakt:aal1", AssuranceLevel.Aal1)]
    [InlineData("https://refeds.org/profile/mfa", AssuranceLevel.Aal2)]
    [InlineData("phr", AssuranceLevel.PhishingResistant)]
    public void The_least_that_will_do_is_read(string value, AssuranceLevel expected) =>
        Assert.Equal(expected, RelyingParties.Parse("[{" + Good + ", \"default_acr_values\": [\"" + value + "\"]}]", "clients.json").Find("a")!.LeastAssurance);

    [Fact]
    public void The_documented_example_is_read()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Directory.Packages.props"))) folder = folder.Parent;
        var page = File.ReadAllText(Path.Combine(folder.FullName, "docs", "operating", "relying-parties.md"));
        var example = page[(page.IndexOf("```jsonc", StringComparison.Ordinal) + 8)..];

        var all = RelyingParties.Parse(example[..example.IndexOf("```", StringComparison.Ordinal)], "relying-parties.md");

        Assert.Equal(3, all.All.Count());
        Assert.Empty(all.Warnings);
    }

    [Fact]
    public void A_hash_in_the_place_of_the_secret_will_do()
    {
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("a secret of many characters, by a machine"u8));
        var all = RelyingParties.Parse("[{\"client_id\": \"a\", \"client_secret_sha256\": \"" + hash + "\", \"redirect_uris\": [\"http://localhost:5005/cb\"]}]", "clients.json");
        Assert.True(all.Find("a")!.HasSecret("a secret of many characters, by a machine"));
    }

    [Fact]
    public void A_short_secret_is_warned_of_without_being_told() =>
        Assert.Equal("The client_secret of a is shorter than 32 characters: let a machine choose a longer one.",
            Assert.Single(RelyingParties.Parse("[{\"client_id\": \"a\", \"client_secret\": \"hunter2\", \"redirect_uris\": [\"https://a.test/cb\"]}]", "clients.json").Warnings));

    [Fact]
    public void A_file_that_is_not_there_stops_the_start() =>
        Assert.Contains("cannot be read", Assert.Throws<InvalidOperationException>(() => RelyingParties.Load("no-such-file.json")).Message, StringComparison.Ordinal);
}
