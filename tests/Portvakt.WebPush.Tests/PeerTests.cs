using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portvakt.Testing;

namespace Portvakt.WebPush.Tests;

/// <summary>Second opinions: npm http_ece reads what we encrypt, npm web-push sends the same and is laid beside it.</summary>
public sealed class PeerTests
{
    [Fact]
    public async Task Other_implementations_read_our_messages_and_would_have_sent_the_same_request()
    {
        await using var scene = await Scene.SetAsync();
        string[] texts = ["", "a", "Åpne Portvakt – 日本語", new('x', 255), """{"id":"Zm9vYmFy"}""", .. Enumerable.Range(0, 20).Select(i => new string('é', i))];
        var sent = new List<(FakePushSubscription Phone, ReceivedPush Message)>();
        foreach (var text in texts)
        {
            var phone = scene.Service.Subscribe();
            Assert.Equal(new PushOutcome.Delivered(), await scene.Sender.SendAsync(Scene.Subscription(phone), Encoding.UTF8.GetBytes(text), Scene.Minute));
            sent.Add((phone, await phone.NextMessageAsync()));
        }

        var answers = await Peers.AskAsync("webpush.mjs", new
        {
            vapid = new { publicKey = scene.Key.ApplicationServerKey, privateKey = RawPrivateKey(scene.Key), subject = Scene.Contact.ToString() },
            messages = sent.Select((item, i) => new
            {
                subscription = JsonSerializer.Deserialize<JsonElement>(item.Phone.ToJson()),
                privateKey = Base64Url.EncodeToString(item.Phone.ExportPkcs8()),
                text = texts[i],
                ttl = 60,
                urgency = "high",
                topic = "a1b2c3",
                body = Base64Url.EncodeToString(item.Message.Body),
                authorization = item.Message.Headers["Authorization"],
            }),
        });

        Assert.Equal(texts.Length, answers.GetArrayLength());
        for (var i = 0; i < texts.Length; i++)
        {
            var (phone, message) = sent[i];
            var answer = answers[i];
            Assert.Equal(texts[i], answer.GetProperty("decrypted").GetString());

            var ours = answer.GetProperty("token");
            var peer = answer.GetProperty("peer");
            var theirs = peer.GetProperty("token");
            Assert.True(ours.GetProperty("valid").GetBoolean());
            Assert.True(theirs.GetProperty("valid").GetBoolean());
            Assert.Equal(Text(theirs, "header"), Text(ours, "header"));
            Assert.Equal(theirs.GetProperty("key").GetString(), ours.GetProperty("key").GetString());
            Assert.Equal(Text(theirs.GetProperty("claims"), "aud"), Text(ours.GetProperty("claims"), "aud"));
            Assert.Equal(Text(theirs.GetProperty("claims"), "sub"), Text(ours.GetProperty("claims"), "sub"));
            Assert.Equal(
                theirs.GetProperty("claims").EnumerateObject().Select(claim => claim.Name).Order(StringComparer.Ordinal),
                ours.GetProperty("claims").EnumerateObject().Select(claim => claim.Name).Order(StringComparer.Ordinal));

            // Our padding makes another length and the token another signature; Host is added when it is sent. All else is equal.
            string[] own = ["Authorization", "Content-Length", "Host"];
            Assert.Equal("POST", peer.GetProperty("method").GetString());
            Assert.Equal(
                peer.GetProperty("headers").EnumerateObject().Where(header => !own.Contains(header.Name, StringComparer.Ordinal)).Select(header => $"{header.Name}: {header.Value}").Order(StringComparer.Ordinal),
                message.Headers.Where(header => !own.Contains(header.Key, StringComparer.Ordinal)).Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal));

            // And the reader of all our tests reads what it did not write.
            Assert.True(phone.TryDecrypt(Base64Url.DecodeFromChars(peer.GetProperty("body").GetString()), out var read));
            Assert.Equal(texts[i], Encoding.UTF8.GetString(read));
        }
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).ToString();

    private static string RawPrivateKey(VapidKey key)
    {
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportPkcs8PrivateKey(key.ExportPkcs8(), out _);
        return Base64Url.EncodeToString(ecdsa.ExportParameters(includePrivateParameters: true).D);
    }
}
