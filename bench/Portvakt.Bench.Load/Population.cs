using System.Buffers.Text;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Bench.Actors;
using Portvakt.Domain;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Testing;
using Portvakt.WebPush;

namespace Portvakt.Bench.Load;

/// <summary>How many there are, and how much of their past.</summary>
/// <param name="People">People.</param>
/// <param name="Players">So many of them, the first ones, have a phone that this program can play. Of all others nobody holds the keys.</param>
/// <param name="MostAuditRows">The year of audit is <see cref="Population.SignInsAYear"/> sign-ins of <see cref="Population.RowsOfASignIn"/> rows for each person, and no more than this.</param>
/// <param name="MostApprovals">The same for the ninety days of answered requests.</param>
/// <param name="Past">Whether there is a past at all: methods of those who do not play, sessions, codes, requests, audit.</param>
internal sealed record Census(int People, int Players, int MostAuditRows = 5_000_000, int MostApprovals = 1_000_000, bool Past = true);

/// <summary>
/// People with what they hold and what they left behind, made by the domain's own types and written block by block: of a person no more than an id is kept.
/// Of twenty, fourteen have the phone app, three a passkey, two a code generator, one has not enrolled; every third has recovery codes, three of four are signed in.
/// </summary>
internal sealed class Population(IServiceProvider services, string connection, KeyRing keys, Site site, Census census)
{
    /// <summary>Two a month.</summary>
    public const int SignInsAYear = 24;

    /// <summary>Password, approval, session.</summary>
    public const int RowsOfASignIn = 3;

    private const int Block = 2000;
    private const string Browser = "Firefox, Windows";
    private static readonly TimeSpan Year = TimeSpan.FromDays(365);

    private readonly Vault _vault = services.GetRequiredService<Vault>();
    private readonly DateTimeOffset _now = InMicroseconds(services.GetRequiredService<TimeProvider>().GetUtcNow());
    private readonly Guid[] _ids = new Guid[census.People];

    // Of those whose keys nobody holds. The column must have a key on the curve; which one does not matter.
    private readonly byte[] _anyKey = Spki();
    private readonly byte[] _anyCose = Cose();

    private readonly List<Person> _people = [];
    private readonly List<PhoneAuthenticator> _phones = [];
    private readonly List<TotpAuthenticator> _totps = [];
    private readonly List<Passkey> _passkeys = [];
    private readonly List<RecoveryCode> _recoveryCodes = [];
    private readonly List<FamiliarBrowser> _browsers = [];
    private readonly List<Session> _sessions = [];
    private readonly List<AuthorizationCode> _codes = [];
    private readonly List<RefreshFamily> _families = [];
    private readonly List<PersonalTerm> _terms = [];
    private readonly List<ApprovalRequest> _approvals = [];

    /// <summary>How many rows each table got.</summary>
    public IReadOnlyDictionary<string, long> Written { get; private set; } = new Dictionary<string, long>(StringComparer.Ordinal);

    public static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"ansatt{number:0000000}");

    /// <summary>A person as this program plays them: the phone that is bound, the browser that is known, and where it is. Disposed by whoever plays.</summary>
    public static Resident Play(int number, KeyRing keys, Site site)
    {
        var origin = site.Address;
        var passkey = new SoftAuthenticator(new Uri(origin).Host, origin, keys.Passkey(number)) { BackupEligible = true, BackupState = true, CredentialId = keys.CredentialId(number) };
        var phone = new Phone(site.Http, origin, site.PushService.Resubscribe(keys.PushId(number), keys.Push(number), keys.PushAuth(number)), keys.Device(number), passkey);
        var browser = new Browser(site.Http, origin, AddressOf(number));
        browser.Keep(BrowserCookie.Name, keys.Browser(number));
        return new Resident(NameOf(number), site, phone, browser);
    }

    /// <summary>A hundred people behind each address, of the range that is kept for measurements (RFC 2544).</summary>
    public static string AddressOf(int number) => string.Create(CultureInfo.InvariantCulture, $"198.18.{number / 100 / 250 % 250}.{1 + (number / 100 % 250)}");

    public async Task SettleAsync()
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        var waves = await AddWavesAsync(db);
        var hash = await services.GetRequiredService<PasswordHash>().HashAsync(PasswordRules.Normalise(Site.Password)!, CancellationToken.None);
        await using var bulk = await Bulk.OpenAsync(db, connection);
        for (var first = 0; first < census.People; first += Block)
        {
            for (var number = first; number < Math.Min(first + Block, census.People); number++) Add(number, waves, hash);
            await WriteAsync(bulk);
        }

        if (census.Past)
        {
            await ApprovalsAsync(bulk);
            await AuditAsync(bulk, db);
        }

        await bulk.SettleAsync();
        Written = bulk.Written;
    }

    private async Task<Wave[]> AddWavesAsync(PortvaktDb db)
    {
        string[] rules = ["unit under Område 1, Område 2, Område 3", "unit under Område 4, Område 5, Område 6, Område 7", "everyone"];
        var waves = rules.Select((rule, place) => new Wave(string.Create(CultureInfo.InvariantCulture, $"Bølge {place + 1}"), _now.AddDays(-120), _now.AddDays((place * 15) - 40), _now.AddDays(-150)) { Position = place + 1, Rule = rule, Access = EnrolmentAccess.Open }).ToArray();
        db.Waves.AddRange(waves);
        await db.SaveChangesAsync();
        db.ChangeTracker.Clear();
        return waves;
    }

    private void Add(int number, Wave[] waves, string hash)
    {
        var dice = new Dice((ulong)number);
        var (area, kind, plays) = (number % 12, number % 20, number < census.Players);
        var person = new Person(UserName.Parse(NameOf(number)), string.Create(CultureInfo.InvariantCulture, $"Fornavn{number} Etternavnsen"), _now - Year)
        {
            Email = $"{NameOf(number)}@eksempel.kommune.no",
            Language = number % 5 is 0 ? "nn" : "nb",
            Unit = string.Create(CultureInfo.InvariantCulture, $"Område {area}/Enhet {number % 300}"),
            Phone = string.Create(CultureInfo.InvariantCulture, $"+47{40_000_000 + number}"),
        };
        _ids[number] = person.Id;
        person.SetPassword(hash);
        person.JoinWave(waves[area switch { >= 1 and <= 3 => 0, >= 4 and <= 7 => 1, _ => 2 }].Id, byName: false);
        var at = InMicroseconds(_now - TimeSpan.FromMinutes(dice.Throw(60 * 24 * 60)) - TimeSpan.FromDays(1));
        if (plays || kind is not 0)
        {
            person.RecordEnrolment(at);
            person.RecordUseElsewhere(_now - TimeSpan.FromHours(20));
            if (plays || kind <= 14) AddPhone(number, person.Id, at, plays);
            else if (kind <= 17) _passkeys.Add(new Passkey(person.Id, RandomNumberGenerator.GetBytes(32), _anyCose, Guid.Empty, 0, backupEligible: true, backedUp: true, "Windows Hello", at));
            else AddCode(person.Id, null, at);
            if (number % 3 is 0)
            {
                for (var code = 0; code < RecoveryCode.SetSize; code++) _recoveryCodes.Add(new RecoveryCode(person.Id, RandomNumberGenerator.GetBytes(32), at));
            }

            _browsers.Add(new FamiliarBrowser(person.Id, plays ? RandomId.Hash(keys.Browser(number)) : RandomNumberGenerator.GetBytes(32), at));
            if (census.Past && number % 4 is not 0) AddSession(number, person.Id, dice);
        }
        else if (number % 40 is 0)
        {
            Step(person) = SignInStep.SetUpPhone;
            StepAt(person) = at;
            Trouble(person) = EnrolmentTrouble.NoAnswer;
        }

        if (census.Past && number % 200 is 100) _terms.Add(new PersonalTerm(PersonalTermKind.Exemption, person.Id, _now.AddDays(20), "Permisjon", person.Id, at));
        person.RefreshSearchText();
        _people.Add(person);
    }

    private void AddPhone(int number, Guid personId, DateTimeOffset at, bool plays)
    {
        PhoneAuthenticator phone;
        if (plays)
        {
            using var device = keys.Device(number);
            using var passkey = new SoftAuthenticator(new Uri(site.Address).Host, site.Address, keys.Passkey(number));
            using var push = keys.Push(number);
            var point = push.ExportParameters(includePrivateParameters: false).Q;
            phone = New(DeviceKey.Thumbprint(device), device.ExportSubjectPublicKeyInfo(), keys.CredentialId(number), passkey.PublicKey);
            if (!PushSubscription.TryCreate(site.PushService.EndpointOf(keys.PushId(number)), [4, .. point.X!, .. point.Y!], keys.PushAuth(number), out var subscription)) throw new InvalidOperationException("Not a subscription.");
            phone.SetPush(services.GetRequiredService<PushDelivery>().Seal(phone.Id, subscription));
        }
        else
        {
            phone = New(RandomId.NewSecret(), _anyKey, RandomNumberGenerator.GetBytes(32), _anyCose);
            phone.SetPush(RandomNumberGenerator.GetBytes(310)); // as long as a sealed subscription; nobody rings it
        }

        _phones.Add(phone);
        AddCode(personId, phone.Id, at);

        PhoneAuthenticator New(string keyId, byte[] key, byte[] credentialId, byte[] credentialKey)
        {
            var made = new PhoneAuthenticator(personId, keyId, key, PhoneUnlock.Passkey, "iPhone · Safari", "2026-11", "0.1.0", at) { CredentialId = credentialId, CredentialKey = credentialKey, BackupEligible = true };
            made.RecordAssertion(0, backedUp: true);
            made.Activate();
            return made;
        }
    }

    private void AddCode(Guid personId, Guid? phoneId, DateTimeOffset at)
    {
        var totp = new TotpAuthenticator(personId, phoneId, attemptId: null, at);
        totp.SealedSeed = _vault.Seal(RandomNumberGenerator.GetBytes(Totp.SeedLength), "totps.seed", totp.Id.ToString("N"));
        totp.Activate();
        _totps.Add(totp);
    }

    /// <summary>Signed in within the last weeks and asked to stay, with what two applications got of it; one of them refreshes.</summary>
    private void AddSession(int number, Guid personId, Dice dice)
    {
        var at = InMicroseconds(_now - TimeSpan.FromMinutes(10 + dice.Throw(20 * 24 * 60)));
        var attempt = new SignInAttempt(RandomNumberGenerator.GetBytes(32), new SignInRequest(Site.ClientId, "Timeliste"), at);
        attempt.RecordPassword(personId, at);
        attempt.RecordSecondFactor(SecondFactorMethod.Phone, at);
        attempt.AnswerStaySignedIn(yes: true, at);
        var session = new Session(RandomId.NewSecret(), personId, attempt, Browser, Coarse(number), at, Session.StayLifetime);
        _sessions.Add(session);
        for (var application = 0; application < 2; application++)
        {
            var family = application is 0 && number % 3 is 0 ? RandomId.New() : null;
            _codes.Add(new AuthorizationCode
            {
                Hash = RandomNumberGenerator.GetBytes(32),
                ClientId = Site.ClientId,
                RedirectUri = Site.RedirectUri,
                CodeChallenge = RandomId.NewSecret(),
                Nonce = "n1",
                Scopes = "openid profile",
                PersonId = personId,
                SessionId = session.Id,
                ExpiresAt = at.AddMinutes(1),
                UsedAt = at.AddSeconds(1),
                FamilyId = family,
            });
            if (family is not null) _families.Add(new RefreshFamily { Id = family, ClientId = Site.ClientId, PersonId = personId, SessionId = session.Id, Scopes = "openid profile offline_access", CurrentHash = RandomNumberGenerator.GetBytes(32), Generation = 12, ExpiresAt = session.ExpiresAt });
        }
    }

    private async Task WriteAsync(Bulk bulk)
    {
        await bulk.WriteAsync(_people);
        await bulk.WriteAsync(_phones);
        await bulk.WriteAsync(_totps);
        await bulk.WriteAsync(_passkeys);
        await bulk.WriteAsync(_recoveryCodes);
        await bulk.WriteAsync(_browsers);
        await bulk.WriteAsync(_sessions);
        await bulk.WriteAsync(_codes);
        await bulk.WriteAsync(_families);
        await bulk.WriteAsync(_terms);
    }

    /// <summary>Requests of the last ninety days, answered by phones, with evidence as long as the real one. Those who play have none: they are still to be asked.</summary>
    private async Task ApprovalsAsync(Bulk bulk)
    {
        var others = census.People - census.Players;
        var count = (int)Math.Min((long)others * SignInsAYear * 90 / 365, census.MostApprovals);
        var (dice, evidence) = (new Dice(90), RandomNumberGenerator.GetBytes(1250));
        for (var row = 0; row < count; row++)
        {
            var personId = _ids[census.Players + dice.Throw(others)];
            var at = InMicroseconds(_now - TimeSpan.FromDays(90 * (1 - ((row + 0.5) / count))) - TimeSpan.FromMinutes(5));
            var request = new ApprovalRequest(personId, RandomId.New(), ApprovalPurpose.SignIn, null, 2, at, ApprovalRequest.DefaultLifetime);
            request.Context = JsonSerializer.SerializeToUtf8Bytes(new ApprovalContext(1, request.Id, site.Address, "Timeliste", "sign-in", null, "198.18.1.x", Browser, Base64Url.EncodeToString(request.Nonce), at.ToUnixTimeSeconds(), request.ExpiresAt.ToUnixTimeSeconds(), 2), PhoneJson.Options);
            request.Answer(Guid.CreateVersion7(at), Decision.Approve, request.DisplayedNumber, evidence, at.AddSeconds(8));
            _approvals.Add(request);
            if (_approvals.Count is Block || row == count - 1) await bulk.WriteAsync(_approvals);
        }
    }

    /// <summary>A year in the order of time, chained as the server chains it, and sealed at its end.</summary>
    private async Task AuditAsync(Bulk bulk, PortvaktDb db)
    {
        var signIns = (int)Math.Min((long)census.People * SignInsAYear, census.MostAuditRows / RowsOfASignIn);
        var (dice, rows, last, number) = (new Dice(365), new List<AuditEvent>(Block), Array.Empty<byte>(), 0L);
        for (var signIn = 0; signIn < signIns; signIn++)
        {
            var who = dice.Throw(census.People);
            var at = InMicroseconds(_now - (Year * (1 - ((signIn + 0.5) / signIns))));
            Chain(new AuditEvent(signIn % 200 is 199 ? SecurityEvent.PasswordRejected : SecurityEvent.PasswordVerified, _ids[who], null, null, AddressOf(who), null, at));
            Chain(new AuditEvent(SecurityEvent.ApprovalApproved, _ids[who], null, RandomId.New(), "198.19.0.1", null, at.AddSeconds(8)));
            Chain(new AuditEvent(SecurityEvent.SessionIssued, _ids[who], null, RandomId.New(), AddressOf(who), null, at.AddSeconds(9)));
            if (rows.Count >= Block || signIn == signIns - 1) await bulk.WriteAsync(rows);
        }

        var checkpoint = new AuditCheckpoint { Id = 1, Number = number, Hash = last, At = _now, Seal = [] };
        checkpoint.Seal = AuditHash.SealOf(_vault.AuditKey, checkpoint);
        db.AuditCheckpoints.Add(checkpoint);
        await db.SaveChangesAsync();

        void Chain(AuditEvent row)
        {
            SetId(row, ++number);
            (row.ChainNumber, row.ChainHash) = (number, last = AuditHash.Of(_vault.AuditKey, last, number, row));
            rows.Add(row);
        }
    }

    private static string Coarse(int number) => AddressOf(number)[..AddressOf(number).LastIndexOf('.')] + ".x";

    /// <summary>As PostgreSQL keeps an instant: what is hashed must be what is read.</summary>
    private static DateTimeOffset InMicroseconds(DateTimeOffset at) => new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    private static byte[] Spki()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportSubjectPublicKeyInfo();
    }

    private static byte[] Cose()
    {
        using var passkey = new SoftAuthenticator("localhost", "http://localhost");
        return passkey.PublicKey;
    }

    // What the database or a journey sets otherwise.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Id")]
    private static extern void SetId(AuditEvent row, long id);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<EnrolmentStep>k__BackingField")]
    private static extern ref SignInStep? Step(Person person);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<EnrolmentStepAt>k__BackingField")]
    private static extern ref DateTimeOffset? StepAt(Person person);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<EnrolmentTrouble>k__BackingField")]
    private static extern ref EnrolmentTrouble? Trouble(Person person);
}
