namespace Portvakt.WebAuthn.Tests;

/// <summary>Twenty thousand damaged ceremonies, the same ones on every run of a seed: never an exception, and never accepted
/// when a signed byte changed.</summary>
public sealed class Mutations
{
    private const int Count = 10_000;

    [Fact]
    public void Ten_thousand_damaged_assertions_are_refused()
    {
        using var ceremonies = new Ceremonies();
        var honest = ceremonies.Authenticator.Get(ceremonies.Challenge);
        var random = new Random(20261122);
        for (var i = 0; i < Count; i++)
        {
            var damaged = honest;
            var what = random.Next(4);
            switch (what)
            {
                case 0: damaged = honest with { ClientDataJson = Mutate(random, honest.ClientDataJson) }; break;
                case 1: damaged = honest with { AuthenticatorData = Mutate(random, honest.AuthenticatorData) }; break;
                case 2: damaged = honest with { Signature = Mutate(random, honest.Signature) }; break;
                default: damaged = honest with { CredentialId = Mutate(random, honest.CredentialId) }; break;
            }
            var outcome = ceremonies.Authenticate(damaged);
            Assert.False(outcome.Verified, $"mutation {i} of part {what} was accepted");
            Assert.NotEqual(Refusal.None, outcome.Refusal);
        }
        Assert.True(ceremonies.Authenticate(honest).Verified);
    }

    [Fact]
    public void Ten_thousand_damaged_registrations_are_refused_or_harmless()
    {
        using var ceremonies = new Ceremonies();
        var honest = ceremonies.Authenticator.Create(ceremonies.Challenge, selfAttestation: true);
        var random = new Random(20261123);
        for (var i = 0; i < Count; i++)
        {
            var damaged = i % 2 is 0
                ? honest with { ClientDataJson = Mutate(random, honest.ClientDataJson) }
                : honest with { AttestationObject = Mutate(random, honest.AttestationObject) };
            var outcome = ceremonies.Register(damaged, acceptUnverifiedAttestation: random.Next(2) is 0);
            Assert.Equal(outcome.Verified, outcome.Refusal is Refusal.None);
            // A self attestation signs client data and authenticator data. What may still pass has lost its "packed":
            // the same bytes under a name nobody verifies, and the outcome says so.
            if (outcome.Verified)
                Assert.Equal(AttestationKind.Unverified, outcome.Credential.Attestation);

            var key = ceremonies.Stored() with { PublicKey = Mutate(random, ceremonies.Authenticator.PublicKey) };
            Assert.False(ceremonies.Authenticate(ceremonies.Authenticator.Get(ceremonies.Challenge), stored: key).Verified);
        }
        Assert.True(ceremonies.Register(honest).Verified);
    }

    /// <summary>One to three changes; the result always differs.</summary>
    private static byte[] Mutate(Random random, byte[] original)
    {
        List<byte> bytes = [.. original];
        do
        {
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                var at = random.Next(bytes.Count);
                switch (bytes.Count is 0 ? 3 : random.Next(6))
                {
                    case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                    case 1: bytes[at] = (byte)random.Next(256); break;
                    case 2: bytes.RemoveAt(at); break;
                    case 3: bytes.Insert(at, (byte)random.Next(256)); break;
                    case 4: bytes.RemoveRange(at, random.Next(bytes.Count - at)); break;
                    default: bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count), 1)); break;
                }
            }
        }
        while (bytes.Count == original.Length && original.AsSpan().SequenceEqual(bytes.ToArray()));
        return [.. bytes];
    }
}
