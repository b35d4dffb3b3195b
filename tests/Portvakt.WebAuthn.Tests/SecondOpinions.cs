using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Portvakt.Testing;

namespace Portvakt.WebAuthn.Tests;

/// <summary>Two other verifiers, ASP.NET Core Identity and @simplewebauthn/server, judge the same bytes.</summary>
public sealed class SecondOpinions : IDisposable
{
    private readonly List<Case> cases = [];
    private readonly List<IDisposable> used = [];

    public SecondOpinions()
    {
        // Accepted by all.
        Both("an honest ceremony", _ => { });
        Both("a security key that counts", c => c.Authenticator.SignatureCounter = 8, storedCounter: 7);
        Both("a copied credential", c => c.Authenticator.BackupState = true);
        Both("a credential that stays on its device", c => c.Authenticator.BackupEligible = false, storedBackupEligible: false);
        Both("a long credential id", c => c.Authenticator.CredentialId = RandomNumberGenerator.GetBytes(1023));
        Both("client data without crossOrigin", c => c.Authenticator.CrossOrigin = null);

        // Refused by all.
        Both("another RP ID", c => c.Authenticator.RelyingPartyId = "evil.example");
        Both("another origin", c => c.Authenticator.Origin = "https://evil.example");
        Both("another scheme", c => c.Authenticator.Origin = "http://vakt.example.org");
        Both("another port", c => c.Authenticator.Origin = "https://vakt.example.org:8443");
        Both("nobody there", c => c.Authenticator.UserPresent = false);
        Both("not unlocked", c => c.Authenticator.UserVerified = false);
        Both("copied and not able to be", c => (c.Authenticator.BackupEligible, c.Authenticator.BackupState) = (false, true), storedBackupEligible: false);
        Registering("another challenge", c => c.Authenticator.Create(RandomNumberGenerator.GetBytes(32)));
        Asserting("another challenge", c => c.Authenticator.Get(RandomNumberGenerator.GetBytes(32)));
        Registering("an assertion's type", c => c.Authenticator.Create(c.Challenge) with { ClientDataJson = c.Authenticator.ClientData("webauthn.get", c.Challenge) });
        Asserting("a registration's type", c => c.AssertionOver(c.Authenticator.ClientData("webauthn.create", c.Challenge)));
        Registering("authenticator data cut in its fixed part", c => c.CredentialWith(c.Authenticator.AuthenticatorData(attested: true)[..36]));
        Registering("authenticator data with a byte too many", c => c.CredentialWith([.. c.Authenticator.AuthenticatorData(attested: true), 0]));
        Registering("no attested credential data", c => c.CredentialWith(c.Authenticator.AuthenticatorData(attested: false)));
        Registering("an attestation object that is none", c => c.Authenticator.Create(c.Challenge) with { AttestationObject = [0x01] });
        Registering("client data that is no JSON", c => c.Authenticator.Create(c.Challenge) with { ClientDataJson = "{"u8.ToArray() });
        Asserting("authenticator data with a byte too many", c => c.AssertionWith([.. c.Authenticator.AuthenticatorData(attested: false), 0]));
        Asserting("authenticator data cut short", c => c.AssertionWith(c.Authenticator.AuthenticatorData(attested: false)[..36]));
        Asserting("a flipped bit in the signature", c => Flip(c.Authenticator.Get(c.Challenge)));
        Asserting("an empty signature", c => c.Authenticator.Get(c.Challenge) with { Signature = [] });
        Asserting("a bit of the flags after signing", c => { var a = c.Authenticator.Get(c.Challenge); a.AuthenticatorData[36] = 9; return a; });
        Asserting("a space in the client data after signing", c => { var a = c.Authenticator.Get(c.Challenge); return a with { ClientDataJson = [.. a.ClientDataJson, (byte)' '] }; });
        Asserting("a counter that stands still", c => { c.Authenticator.SignatureCounter = 7; return c.Authenticator.Get(c.Challenge); }, storedCounter: 7);
        Asserting("a counter that goes back", c => { c.Authenticator.SignatureCounter = 6; return c.Authenticator.Get(c.Challenge); }, storedCounter: 7);
        Asserting("a counter that was lost", c => c.Authenticator.Get(c.Challenge), storedCounter: 7);

        // Refused by us, and by those that look.
        Both("a frame", c => c.Authenticator.CrossOrigin = true, laxer: Peer.SimpleWebAuthn); // asks only about topOrigin
        Asserting("backup eligibility that came", c => c.Authenticator.Get(c.Challenge), storedBackupEligible: false, laxer: Peer.SimpleWebAuthn); // does not keep BE
        Asserting("the origin twice", c => c.AssertionOver(TwoOrigins(c)), laxer: Peer.SimpleWebAuthn | Peer.Identity); // the last one wins there
        Registering("authenticator data cut in the key", c => c.CredentialWith(c.Authenticator.AuthenticatorData(attested: true)[..^1]), laxer: Peer.SimpleWebAuthn); // takes the shorter coordinate
        Registering("a self attestation by another key", c => // Identity leaves statements to its host
        {
            using var stranger = new SoftAuthenticator(Ceremonies.RelyingPartyId, Ceremonies.Origin);
            var data = c.Authenticator.AuthenticatorData(attested: true);
            var clientData = c.Authenticator.ClientData("webauthn.create", c.Challenge);
            return new(c.Authenticator.CredentialId, clientData, SoftAuthenticator.AttestationObject("packed", data, stranger.Sign(data, clientData)));
        }, laxer: Peer.Identity);
        Registering("a self attestation", c => c.Authenticator.Create(c.Challenge, selfAttestation: true));
    }

    [Flags]
    private enum Peer
    {
        None = 0,
        Identity = 1,
        SimpleWebAuthn = 2,
    }

    public void Dispose() => used.ForEach(one => one.Dispose());

    [Fact]
    public async Task ASP_NET_Core_Identity_agrees()
    {
        foreach (var one in cases)
            Agree(one, Peer.Identity, await AskIdentity(one));
    }

    [Fact]
    public async Task SimpleWebAuthn_agrees()
    {
        var questions = new JsonArray([.. cases.Select(one => new JsonObject
        {
            ["kind"] = one.Made is null ? "assertion" : "registration",
            ["response"] = JsonNode.Parse(one.ResponseJson),
            ["challenge"] = Base64Url.EncodeToString(one.Ground.Challenge),
            ["origins"] = new JsonArray([.. one.Ground.Expected.Origins.Select(origin => JsonValue.Create(origin))]),
            ["relyingPartyId"] = Ceremonies.RelyingPartyId,
            ["requireUserVerification"] = true,
            ["credential"] = new JsonObject
            {
                ["id"] = Base64Url.EncodeToString(one.Stored.Id),
                ["publicKey"] = Base64Url.EncodeToString(one.Stored.PublicKey),
                ["counter"] = one.Stored.SignatureCounter,
            },
        })]);

        var verdicts = (await Peers.AskAsync("webauthn.mjs", questions)).Deserialize<Verdict[]>(JsonSerializerOptions.Web)!;

        Assert.Equal(cases.Count, verdicts.Length);
        foreach (var (one, verdict) in cases.Zip(verdicts))
            Agree(one, Peer.SimpleWebAuthn, verdict);
    }

    private static void Agree(Case one, Peer peer, Verdict theirs)
    {
        var ours = one.Made is null
            ? one.Ground.Authenticate(one.Asserted, stored: one.Stored).Refusal
            : one.Ground.Register(one.Made).Refusal;
        // Where a peer is known to be laxer it must accept: if it learns to refuse, the note above has served its time.
        var expected = one.Laxer.HasFlag(peer) ? ours is not Refusal.None : ours is Refusal.None;
        Assert.True(expected == theirs.Verified, $"{one.Name}: we say {ours}, {peer} says {theirs.Verified} {theirs.Reason}");
    }

    private static async Task<Verdict> AskIdentity(Case one)
    {
        var options = new IdentityPasskeyOptions { ServerDomain = Ceremonies.RelyingPartyId, UserVerificationRequirement = "required" };
        var person = new Person();
        if (one.Made is null)
        {
            person.Passkeys.Add(new(
                one.Stored.Id, one.Stored.PublicKey, DateTimeOffset.UnixEpoch, one.Stored.SignatureCounter, transports: null,
                isUserVerified: true, one.Stored.BackupEligible, isBackedUp: false, attestationObject: [], clientDataJson: []));
        }
        using var users = new UserManager<Person>(
            new PeopleStore(person), Options.Create(new IdentityOptions()), new PasswordHasher<Person>(), [], [],
            new UpperInvariantLookupNormalizer(), new IdentityErrorDescriber(), services: null!, NullLogger<UserManager<Person>>.Instance);
        var handler = new PasskeyHandler<Person>(users, Options.Create(options));
        var context = new DefaultHttpContext();
        context.Request.Headers.Origin = Ceremonies.Origin;
        // The state is what the handler wrote when it made the challenge; with ours in it, it judges our ceremonies.
        var challenge = Convert.ToBase64String(one.Ground.Challenge);
        if (one.Made is not null)
        {
            var result = await handler.PerformAttestationAsync(new()
            {
                HttpContext = context,
                CredentialJson = one.ResponseJson,
                AttestationState = new JsonObject
                {
                    ["challenge"] = challenge,
                    ["userEntity"] = new JsonObject { ["id"] = Person.Id, ["name"] = "kari", ["displayName"] = "Kari" },
                }.ToJsonString(),
            });
            return new(result.Succeeded, result.Failure?.Message ?? "");
        }
        else
        {
            var result = await handler.PerformAssertionAsync(new()
            {
                HttpContext = context,
                CredentialJson = one.ResponseJson,
                AssertionState = new JsonObject { ["challenge"] = challenge, ["userId"] = Person.Id }.ToJsonString(),
            });
            return new(result.Succeeded, result.Failure?.Message ?? "");
        }
    }

    private void Both(
        string name, Action<Ceremonies> change, uint storedCounter = 0, bool storedBackupEligible = true, Peer laxer = Peer.None)
    {
        Registering(name, c => { change(c); return c.Authenticator.Create(c.Challenge); }, laxer);
        Asserting(name, c => { change(c); return c.Authenticator.Get(c.Challenge); }, storedCounter, storedBackupEligible, laxer);
    }

    private void Registering(string name, Func<Ceremonies, MadeCredential> make, Peer laxer = Peer.None)
    {
        var ground = new Ceremonies();
        used.Add(ground);
        cases.Add(new($"registration: {name}", ground, make(ground), null, ground.Stored(), laxer));
    }

    private void Asserting(
        string name, Func<Ceremonies, MadeAssertion> make, uint storedCounter = 0, bool storedBackupEligible = true, Peer laxer = Peer.None)
    {
        var ground = new Ceremonies();
        used.Add(ground);
        var made = make(ground);
        cases.Add(new($"assertion: {name}", ground, null, made, ground.Stored(storedCounter, storedBackupEligible), laxer));
    }

    private static MadeAssertion Flip(MadeAssertion made)
    {
        made.Signature[^1] ^= 1;
        return made;
    }

    private static byte[] TwoOrigins(Ceremonies ceremonies)
    {
        var honest = Encoding.UTF8.GetString(ceremonies.Authenticator.ClientData("webauthn.get", ceremonies.Challenge));
        return Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"origin":"https://evil.example",{{honest[1..]}}"""));
    }

    private sealed record Verdict(bool Verified, string Reason);

    private sealed record Case(
        string Name, Ceremonies Ground, MadeCredential? Made, MadeAssertion? Asserted, StoredCredential Stored, Peer Laxer)
    {
        public string ResponseJson => Made?.ToJson() ?? Asserted!.ToJson();
    }

    private sealed class Person
    {
        public const string Id = "kari";
        public List<UserPasskeyInfo> Passkeys { get; } = [];
    }

    /// <summary>One person, as much of a store as the passkey handler asks for.</summary>
    private sealed class PeopleStore(Person person) : IUserPasskeyStore<Person>
    {
        public Task<string> GetUserIdAsync(Person user, CancellationToken cancellationToken) => Task.FromResult(Person.Id);

        public Task<Person?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
            Task.FromResult(userId is Person.Id ? person : null);

        public Task<Person?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
            Task.FromResult(person.Passkeys.Exists(p => p.CredentialId.AsSpan().SequenceEqual(credentialId)) ? person : null);

        public Task<UserPasskeyInfo?> FindPasskeyAsync(Person user, byte[] credentialId, CancellationToken cancellationToken) =>
            Task.FromResult(user.Passkeys.Find(p => p.CredentialId.AsSpan().SequenceEqual(credentialId)));

        public Task<IList<UserPasskeyInfo>> GetPasskeysAsync(Person user, CancellationToken cancellationToken) =>
            Task.FromResult<IList<UserPasskeyInfo>>(user.Passkeys);

        public void Dispose() { }

        public Task AddOrUpdatePasskeyAsync(Person user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task RemovePasskeyAsync(Person user, byte[] credentialId, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task<IdentityResult> CreateAsync(Person user, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task<IdentityResult> UpdateAsync(Person user, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task<IdentityResult> DeleteAsync(Person user, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task<Person?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task<string?> GetUserNameAsync(Person user, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task<string?> GetNormalizedUserNameAsync(Person user, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task SetUserNameAsync(Person user, string? userName, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task SetNormalizedUserNameAsync(Person user, string? normalizedName, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
