using System.Net;
using System.Net.Mail;
using Portvakt.Domain.Authenticators;
using Portvakt.WebPush;

namespace Portvakt.Server.Hosting;

/// <summary>
/// Everything an operator can set, section <c>Portvakt</c> of the configuration (file, environment <c>Portvakt__Name</c>, command
/// line <c>--Portvakt:Name=value</c>). Validated at start; <c>tests/settings.approved.txt</c> lists each with its default.
/// </summary>
public sealed class PortvaktSettings
{
    /// <summary>The one address people and applications know: issuer, links and QR codes are built from it and from nothing else.</summary>
    public string PublicAddress { get; set; } = "";

    /// <summary>Name of the organisation, as people see it.</summary>
    public string Organisation { get; set; } = "";

    /// <summary>What to do when nothing else helps: telephone or address of the helpdesk, as people read it.</summary>
    public string? Helpdesk { get; set; }

    /// <summary>Who hears of what somebody cannot use, as people read it: mail address, telephone. Empty: <see cref="Helpdesk"/>.</summary>
    public string? AccessibilityContact { get; set; }

    /// <summary>Address of the accessibility statement that the organisation has published (uustatus.no): the page <c>/accessibility</c> leads to it.</summary>
    public string? AccessibilityStatement { get; set; }

    /// <summary>nb, nn or en: for browsers that do not say.</summary>
    public string DefaultLanguage { get; set; } = "nb";

    /// <summary>Where the organisation is, as the IANA time zone database names it: a deadline is a day there, not in UTC.</summary>
    public string TimeZone { get; set; } = "Europe/Oslo";

    /// <summary>Where SQLite and, by default, the master key live.</summary>
    public string DataDirectory { get; set; } = "data";

    /// <summary><c>postgres://user:password@host/database</c> (or Npgsql's own <c>Host=…</c> form), or empty for SQLite in <see cref="DataDirectory"/>.</summary>
    public string? Database { get; set; }

    /// <summary>
    /// Where several nodes on one database wake each other's waiting pages: a Valkey or Redis server, as StackExchange.Redis writes it
    /// (<c>redis.example.no:6380,ssl=true,user=portvakt,password=…</c>). Empty: one node, or several that look into the database every two seconds.
    /// </summary>
    public string? Backplane { get; set; }

    /// <summary>
    /// Where measurements are sent: the address of an OpenTelemetry collector that takes OTLP over HTTP, like <c>http://collector.example.no:4318</c>. Empty: nowhere.
    /// </summary>
    public string? Telemetry { get; set; }

    /// <summary>32 random bytes outside the database. Empty: <c>master.key</c> in <see cref="DataDirectory"/>, made when the database is new.</summary>
    public string? MasterKeyFile { get; set; }

    /// <summary>Bring the schema up to date when the server starts instead of by <c>portvakt migrate</c>.</summary>
    public bool MigrateAtStart { get; set; }

    /// <summary>JSON file of OpenID Connect clients; see docs/operating/relying-parties.md.</summary>
    public string? RelyingPartiesFile { get; set; }

    /// <summary>So many days before the deadline "not now" holds for one sign-in only.</summary>
    public int AskAlwaysLastDays { get; set; } = 3;

    /// <summary>How long "not now" holds before that.</summary>
    public TimeSpan PostponementLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>The organisation's own networks (CIDR): where a wave says so, only from there may a password alone enrol.</summary>
    public List<string> TrustedNetworks { get; set; } = [];

    /// <summary>Whether people are asked "Stay signed in?".</summary>
    public bool OfferStaySignedIn { get; set; } = true;

    /// <summary>How long "yes" lasts; at most 30 days.</summary>
    public TimeSpan StaySignedInLifetime { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Time to answer on the phone: 30 seconds to 5 minutes.</summary>
    public TimeSpan ApprovalLifetime { get; set; } = Domain.Approvals.ApprovalRequest.DefaultLifetime;

    /// <summary>Digits of the number typed on the phone: 2, or 6 in strict mode.</summary>
    public int ApprovalDigits { get; set; } = 2;

    /// <summary>Whether a phone without a lock of its own may use a PIN that the server checks. Weaker; off.</summary>
    public bool AllowPinUnlock { get; set; }

    /// <summary>
    /// Whether a phone whose browser has cleared the app's data may bind itself anew with a passkey that is copied to its owner's other devices, together with
    /// the password. A passkey that cannot leave the phone may always, and alone.
    /// </summary>
    public bool AllowSyncedRebinding { get; set; } = true;

    /// <summary>Contact that push services see (RFC 8292): <c>mailto:</c> or <c>https:</c>.</summary>
    public string PushContact { get; set; } = "";

    /// <summary>Host names of push services that may be called; <c>*.</c> for all below. Empty: the known services.</summary>
    public List<string> PushHosts { get; set; } = [];

    /// <summary>A push service on this machine, for tests. Refused outside the demo.</summary>
    public bool AllowLoopbackPush { get; set; }

    /// <summary>Addresses or networks (CIDR) of the proxies whose forwarded headers count.</summary>
    public List<string> TrustedProxies { get; set; } = [];

    /// <summary>The mail server: <c>smtp://user:password@host:587</c> (TLS by STARTTLS, which a password demands) or <c>smtps://…:465</c>. Empty: mails wait in administration.</summary>
    public string? Smtp { get; set; }

    /// <summary>Address that mails come from.</summary>
    public string? MailFrom { get; set; }

    /// <summary>The helpdesk's address: hears of "it wasn't me", and gets the answers to mails.</summary>
    public string? HelpdeskMail { get; set; }

    /// <summary>User names of the accounts for the worst day (docs/operating/break-glass.md): each sign-in with one of them raises an alarm (R45).</summary>
    public List<string> BreakGlass { get; set; } = [];

    /// <summary>So many days before their deadline people who have not enrolled are reminded. Empty: 14, 7, 3, 1. 0 alone: never.</summary>
    public List<int> ReminderDays { get; set; } = [];

    /// <summary>The organisation's gateway for text messages; none: no codes are sent as text.</summary>
    public TelephoneGateway? Texts { get; set; }

    /// <summary>The organisation's gateway for calls; none: no codes are read out.</summary>
    public TelephoneGateway? Calls { get; set; }

    /// <summary>Country codes that codes may be sent to. Empty: 47. Each one more is one more that fraudsters can earn money with.</summary>
    public List<string> TelephoneCountries { get; set; } = [];

    /// <summary>So many messages and calls a day to each country, for all people together; then no more until the next day (UTC).</summary>
    public int TelephoneDailyLimit { get; set; } = 1000;

    /// <summary>Words that nobody may build a password on.</summary>
    public List<string> HouseWords { get; set; } = [];

    /// <summary>Oldest phone app that need not be updated; an older one asks its owner to. It can still answer.</summary>
    public string MinimumPhoneApp { get; set; } = "0.1.0";

    /// <summary>So many days the audit log is kept.</summary>
    public int AuditRetentionDays { get; set; } = 730;

    /// <summary>So many days approvals, passes, mails and closed cases are kept after they are over.</summary>
    public int HistoryRetentionDays { get; set; } = 90;

    /// <summary>True only under <c>dev.cs demo</c>: loopback only, generated people.</summary>
    public bool Demo { get; set; }

    public Uri PublicUri => new(PublicAddress);

    /// <summary>Issuer, audience of phones and start of every link: the public address without a slash at the end.</summary>
    public string Origin => PublicUri.GetLeftPart(UriPartial.Authority);

    /// <summary><see cref="TimeZone"/>, found.</summary>
    public TimeZoneInfo Zone => TimeZoneInfo.FindSystemTimeZoneById(TimeZone);

    /// <summary><see cref="ReminderDays"/>, or the days of habit. A default in the list itself would be added to, not replaced.</summary>
    public IReadOnlyList<int> Reminders => ReminderDays.Count > 0 ? ReminderDays : [14, 7, 3, 1];

    /// <summary>The ways over the telephone network that are configured.</summary>
    public Methods Telephone => (Texts is null ? Methods.None : Methods.Text) | (Calls is null ? Methods.None : Methods.Call);

    /// <summary><see cref="TelephoneCountries"/>, or Norway.</summary>
    public IReadOnlyList<string> CountriesToCall => TelephoneCountries.Count > 0 ? TelephoneCountries : ["47"];

    public bool UsesPostgres => Database is { Length: > 0 };

    public string MasterKeyPath => string.IsNullOrEmpty(MasterKeyFile) ? Path.Combine(DataDirectory, "master.key") : MasterKeyFile;

    /// <summary>Sentences for the operator; empty when all is well.</summary>
    public IEnumerable<string> Problems()
    {
        if (!Uri.TryCreate(PublicAddress, UriKind.Absolute, out var address) || address.PathAndQuery is not "/" || address.UserInfo.Length > 0)
            yield return "Portvakt:PublicAddress must be an address like https://id.example.no, without path.";
        else if (address is not { Scheme: "https" } and not { Scheme: "http", IsLoopback: true })
            yield return "Portvakt:PublicAddress must be https (http is for localhost only).";
        else if (Demo && !address.IsLoopback)
            yield return "The demo listens on this machine only: Portvakt:PublicAddress must be localhost.";
        if (string.IsNullOrWhiteSpace(Organisation)) yield return "Portvakt:Organisation must name the organisation.";
        if (AccessibilityStatement is { Length: > 0 } && !(Uri.TryCreate(AccessibilityStatement, UriKind.Absolute, out var statement) && statement is { Scheme: "https", UserInfo: "" }))
            yield return "Portvakt:AccessibilityStatement must be the address of the published statement, like https://uustatus.no/nb/erklaringer/publisert/….";
        if (DefaultLanguage is not ("nb" or "nn" or "en")) yield return "Portvakt:DefaultLanguage must be nb, nn or en.";
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out _)) yield return "Portvakt:TimeZone must be a time zone of this machine, like Europe/Oslo.";
        if (StaySignedInLifetime <= TimeSpan.Zero || StaySignedInLifetime > TimeSpan.FromDays(30)) yield return "Portvakt:StaySignedInLifetime must lie between 0 and 30 days.";
        if (ApprovalLifetime < TimeSpan.FromSeconds(30) || ApprovalLifetime > TimeSpan.FromMinutes(5)) yield return "Portvakt:ApprovalLifetime must lie between 30 seconds and 5 minutes.";
        if (ApprovalDigits is not (2 or 6)) yield return "Portvakt:ApprovalDigits must be 2 or 6.";
        if (!VapidSubject.TryParse(PushContact, out _)) yield return "Portvakt:PushContact must be mailto: with one address, or https:, in a public domain.";
        foreach (var host in PushHosts.Where(host => !PushEndpointPolicy.IsHostRule(host)))
            yield return $"Portvakt:PushHosts has \"{host}\", which is neither a host name nor *. and a host name.";
        if (AllowLoopbackPush && !Demo) yield return "Portvakt:AllowLoopbackPush is for the demo only.";
        if (AuditRetentionDays is < 30 or > 36500) yield return "Portvakt:AuditRetentionDays must lie between 30 and 36500.";
        if (HistoryRetentionDays is < 7 or > 3650) yield return "Portvakt:HistoryRetentionDays must lie between 7 and 3650.";
        if (AskAlwaysLastDays is < 0 or > 365) yield return "Portvakt:AskAlwaysLastDays must lie between 0 and 365.";
        if (PostponementLifetime < TimeSpan.Zero || PostponementLifetime > TimeSpan.FromDays(30)) yield return "Portvakt:PostponementLifetime must lie between 0 and 30 days.";
        if (Smtp is { Length: > 0 })
        {
            // Never shown: it may hold a password.
            if (!Uri.TryCreate(Smtp, UriKind.Absolute, out var server) || server.Scheme is not ("smtp" or "smtps") || server.Host.Length is 0 || server.AbsolutePath is not ("" or "/"))
                yield return "Portvakt:Smtp must be like smtp://user:password@mail.example.no:587 or smtps://mail.example.no; special letters of the password as %40.";
            if (!IsMailAddress(MailFrom)) yield return "Portvakt:MailFrom must be the address that mails come from, like portvakt@example.no, since Portvakt:Smtp is set.";
        }

        if (Backplane is { Length: > 0 })
        {
            // Never shown: it may hold a password.
            if (!Hosting.Backplane.IsConfiguration(Backplane))
                yield return "Portvakt:Backplane must be like redis.example.no:6380,ssl=true,user=portvakt,password=…, with the names of StackExchange.Redis and at least one server.";
            if (!UsesPostgres) yield return "Portvakt:Backplane is for several servers on one PostgreSQL: set Portvakt:Database too, or leave it out.";
        }

        if (Telemetry is { Length: > 0 } && !(Uri.TryCreate(Telemetry, UriKind.Absolute, out var collector) && collector is { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" }))
            yield return "Portvakt:Telemetry must be the address of a collector, like http://collector.example.no:4318; what it wants as a password goes into OTEL_EXPORTER_OTLP_HEADERS.";
        if (HelpdeskMail is { Length: > 0 } && !IsMailAddress(HelpdeskMail)) yield return "Portvakt:HelpdeskMail must be a mail address.";
        if (ReminderDays.Any(days => days is < 0 or > 365)) yield return "Portvakt:ReminderDays must lie between 0 and 365.";
        foreach (var problem in (Texts?.Problems(nameof(Texts)) ?? []).Concat(Calls?.Problems(nameof(Calls)) ?? [])) yield return problem;
        foreach (var country in TelephoneCountries.Where(country => country is not { Length: > 0 and <= 3 } || country[0] is '0' || !country.All(char.IsAsciiDigit)))
            yield return $"Portvakt:TelephoneCountries has \"{country}\", which is not a country code like 47.";
        if (TelephoneDailyLimit is < 1 or > 1_000_000) yield return "Portvakt:TelephoneDailyLimit must lie between 1 and 1000000.";
        foreach (var network in TrustedNetworks.Where(network => !IPNetwork.TryParse(network, out _)))
            yield return $"Portvakt:TrustedNetworks has \"{network}\", which is not a network like 192.0.2.0/24.";
        foreach (var proxy in TrustedProxies.Where(proxy => !IPAddress.TryParse(proxy, out _) && !IPNetwork.TryParse(proxy, out _)))
            yield return $"Portvakt:TrustedProxies has \"{proxy}\", which is neither an address nor a network.";
    }

    /// <summary>One mail address and nothing else: no name, no list, no line break.</summary>
    public static bool IsMailAddress(string? text) => text is { Length: > 0 and <= 254 } && !text.Any(letter => char.IsControl(letter) || char.IsWhiteSpace(letter) || letter is ',' or ';' or '<' or '>')
        && MailAddress.TryCreate(text, out var address) && address.Address == text;
}
