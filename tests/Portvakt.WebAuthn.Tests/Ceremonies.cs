using System.Security.Cryptography;
using Portvakt.Testing;

namespace Portvakt.WebAuthn.Tests;

/// <summary>One relying party, one authenticator, one registered credential: the ground that each test changes in one place.</summary>
internal sealed class Ceremonies : IDisposable
{
    public const string RelyingPartyId = "vakt.example.org";
    public const string Origin = "https://vakt.example.org";

    public byte[] Challenge { get; } = RandomNumberGenerator.GetBytes(32);

    public SoftAuthenticator Authenticator { get; } = new(RelyingPartyId, Origin) { BackupEligible = true };

    public RelyingPartyExpectation Expected =>
        new(RelyingPartyId, [Origin, "https://other.example.org"], Challenge, RequireUserVerification: true);

    /// <summary>The stored credential as it would be with these facts.</summary>
    public StoredCredential Stored(uint counter = 0, bool backupEligible = true) =>
        new(Authenticator.CredentialId, Authenticator.PublicKey, counter, backupEligible);

    public RegistrationOutcome Register(
        MadeCredential? made = null, RelyingPartyExpectation? expected = null, bool acceptUnverifiedAttestation = false)
    {
        made ??= Authenticator.Create(Challenge);
        return Registration.Verify(expected ?? Expected, made.ClientDataJson, made.AttestationObject, acceptUnverifiedAttestation);
    }

    public AssertionOutcome Authenticate(
        MadeAssertion? made = null, RelyingPartyExpectation? expected = null, StoredCredential? stored = null)
    {
        made ??= Authenticator.Get(Challenge);
        return Assertion.Verify(
            expected ?? Expected, stored ?? Stored(), made.CredentialId, made.ClientDataJson, made.AuthenticatorData, made.Signature);
    }

    /// <summary>An assertion over client data that is not the browser's, honestly signed.</summary>
    public MadeAssertion AssertionOver(byte[] clientDataJson)
    {
        var authenticatorData = Authenticator.AuthenticatorData(attested: false);
        return new(Authenticator.CredentialId, clientDataJson, authenticatorData, Authenticator.Sign(authenticatorData, clientDataJson));
    }

    /// <summary>An assertion over authenticator data that is not the authenticator's, honestly signed.</summary>
    public MadeAssertion AssertionWith(byte[] authenticatorData)
    {
        var clientData = Authenticator.ClientData("webauthn.get", Challenge);
        return new(Authenticator.CredentialId, clientData, authenticatorData, Authenticator.Sign(authenticatorData, clientData));
    }

    /// <summary>A registration without attestation, with any authenticator data.</summary>
    public MadeCredential CredentialWith(byte[] authenticatorData) => new(
        Authenticator.CredentialId, Authenticator.ClientData("webauthn.create", Challenge),
        SoftAuthenticator.AttestationObject("none", authenticatorData, null));

    /// <summary>A registration whose credential public key is <paramref name="cose"/>.</summary>
    public MadeCredential CredentialWithKey(byte[] cose)
    {
        var data = Authenticator.AuthenticatorData(attested: true);
        return CredentialWith([.. data[..^Authenticator.PublicKey.Length], .. cose]);
    }

    public void Dispose() => Authenticator.Dispose();
}
