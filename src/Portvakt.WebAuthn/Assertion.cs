using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Portvakt.WebAuthn;

/// <summary>What is kept of a credential between ceremonies (the credential record of section 4).</summary>
/// <param name="Id">The credential id.</param>
/// <param name="PublicKey">The COSE_Key bytes as <see cref="RegisteredCredential.PublicKey"/> gave them.</param>
/// <param name="SignatureCounter">The counter of the last verified ceremony.</param>
/// <param name="BackupEligible">The BE bit at registration.</param>
public sealed record StoredCredential(byte[] Id, byte[] PublicKey, uint SignatureCounter, bool BackupEligible);

/// <summary>What a verified assertion says: the new state of the credential record (7.2 step 24).</summary>
/// <param name="SignatureCounter">The counter to store.</param>
/// <param name="BackupState">Whether the credential is copied to other devices now (BS).</param>
/// <param name="UserVerified">Whether the person unlocked the authenticator (UV).</param>
public sealed record VerifiedAssertion(uint SignatureCounter, bool BackupState, bool UserVerified);

/// <summary>What came of an assertion: its content, or the step that refused it.</summary>
/// <param name="Assertion">What it says; absent when refused.</param>
/// <param name="Refusal">The step that refused; <see cref="Refusal.None"/> when verified.</param>
public sealed record AssertionOutcome(VerifiedAssertion? Assertion, Refusal Refusal)
{
    /// <summary>Whether every step held.</summary>
    [MemberNotNullWhen(true, nameof(Assertion))]
    public bool Verified => Assertion is not null;
}

/// <summary>Verifying an authentication assertion: Web Authentication Level 3, section 7.2.</summary>
public static class Assertion
{
    /// <summary>
    /// Runs steps 5 to 22 of section 7.2. The rest is the caller's: finding the stored credential by its id and checking
    /// that it belongs to the user (and to the user handle, if one came; step 6), and storing the new counter and backup
    /// state (step 24) in one conditional write, so that two uses of one counter cannot both succeed.
    /// Extension outputs (step 23) are ignored, as none are asked for.
    /// </summary>
    /// <param name="expected">What was asked for.</param>
    /// <param name="credential">The stored credential that the answer names.</param>
    /// <param name="credentialId">The credential id in the answer (<c>rawId</c>).</param>
    /// <param name="clientDataJson">The client data, byte for byte as the browser sent it.</param>
    /// <param name="authenticatorData">The authenticator data, byte for byte.</param>
    /// <param name="signature">The signature.</param>
    /// <exception cref="ArgumentException">The expected challenge is shorter than 16 bytes.</exception>
    public static AssertionOutcome Verify(
        RelyingPartyExpectation expected,
        StoredCredential credential,
        ReadOnlySpan<byte> credentialId,
        ReadOnlySpan<byte> clientDataJson,
        ReadOnlySpan<byte> authenticatorData,
        ReadOnlySpan<byte> signature)
    {
        // Steps 5 and 6: the credential that was asked for is the one that answers.
        if (!credentialId.SequenceEqual(credential.Id))
            return Refused(Refusal.CredentialId);

        // Step 7: the three parts of the answer; authenticator data must have its form before anything is read from it.
        if (!AuthenticatorData.TryRead(authenticatorData.ToArray(), attested: false, out var data))
            return Refused(Refusal.AuthenticatorData);

        // Steps 8 to 14: the client data.
        if (ClientData.Verify(clientDataJson, "webauthn.get", expected) is var clientDataRefusal and not Refusal.None)
            return Refused(clientDataRefusal);

        // Steps 15 to 18: RP ID, user presence, user verification, backup state.
        if (data.Verify(expected) is var dataRefusal and not Refusal.None)
            return Refused(dataRefusal);

        // Step 19: backup eligibility is for life.
        if (data.BackupEligible != credential.BackupEligible)
            return Refused(Refusal.BackupEligibility);

        // Step 20: the hash that the authenticator signed.
        var clientDataHash = SHA256.HashData(clientDataJson);

        // Step 21: the signature.
        if (CosePublicKey.TryRead(credential.PublicKey, out var key) is var keyRefusal and not Refusal.None)
            return Refused(keyRefusal);
        using (key)
        {
            if (!key.Verify(authenticatorData, clientDataHash, signature))
                return Refused(Refusal.Signature);
        }

        // Step 22: a counter that is used must grow.
        if ((data.SignatureCounter is not 0 || credential.SignatureCounter is not 0)
            && data.SignatureCounter <= credential.SignatureCounter)
            return Refused(Refusal.SignatureCounter);

        return new(new(data.SignatureCounter, data.BackupState, data.UserVerified), Refusal.None);
    }

    private static AssertionOutcome Refused(Refusal refusal) => new(null, refusal);
}
