using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Portvakt.Server.Approvals;

namespace Portvakt.Server.Tests.House;

/// <summary>Imported keys are kept for the next signature: nobody may ever be verified with another one's, nor with one that is gone.</summary>
public sealed class DeviceKeyTests
{
    private const string Type = "test+jws";

    [Fact]
    public void A_signature_is_held_against_its_own_phones_key_however_many_phones_sign_at_once()
    {
        // More than are kept, three signatures each as in a sign-in, from many threads and often the same phone on two of them.
        var phones = Enumerable.Range(0, 1500).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP256)).ToArray();
        try
        {
            var (keys, signed) = (phones.Select(phone => phone.ExportSubjectPublicKeyInfo()).ToArray(), phones.Select(Sign).ToArray());
            Parallel.For(0, 3 * 2 * phones.Length, turn =>
            {
                var (own, other) = (turn / 6, (turn / 6 + 1) % phones.Length);
                Assert.True(DeviceKey.HasSigned(keys[own], signed[own]));
                Assert.False(DeviceKey.HasSigned(keys[other], signed[own]));
            });
        }
        finally
        {
            foreach (var phone in phones) phone.Dispose();
        }
    }

    private static Jws Sign(ECDsa key)
    {
        var text = $$"""{{Encoded($$"""{"alg":"ES256","typ":"{{Type}}"}""")}}.{{Encoded("""{"v":1}""")}}""";
        var signature = key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return Jws.Read($"{text}.{Base64Url.EncodeToString(signature)}", Type)!;

        static string Encoded(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
    }
}
