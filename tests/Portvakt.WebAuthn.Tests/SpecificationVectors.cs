using System.Text.Json;

namespace Portvakt.WebAuthn.Tests;

/// <summary>The test vectors of Web Authentication Level 3, section 16: fifteen registrations and fifteen assertions.</summary>
public sealed class SpecificationVectors
{
    private static readonly Vectors File = Read();
    private static readonly Dictionary<string, Ceremony> All = File.Ceremonies.ToDictionary(c => c.Section, StringComparer.Ordinal);

    public static TheoryData<string> Sections => [.. All.Keys];

    [Fact]
    public void All_fifteen_ceremonies_are_here() => Assert.Equal(15, All.Count);

    [Theory]
    [MemberData(nameof(Sections))]
    public void Registration_and_assertion_of_the_specification_verify(string section)
    {
        var ceremony = All[section];

        var registration = Register(ceremony, acceptUnverifiedAttestation: true);
        if (!Enum.IsDefined((CoseAlgorithm)ceremony.Algorithm))
        {
            Assert.Equal(Refusal.UnsupportedAlgorithm, registration.Refusal);
            Assert.False(registration.Verified);
            Assert.True(ceremony.Algorithm is -8 or -53, "only Ed25519 and Ed448 are out of reach");
            return;
        }
        Assert.Equal(Refusal.None, registration.Refusal);
        Assert.True(registration.Verified);
        var credential = registration.Credential;
        Assert.Equal(ceremony.CredentialId, Convert.ToHexStringLower(credential.Id));
        Assert.Equal(ceremony.Algorithm, (int)credential.Algorithm);
        Assert.Equal(ceremony.Format, credential.AttestationFormat);
        Assert.Equal(KindOf(ceremony), credential.Attestation);

        var assertion = Authenticate(ceremony, credential);
        Assert.Equal(Refusal.None, assertion.Refusal);
        Assert.True(assertion.Verified);
        Assert.Equal(0u, assertion.Assertion.SignatureCounter);
    }

    [Theory]
    [MemberData(nameof(Sections))]
    public void An_attestation_that_cannot_be_verified_is_refused_unless_asked_for(string section)
    {
        var ceremony = All[section];
        var expected =
            !Enum.IsDefined((CoseAlgorithm)ceremony.Algorithm) ? Refusal.UnsupportedAlgorithm
            : KindOf(ceremony) is AttestationKind.Unverified ? Refusal.AttestationFormat
            : Refusal.None;
        Assert.Equal(expected, Register(ceremony, acceptUnverifiedAttestation: false).Refusal);
    }

    [Theory]
    [InlineData("sctn-test-vectors-none-es256-crossOrigin", Refusal.CrossOrigin)]
    [InlineData("sctn-test-vectors-none-es256-topOrigin", Refusal.CrossOrigin)]
    public void Ceremonies_in_frames_are_refused_where_none_are_expected(string section, Refusal refusal)
    {
        var ceremony = All[section];
        var expected = Expect(ceremony.Registration.Challenge) with { AllowCrossOrigin = false };
        var outcome = Registration.Verify(
            expected, Hex(ceremony.Registration.ClientDataJSON), Hex(ceremony.Registration.AttestationObject));
        Assert.Equal(refusal, outcome.Refusal);
    }

    private static AttestationKind KindOf(Ceremony ceremony) => (ceremony.Format, ceremony.Section) switch
    {
        ("none", _) => AttestationKind.None,
        (_, "sctn-test-vectors-packed-self-es256") => AttestationKind.SelfAttestation,
        _ => AttestationKind.Unverified,
    };

    private static RegistrationOutcome Register(Ceremony ceremony, bool acceptUnverifiedAttestation) => Registration.Verify(
        Expect(ceremony.Registration.Challenge), Hex(ceremony.Registration.ClientDataJSON),
        Hex(ceremony.Registration.AttestationObject), acceptUnverifiedAttestation);

    private static AssertionOutcome Authenticate(Ceremony ceremony, RegisteredCredential credential) => Assertion.Verify(
        Expect(ceremony.Authentication.Challenge),
        new(credential.Id, credential.PublicKey, credential.SignatureCounter, credential.BackupEligible),
        Hex(ceremony.CredentialId), Hex(ceremony.Authentication.ClientDataJSON),
        Hex(ceremony.Authentication.AuthenticatorData), Hex(ceremony.Authentication.Signature));

    // The vectors set UV at random, so it is not required here.
    private static RelyingPartyExpectation Expect(string challenge) => new(
        File.RelyingPartyId, [File.Origin], Hex(challenge), RequireUserVerification: false,
        AllowCrossOrigin: true, TopOrigins: [File.TopOrigin]);

    private static byte[] Hex(string text) => Convert.FromHexString(text);

    private static Vectors Read()
    {
        using var stream = typeof(SpecificationVectors).Assembly.GetManifestResourceStream("w3c-test-vectors.json")!;
        return JsonSerializer.Deserialize<Vectors>(stream, JsonSerializerOptions.Web)!;
    }

    private sealed record Vectors(string RelyingPartyId, string Origin, string TopOrigin, Ceremony[] Ceremonies);

    private sealed record Ceremony(
        string Section, int Algorithm, string Format, string CredentialId, RegistrationBytes Registration, AuthenticationBytes Authentication);

    private sealed record RegistrationBytes(string Challenge, string ClientDataJSON, string AttestationObject);

    private sealed record AuthenticationBytes(string Challenge, string ClientDataJSON, string AuthenticatorData, string Signature);
}
