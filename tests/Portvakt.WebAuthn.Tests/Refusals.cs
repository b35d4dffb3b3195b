using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using Portvakt.Testing;

namespace Portvakt.WebAuthn.Tests;

/// <summary>Every verification step, each with one thing wrong: that step and no other refuses.</summary>
public sealed class Refusals : IDisposable
{
    private readonly Ceremonies ceremonies = new();

    private SoftAuthenticator Authenticator => ceremonies.Authenticator;

    public void Dispose() => ceremonies.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_honest_registration_and_assertion_verify(bool selfAttestation)
    {
        Authenticator.Aaguid = new("08987058-cadc-4b81-b6e1-30de50dcbe96");
        Authenticator.BackupState = true;
        Authenticator.SignatureCounter = 4;

        var registration = ceremonies.Register(Authenticator.Create(ceremonies.Challenge, selfAttestation));

        Assert.True(registration.Verified);
        Assert.Equal(Refusal.None, registration.Refusal);
        var credential = registration.Credential;
        Assert.Equal(Authenticator.CredentialId, credential.Id);
        Assert.Equal(Authenticator.PublicKey, credential.PublicKey);
        Assert.Equal(CoseAlgorithm.ES256, credential.Algorithm);
        Assert.Equal(4u, credential.SignatureCounter);
        Assert.True(credential.BackupEligible);
        Assert.True(credential.BackupState);
        Assert.True(credential.UserVerified);
        Assert.Equal(Authenticator.Aaguid, credential.Aaguid);
        Assert.Equal(selfAttestation ? AttestationKind.SelfAttestation : AttestationKind.None, credential.Attestation);
        Assert.Equal(selfAttestation ? "packed" : "none", credential.AttestationFormat);

        Authenticator.SignatureCounter = 5;
        Authenticator.BackupState = false;
        var assertion = ceremonies.Authenticate(
            stored: new(credential.Id, credential.PublicKey, credential.SignatureCounter, credential.BackupEligible));

        Assert.True(assertion.Verified);
        Assert.Equal(new VerifiedAssertion(5, BackupState: false, UserVerified: true), assertion.Assertion);
    }

    [Fact]
    public void A_challenge_too_short_to_be_random_is_a_mistake_of_the_caller()
    {
        var expected = ceremonies.Expected with { Challenge = new byte[15] };
        Assert.Throws<ArgumentException>(() => ceremonies.Register(expected: expected));
        Assert.Throws<ArgumentException>(() => ceremonies.Authenticate(expected: expected));
    }

    public static TheoryData<string> MalformedClientData =>
    [
        "", "null", "[]", "\"webauthn.get\"", "{", "{}", "{} ", "{}{}", "\0",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org","type":"webauthn.get"}""",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org","challenge":"C"}""",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org","origin":"https://evil.example"}""",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org","\u006frigin":"https://evil.example"}""",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org","x":{"a":1,"a":2}}""",
        """{"challenge":"C","origin":"https://vakt.example.org"}""",
        """{"type":"webauthn.get","origin":"https://vakt.example.org"}""",
        """{"type":"webauthn.get","challenge":"C"}""",
        """{"type":1,"challenge":"C","origin":"https://vakt.example.org"}""",
        """{"type":"webauthn.get","challenge":null,"origin":"https://vakt.example.org"}""",
        """{"type":"webauthn.get","challenge":"C","origin":["https://vakt.example.org"]}""",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org","crossOrigin":"false"}""",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org","crossOrigin":null}""",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org","topOrigin":{}}""",
        """{"type":"webauthn.get","challenge":"C","origin":"\ud800"}""",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org","\ud800":1}""",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org",}""",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org"/**/}""",
        """{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org"}}""",
        $$"""{"type":"webauthn.get","challenge":"C","origin":"https://vakt.example.org","x":{{new string('[', 100_000)}}""",
    ];

    [Theory]
    [MemberData(nameof(MalformedClientData))]
    public void Steps_5_and_6_refuse_client_data_that_is_not_one_JSON_object_with_its_members(string json)
    {
        var challenge = System.Buffers.Text.Base64Url.EncodeToString(ceremonies.Challenge);
        var get = Encoding.UTF8.GetBytes(json.Replace("\"C\"", $"\"{challenge}\"", StringComparison.Ordinal));
        var create = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(get).Replace("webauthn.get", "webauthn.create", StringComparison.Ordinal));

        Assert.Equal(Refusal.ClientData, ceremonies.Authenticate(ceremonies.AssertionOver(get)).Refusal);
        Assert.Equal(Refusal.ClientData, ceremonies.Register(Authenticator.Create(ceremonies.Challenge) with { ClientDataJson = create }).Refusal);
    }

    [Fact]
    public void Step_5_refuses_what_is_not_UTF_8_and_drops_a_byte_order_mark()
    {
        var honest = Authenticator.ClientData("webauthn.get", ceremonies.Challenge);
        byte[] broken = [.. honest[..^1], .. ",\"x\":\""u8, 0xC0, 0xAF, .. "\"}"u8];
        byte[] marked = [0xEF, 0xBB, 0xBF, .. honest];

        Assert.Equal(Refusal.ClientData, ceremonies.Authenticate(ceremonies.AssertionOver(broken)).Refusal);
        Assert.Equal(Refusal.None, ceremonies.Authenticate(ceremonies.AssertionOver(marked)).Refusal);
    }

    [Fact]
    public void Unknown_members_of_client_data_are_ignored()
    {
        var honest = Authenticator.ClientData("webauthn.get", ceremonies.Challenge);
        byte[] extended = [.. honest[..^1], .. ",\"other_keys_can_be_added_here\":{\"a\":[1,null]}}"u8];
        Assert.Equal(Refusal.None, ceremonies.Authenticate(ceremonies.AssertionOver(extended)).Refusal);
    }

    [Theory]
    [InlineData("webauthn.get")]
    [InlineData("webauthn.Create")]
    [InlineData("payment.create")]
    public void Registration_step_7_refuses_another_type(string type) => Assert.Equal(
        Refusal.Type,
        ceremonies.Register(Authenticator.Create(ceremonies.Challenge) with
        {
            ClientDataJson = Authenticator.ClientData(type, ceremonies.Challenge),
        }).Refusal);

    [Theory]
    [InlineData("webauthn.create")]
    [InlineData("payment.get")]
    public void Assertion_step_10_refuses_another_type(string type) => Assert.Equal(
        Refusal.Type, ceremonies.Authenticate(ceremonies.AssertionOver(Authenticator.ClientData(type, ceremonies.Challenge))).Refusal);

    [Fact]
    public void Registration_step_8_and_assertion_step_11_refuse_another_challenge()
    {
        var other = ceremonies.Challenge.ToArray();
        other[^1] ^= 1;
        Assert.Equal(Refusal.Challenge, ceremonies.Register(Authenticator.Create(other)).Refusal);
        Assert.Equal(Refusal.Challenge, ceremonies.Authenticate(Authenticator.Get(other)).Refusal);
    }

    [Theory]
    [InlineData("=")]
    [InlineData("\\u0020")]
    [InlineData("A")]
    public void The_challenge_has_one_spelling(string appended)
    {
        var honest = Encoding.UTF8.GetString(Authenticator.ClientData("webauthn.get", ceremonies.Challenge));
        var challenge = System.Buffers.Text.Base64Url.EncodeToString(ceremonies.Challenge);
        var spelt = Encoding.UTF8.GetBytes(honest.Replace(challenge, challenge + appended, StringComparison.Ordinal));
        Assert.Equal(Refusal.Challenge, ceremonies.Authenticate(ceremonies.AssertionOver(spelt)).Refusal);
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("http://vakt.example.org")]
    [InlineData("https://sub.vakt.example.org")]
    [InlineData("https://vakt.example.org:8443")]
    [InlineData("https://vakt.example.org/")]
    [InlineData("https://VAKT.example.org")]
    [InlineData("https://vakt.example.org.evil.example")]
    [InlineData("null")]
    [InlineData("")]
    public void Registration_step_9_and_assertion_step_12_refuse_another_origin(string origin)
    {
        Authenticator.Origin = origin;
        Assert.Equal(Refusal.Origin, ceremonies.Register().Refusal);
        Assert.Equal(Refusal.Origin, ceremonies.Authenticate().Refusal);
    }

    [Fact]
    public void Any_listed_origin_will_do()
    {
        Authenticator.Origin = "https://other.example.org";
        Assert.True(ceremonies.Register().Verified);
        Assert.True(ceremonies.Authenticate().Verified);
    }

    [Fact]
    public void Registration_step_10_and_assertion_step_13_refuse_a_frame_unless_it_is_expected()
    {
        Authenticator.CrossOrigin = true;
        Assert.Equal(Refusal.CrossOrigin, ceremonies.Register().Refusal);
        Assert.Equal(Refusal.CrossOrigin, ceremonies.Authenticate().Refusal);

        var framed = ceremonies.Expected with { AllowCrossOrigin = true };
        Assert.True(ceremonies.Register(expected: framed).Verified);
        Assert.True(ceremonies.Authenticate(expected: framed).Verified);
    }

    [Fact]
    public void A_browser_that_does_not_know_crossOrigin_is_not_in_a_frame()
    {
        Authenticator.CrossOrigin = null;
        Assert.True(ceremonies.Register().Verified);
        Assert.True(ceremonies.Authenticate().Verified);
    }

    [Theory]
    [InlineData(true, "https://page.example.com", Refusal.None)]
    [InlineData(true, "https://evil.example", Refusal.TopOrigin)]
    [InlineData(false, "https://page.example.com", Refusal.TopOrigin)]
    [InlineData(null, "https://page.example.com", Refusal.TopOrigin)]
    public void Registration_step_11_and_assertion_step_14_refuse_a_page_that_is_not_expected(
        bool? crossOrigin, string topOrigin, Refusal refusal)
    {
        Authenticator.CrossOrigin = crossOrigin;
        Authenticator.TopOrigin = topOrigin;
        var framed = ceremonies.Expected with { AllowCrossOrigin = true, TopOrigins = ["https://page.example.com"] };
        Assert.Equal(refusal, ceremonies.Register(expected: framed).Refusal);
        Assert.Equal(refusal, ceremonies.Authenticate(expected: framed).Refusal);
    }

    [Fact]
    public void A_named_page_is_refused_when_no_pages_are_listed()
    {
        Authenticator.CrossOrigin = true;
        Authenticator.TopOrigin = "https://page.example.com";
        Assert.Equal(Refusal.TopOrigin, ceremonies.Register(expected: ceremonies.Expected with { AllowCrossOrigin = true }).Refusal);
    }

    public static TheoryData<string, byte[]> MalformedAttestationObjects
    {
        get
        {
            var data = new byte[200];
            var sound = SoftAuthenticator.AttestationObject("none", data, null);
            return new()
            {
                { "nothing", [] },
                { "not a map", [0x01] },
                { "an array", [0x80] },
                { "a map of nothing", [0xA0] },
                { "cut short", sound[..^1] },
                { "a byte too many", [.. sound, 0] },
                { "a map without end", [0xBF] },
                { "a map of two to the sixty-fourth", [0xBB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] },
                { "deep nesting", [.. Enumerable.Repeat((byte)0x81, 100_000)] },
                { "a tag", [0xC0, .. sound] },
                { "no authData", Write(3, "fmt", "attStmt", "other") },
                { "fmt twice", Write(3, "fmt", "fmt", "authData") },
                { "a fourth member", Write(4, "fmt", "attStmt", "authData", "epAtt") },
                { "fmt as bytes", [0xA3, 0x63, .. "fmt"u8, 0x44, .. "none"u8, .. sound[9..]] },
                { "attStmt as text", [.. sound[..17], 0x60, .. sound[18..]] },
                { "a map that says its end instead of its length", [0xBF, .. sound[1..], 0xFF] },
            };

            byte[] Write(int count, params string[] members)
            {
                var cbor = new CborWriter(CborConformanceMode.Lax);
                cbor.WriteStartMap(count);
                foreach (var member in members)
                {
                    cbor.WriteTextString(member);
                    if (member is "fmt") cbor.WriteTextString("none");
                    else if (member is "authData") cbor.WriteByteString(data);
                    else { cbor.WriteStartMap(0); cbor.WriteEndMap(); }
                }
                cbor.WriteEndMap();
                return cbor.Encode();
            }
        }
    }

    [Theory]
    [MemberData(nameof(MalformedAttestationObjects))]
    public void Registration_step_13_refuses_a_malformed_attestation_object(string what, byte[] attestationObject)
    {
        var outcome = ceremonies.Register(Authenticator.Create(ceremonies.Challenge) with { AttestationObject = attestationObject });
        Assert.True(outcome.Refusal is Refusal.AttestationObject, $"{what}: {outcome.Refusal}");
    }

    [Fact]
    public void Registration_step_13_takes_the_members_of_an_attestation_object_in_any_order()
    {
        var cbor = new CborWriter(CborConformanceMode.Lax);
        cbor.WriteStartMap(3);
        cbor.WriteTextString("authData");
        cbor.WriteByteString(Authenticator.AuthenticatorData(attested: true));
        cbor.WriteTextString("fmt");
        cbor.WriteTextString("none");
        cbor.WriteTextString("attStmt");
        cbor.WriteStartMap(0);
        cbor.WriteEndMap();
        cbor.WriteEndMap();
        Assert.True(ceremonies.Register(Authenticator.Create(ceremonies.Challenge) with { AttestationObject = cbor.Encode() }).Verified);
    }

    [Fact]
    public void Registration_step_13_refuses_authenticator_data_of_another_form()
    {
        var sound = Authenticator.AuthenticatorData(attested: true);
        var keyAt = sound.Length - Authenticator.PublicKey.Length;
        byte[] extended = [.. sound[..32], (byte)(sound[32] | 0x80), .. sound[33..]];

        Refused("empty", []);
        Refused("cut in the fixed part", sound[..36]);
        Refused("cut before the credential id", sound[..54]);
        Refused("cut in the credential id", sound[..60]);
        Refused("cut before the key", sound[..keyAt]);
        Refused("cut in the key", sound[..^1]);
        Refused("a byte too many", [.. sound, 0]);
        Refused("no attested credential data, and the bit says so", Authenticator.AuthenticatorData(attested: false));
        Refused("attested credential data without its bit", [.. sound[..32], (byte)(sound[32] & ~0x40), .. sound[33..]]);
        Refused("the extension bit and no extensions", extended);
        Refused("extensions without their bit", [.. sound, 0xA0]);
        Refused("extensions that are no map", [.. extended, 0x80]);
        Refused("extensions out of order", [.. extended, 0xA2, 0x61, (byte)'b', 0x01, 0x61, (byte)'a', 0x01]);
        Refused("an extension twice", [.. extended, 0xA2, 0x61, (byte)'a', 0x01, 0x61, (byte)'a', 0x01]);
        Refused("a number longer than needed", [.. extended, 0xA1, 0x61, (byte)'a', 0x18, 0x01]);
        Refused("a map without end", [.. extended, 0xBF, 0x61, (byte)'a', 0x01, 0xFF]);
        Refused("a key that is no map", [.. sound[..keyAt], 0x80]);
        Refused("a key in an order of its own", [.. sound[..keyAt], 0xA5, .. Authenticator.PublicKey[3..5], .. Authenticator.PublicKey[1..3], .. Authenticator.PublicKey[5..]]);
        Assert.True(ceremonies.Register(ceremonies.CredentialWith([.. extended, 0xA1, 0x61, (byte)'a', 0x01])).Verified);

        void Refused(string what, byte[] data)
        {
            var refusal = ceremonies.Register(ceremonies.CredentialWith(data)).Refusal;
            Assert.True(refusal is Refusal.AuthenticatorData, $"{what}: {refusal}");
        }
    }

    [Fact]
    public void Assertion_step_7_refuses_authenticator_data_of_another_form()
    {
        var sound = Authenticator.AuthenticatorData(attested: false);
        byte[] extended = [.. sound[..32], (byte)(sound[32] | 0x80), .. sound[33..]];

        Refused("empty", []);
        Refused("cut short", sound[..^1]);
        Refused("a byte too many", [.. sound, 0]);
        Refused("the bit of attested credential data alone", [.. sound[..32], (byte)(sound[32] | 0x40), .. sound[33..]]);
        Refused("attested credential data, which belongs to a registration", Authenticator.AuthenticatorData(attested: true));
        Refused("the extension bit and no extensions", extended);
        Refused("a byte after the extensions", [.. extended, 0xA0, 0]);
        Assert.True(ceremonies.Authenticate(ceremonies.AssertionWith([.. extended, 0xA0])).Verified);

        void Refused(string what, byte[] data)
        {
            var refusal = ceremonies.Authenticate(ceremonies.AssertionWith(data)).Refusal;
            Assert.True(refusal is Refusal.AuthenticatorData, $"{what}: {refusal}");
        }
    }

    [Fact]
    public void Registration_step_14_and_assertion_step_15_refuse_another_relying_party()
    {
        Authenticator.RelyingPartyId = "example.org";
        Assert.Equal(Refusal.RelyingPartyId, ceremonies.Register().Refusal);
        Assert.Equal(Refusal.RelyingPartyId, ceremonies.Authenticate().Refusal);
    }

    [Fact]
    public void Registration_step_15_and_assertion_step_16_refuse_when_nobody_was_there()
    {
        Authenticator.UserPresent = false;
        Assert.Equal(Refusal.UserPresence, ceremonies.Register().Refusal);
        Assert.Equal(Refusal.UserPresence, ceremonies.Authenticate().Refusal);
    }

    [Fact]
    public void Registration_step_16_and_assertion_step_17_refuse_without_unlocking_where_it_is_required()
    {
        Authenticator.UserVerified = false;
        Assert.Equal(Refusal.UserVerification, ceremonies.Register().Refusal);
        Assert.Equal(Refusal.UserVerification, ceremonies.Authenticate().Refusal);

        var lenient = ceremonies.Expected with { RequireUserVerification = false };
        Assert.False(ceremonies.Register(expected: lenient).Credential!.UserVerified);
        Assert.False(ceremonies.Authenticate(expected: lenient).Assertion!.UserVerified);
    }

    [Fact]
    public void Registration_step_17_and_assertion_step_18_refuse_a_copy_of_what_cannot_be_copied()
    {
        Authenticator.BackupEligible = false;
        Authenticator.BackupState = true;
        Assert.Equal(Refusal.BackupState, ceremonies.Register().Refusal);
        Assert.Equal(Refusal.BackupState, ceremonies.Authenticate(stored: ceremonies.Stored(backupEligible: false)).Refusal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Assertion_step_19_refuses_a_changed_backup_eligibility(bool before)
    {
        Authenticator.BackupEligible = !before;
        Assert.Equal(Refusal.BackupEligibility, ceremonies.Authenticate(stored: ceremonies.Stored(backupEligible: before)).Refusal);
    }

    [Theory]
    [InlineData(-8)] // EdDSA
    [InlineData(-47)] // ES256K
    [InlineData(-65535)] // RS1
    [InlineData(0)]
    public void Registration_step_20_and_assertion_step_21_refuse_an_algorithm_that_cannot_be_verified(int algorithm)
    {
        var cose = Cose((1, 2), (3, algorithm), (-1, 1), (-2, new byte[32]), (-3, new byte[32]));
        Assert.Equal(Refusal.UnsupportedAlgorithm, ceremonies.Register(ceremonies.CredentialWithKey(cose)).Refusal);
        Assert.Equal(Refusal.UnsupportedAlgorithm, ceremonies.Authenticate(stored: ceremonies.Stored() with { PublicKey = cose }).Refusal);
    }

    [Fact]
    public void Registration_step_20_refuses_an_algorithm_that_was_not_offered()
    {
        var made = Authenticator.Create(ceremonies.Challenge);
        Assert.Equal(Refusal.UnsupportedAlgorithm, With(CoseAlgorithm.RS256).Refusal);
        Assert.True(With(CoseAlgorithm.RS256, CoseAlgorithm.ES256).Verified);

        RegistrationOutcome With(params CoseAlgorithm[] algorithms) => Registration.Verify(
            ceremonies.Expected, made.ClientDataJson, made.AttestationObject, algorithms: algorithms);
    }

    public static TheoryData<string, byte[]> BadKeys
    {
        get
        {
            using var p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
            var (x, y) = (p256.ExportParameters(false).Q.X!, p256.ExportParameters(false).Q.Y!);
            var (x384, y384) = (p384.ExportParameters(false).Q.X!, p384.ExportParameters(false).Q.Y!);
            var off = y.ToArray();
            off[^1] ^= 1;
            // (0, root of b) is a point of P-256, and p is 0 in another spelling.
            var prime = Convert.FromHexString("FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF");
            var rootOfB = Convert.FromHexString("66485C780E2F83D72433BD5D84A06BB6541C2AF31DAE871728BF856A174F93F4");
            using var rsa = RSA.Create(2048);
            var (n, e) = (rsa.ExportParameters(false).Modulus!, rsa.ExportParameters(false).Exponent!);
            byte[] even = [.. n[..^1], (byte)(n[^1] & 0xFE)];
            byte[] huge = [0xFF, .. new byte[1024], 0x01];
            return new()
            {
                { "an empty map", Cose() },
                { "no alg", Cose((1, 2), (-1, 1), (-2, x), (-3, y)) },
                { "kty as text", Cose((1, "EC2"), (3, -7), (-1, 1), (-2, x), (-3, y)) },
                { "alg as text", Cose((1, 2), (3, "ES256"), (-1, 1), (-2, x), (-3, y)) },
                { "kty of RSA", Cose((1, 3), (3, -7), (-1, 1), (-2, x), (-3, y)) },
                { "kty of OKP", Cose((1, 1), (3, -7), (-1, 1), (-2, x), (-3, y)) },
                { "curve P-384 with ES256", Cose((1, 2), (3, -7), (-1, 2), (-2, x384), (-3, y384)) },
                { "curve P-256 with ES384", Cose((1, 2), (3, -35), (-1, 1), (-2, x), (-3, y)) },
                { "no y", Cose((1, 2), (3, -7), (-1, 1), (-2, x)) },
                { "a compressed point", Cose((1, 2), (3, -7), (-1, 1), (-2, x), (-3, true)) },
                { "a member too many", Cose((1, 2), (3, -7), (4, 1), (-1, 1), (-2, x), (-3, y)) },
                { "a private key", Cose((1, 2), (3, -7), (-1, 1), (-2, x), (-3, y), (-4, x)) },
                { "a short x", Cose((1, 2), (3, -7), (-1, 1), (-2, x[1..]), (-3, y)) },
                { "a long x", Cose((1, 2), (3, -7), (-1, 1), (-2, (byte[])[0, .. x]), (-3, y)) },
                { "a point off the curve", Cose((1, 2), (3, -7), (-1, 1), (-2, x), (-3, off)) },
                { "zero", Cose((1, 2), (3, -7), (-1, 1), (-2, new byte[32]), (-3, new byte[32])) },
                { "a coordinate beyond the field", Cose((1, 2), (3, -7), (-1, 1), (-2, prime), (-3, rootOfB)) },
                { "a point of another curve", Cose((1, 2), (3, -35), (-1, 2), (-2, x384), (-3, x384)) },
                { "RSA with kty EC2", Cose((1, 2), (3, -257), (-1, n), (-2, e)) },
                { "RSA with an empty modulus", Cose((1, 3), (3, -257), (-1, Array.Empty<byte>()), (-2, e)) },
                { "RSA of 1024 bits", Cose((1, 3), (3, -257), (-1, n[..128]), (-2, e)) },
                { "RSA of 8208 bits", Cose((1, 3), (3, -257), (-1, huge), (-2, e)) },
                { "RSA with an even modulus", Cose((1, 3), (3, -257), (-1, even), (-2, e)) },
                { "RSA with a leading zero", Cose((1, 3), (3, -257), (-1, (byte[])[0, .. n]), (-2, e)) },
                { "RSA with exponent 1", Cose((1, 3), (3, -257), (-1, n), (-2, (byte[])[1])) },
                { "RSA with an even exponent", Cose((1, 3), (3, -257), (-1, n), (-2, (byte[])[2])) },
                { "RSA with a long exponent", Cose((1, 3), (3, -257), (-1, n), (-2, n)) },
                { "RSA without exponent", Cose((1, 3), (3, -257), (-1, n)) },
            };
        }
    }

    [Theory]
    [MemberData(nameof(BadKeys))]
    public void Registration_step_20_and_assertion_step_21_refuse_a_key_that_is_none(string what, byte[] cose)
    {
        var registered = ceremonies.Register(ceremonies.CredentialWithKey(cose)).Refusal;
        var asserted = ceremonies.Authenticate(stored: ceremonies.Stored() with { PublicKey = cose }).Refusal;
        Assert.True(registered is Refusal.PublicKey, $"{what}: {registered}");
        Assert.True(asserted is Refusal.PublicKey, $"{what}: {asserted}");
    }

    [Fact]
    public void A_stored_key_with_bytes_after_it_is_no_key() => Assert.Equal(
        Refusal.PublicKey, ceremonies.Authenticate(stored: ceremonies.Stored() with { PublicKey = [.. Authenticator.PublicKey, 0] }).Refusal);

    [Theory]
    [InlineData("tpm")]
    [InlineData("NONE")]
    [InlineData("android-safetynet")]
    [InlineData("")]
    public void Registration_step_21_takes_an_unknown_format_only_when_asked_to(string format)
    {
        var made = Authenticator.Create(ceremonies.Challenge) with
        {
            AttestationObject = SoftAuthenticator.AttestationObject(format, Authenticator.AuthenticatorData(attested: true), null),
        };
        Assert.Equal(Refusal.AttestationFormat, ceremonies.Register(made).Refusal);

        var taken = ceremonies.Register(made, acceptUnverifiedAttestation: true);
        Assert.True(taken.Verified);
        Assert.Equal(AttestationKind.Unverified, taken.Credential.Attestation);
        Assert.Equal(format, taken.Credential.AttestationFormat);
    }

    [Fact]
    public void Registration_step_22_refuses_a_statement_where_there_should_be_none()
    {
        var data = Authenticator.AuthenticatorData(attested: true);
        var made = Authenticator.Create(ceremonies.Challenge) with
        {
            AttestationObject = SoftAuthenticator.AttestationObject("none", data, [1]),
        };
        Assert.Equal(Refusal.AttestationStatement, ceremonies.Register(made, acceptUnverifiedAttestation: true).Refusal);
    }

    [Fact]
    public void Registration_step_22_refuses_a_self_attestation_that_does_not_hold()
    {
        var data = Authenticator.AuthenticatorData(attested: true);
        var clientData = Authenticator.ClientData("webauthn.create", ceremonies.Challenge);
        var signature = Authenticator.Sign(data, clientData);
        using var stranger = new SoftAuthenticator(Ceremonies.RelyingPartyId, Ceremonies.Origin);

        Assert.Equal(Refusal.None, With(("alg", -7), ("sig", signature)));
        Refused("an empty statement");
        Refused("no signature", ("alg", -7));
        Refused("no algorithm", ("sig", signature));
        Refused("another algorithm", ("alg", -35), ("sig", signature));
        Refused("a stranger's signature", ("alg", -7), ("sig", stranger.Sign(data, clientData)));
        Refused("a signature over other client data", ("alg", -7), ("sig", Authenticator.Sign(data, [1])));
        Refused("an empty signature", ("alg", -7), ("sig", Array.Empty<byte>()));
        Refused("a signature as text", ("alg", -7), ("sig", "x"));
        Refused("an algorithm as text", ("alg", "ES256"), ("sig", signature));
        Refused("certificates that are no list", ("alg", -7), ("sig", signature), ("x5c", true));
        Refused("a member nobody knows", ("alg", -7), ("sig", signature), ("ecdaaKeyId", signature));
        Refused("an algorithm twice", ("alg", -7), ("alg", -7), ("sig", signature));

        void Refused(string what, params (string, object)[] statement)
        {
            var refusal = With(statement);
            Assert.True(refusal is Refusal.AttestationStatement or Refusal.AttestationObject, $"{what}: {refusal}");
        }

        Refusal With(params (string Name, object Value)[] statement)
        {
            var cbor = new CborWriter(CborConformanceMode.Lax);
            cbor.WriteStartMap(3);
            cbor.WriteTextString("fmt");
            cbor.WriteTextString("packed");
            cbor.WriteTextString("attStmt");
            cbor.WriteStartMap(statement.Length);
            foreach (var (name, value) in statement)
            {
                cbor.WriteTextString(name);
                Write(cbor, value);
            }
            cbor.WriteEndMap();
            cbor.WriteTextString("authData");
            cbor.WriteByteString(data);
            cbor.WriteEndMap();
            return ceremonies.Register(
                new(Authenticator.CredentialId, clientData, cbor.Encode()), acceptUnverifiedAttestation: true).Refusal;
        }
    }

    [Theory]
    [InlineData(0, Refusal.CredentialIdLength)]
    [InlineData(1, Refusal.None)]
    [InlineData(1023, Refusal.None)]
    [InlineData(1024, Refusal.CredentialIdLength)]
    [InlineData(65535, Refusal.CredentialIdLength)]
    public void Registration_step_25_refuses_a_credential_id_that_is_too_long(int length, Refusal refusal)
    {
        Authenticator.CredentialId = RandomNumberGenerator.GetBytes(length);
        Assert.Equal(refusal, ceremonies.Register().Refusal);
    }

    [Fact]
    public void Assertion_steps_5_and_6_refuse_another_credential()
    {
        var made = Authenticator.Get(ceremonies.Challenge);
        Assert.Equal(Refusal.CredentialId, ceremonies.Authenticate(made with { CredentialId = RandomNumberGenerator.GetBytes(32) }).Refusal);
        Assert.Equal(Refusal.CredentialId, ceremonies.Authenticate(made with { CredentialId = [] }).Refusal);
    }

    [Fact]
    public void Assertion_step_21_refuses_a_wrong_signature()
    {
        using var stranger = new SoftAuthenticator(Ceremonies.RelyingPartyId, Ceremonies.Origin);
        var made = Authenticator.Get(ceremonies.Challenge);
        var flipped = made.Signature.ToArray();
        flipped[^1] ^= 1;

        foreach (var signature in (byte[][])
            [flipped, [], [0x30], [0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00], new byte[64], [.. made.Signature, 0], made.Signature[..^1],
             stranger.Sign(made.AuthenticatorData, made.ClientDataJson), new byte[100_000]])
            Assert.Equal(Refusal.Signature, ceremonies.Authenticate(made with { Signature = signature }).Refusal);

        // Signed bytes that were changed after signing, though every other step holds.
        byte[] spaced = [.. made.ClientDataJson, (byte)' '];
        Assert.Equal(Refusal.Signature, ceremonies.Authenticate(made with { ClientDataJson = spaced }).Refusal);
    }

    [Theory]
    [InlineData(0u, 0u, Refusal.None)]
    [InlineData(0u, 1u, Refusal.None)]
    [InlineData(7u, 8u, Refusal.None)]
    [InlineData(uint.MaxValue - 1, uint.MaxValue, Refusal.None)]
    [InlineData(7u, 7u, Refusal.SignatureCounter)]
    [InlineData(7u, 6u, Refusal.SignatureCounter)]
    [InlineData(7u, 0u, Refusal.SignatureCounter)]
    [InlineData(uint.MaxValue, 0u, Refusal.SignatureCounter)]
    public void Assertion_step_22_refuses_a_counter_that_does_not_grow(uint stored, uint sent, Refusal refusal)
    {
        Authenticator.SignatureCounter = sent;
        var outcome = ceremonies.Authenticate(stored: ceremonies.Stored(counter: stored));
        Assert.Equal(refusal, outcome.Refusal);
        if (outcome.Verified)
            Assert.Equal(sent, outcome.Assertion.SignatureCounter);
    }

    private static byte[] Cose(params (int Label, object Value)[] members)
    {
        var cbor = new CborWriter(CborConformanceMode.Lax);
        cbor.WriteStartMap(members.Length);
        foreach (var (label, value) in members)
        {
            cbor.WriteInt32(label);
            Write(cbor, value);
        }
        cbor.WriteEndMap();
        return cbor.Encode();
    }

    private static void Write(CborWriter cbor, object value)
    {
        switch (value)
        {
            case int number: cbor.WriteInt32(number); break;
            case string text: cbor.WriteTextString(text); break;
            case bool flag: cbor.WriteBoolean(flag); break;
            case byte[] bytes: cbor.WriteByteString(bytes); break;
            default: throw new ArgumentException("No such member.", nameof(value));
        }
    }
}
