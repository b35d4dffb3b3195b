namespace Portvakt.Server.Data;

/// <summary>A proof of a phone that has been used (its <c>jti</c>): the primary key refuses the second use.</summary>
public sealed class UsedProof
{
    public required byte[] Hash { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A key of the server (signing, VAPID, Data Protection), sealed by the master key that is not in the database.</summary>
public sealed class ServerKey
{
    public required string Id { get; init; }

    /// <summary><c>signing</c>, <c>vapid</c> or <c>data-protection</c>.</summary>
    public required string Purpose { get; init; }

    public required byte[] Sealed { get; set; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? RetiredAt { get; set; }
}

/// <summary>An authorization code: 256 bits, once, 60 seconds. The engine's claims are columns, so nothing is encrypted or parsed.</summary>
public sealed class AuthorizationCode
{
    /// <summary>SHA-256 of the code.</summary>
    public required byte[] Hash { get; init; }

    public required string ClientId { get; init; }
    public required string RedirectUri { get; init; }
    public required string CodeChallenge { get; init; }
    public string? Nonce { get; init; }
    public required string Scopes { get; init; }
    public required Guid PersonId { get; init; }
    public required string SessionId { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
    public DateTimeOffset? UsedAt { get; set; }

    /// <summary>The family that came of it, so that a second use can revoke it.</summary>
    public string? FamilyId { get; set; }

    public int Version { get; private set; }
}

/// <summary>A refresh-token family: one row, updated in place. Rotation is one UPDATE, reuse a comparison, revocation one row.</summary>
public sealed class RefreshFamily
{
    public required string Id { get; init; }
    public required string ClientId { get; init; }
    public required Guid PersonId { get; init; }
    public required string SessionId { get; init; }
    public required string Scopes { get; init; }

    /// <summary>SHA-256 of the one token that is good now.</summary>
    public required byte[] CurrentHash { get; set; }

    /// <summary>How often it was rotated.</summary>
    public int Generation { get; set; }
    public required DateTimeOffset ExpiresAt { get; init; }
    public DateTimeOffset? RevokedAt { get; set; }
    public int Version { get; private set; }
}

/// <summary>A back-channel logout that one relying party must hear (OpenID Connect Back-Channel Logout 1.0), until it has.</summary>
public sealed class LogoutNotice
{
    public required Guid Id { get; init; }
    public required string ClientId { get; init; }
    public required Guid PersonId { get; init; }
    public required string SessionId { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset NextTryAt { get; set; }
    public int Tries { get; set; }
    public DateTimeOffset? DeliveredAt { get; set; }
    public DateTimeOffset? GivenUpAt { get; set; }
    public int Version { get; private set; }
}

/// <summary>Activation, or "sign out everywhere": what the page lists application by application. Its notices carry the same instant.</summary>
public sealed class SignOutRound
{
    /// <summary>In the address of the page.</summary>
    public required string Id { get; init; }

    public required Guid PersonId { get; init; }

    /// <summary>The browser that asked: nobody else sees the page.</summary>
    public required byte[] BrowserHash { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Whether it was the activation of 2-factor.</summary>
    public bool IsActivation { get; init; }
}

/// <summary>What became of a mail.</summary>
public enum MailState
{
    Waiting,

    /// <summary>In the hands of the mail server at this moment. After a crash nobody knows whether it took it.</summary>
    Sending,
    Sent,

    /// <summary>The program ended while the mail server was taking it: not sent again by itself, so that nobody gets it twice.</summary>
    Uncertain,
    GivenUp,
}

/// <summary>A mail to be sent: written in the same transaction as what it tells of.</summary>
public sealed class Mail
{
    public required Guid Id { get; init; }

    /// <summary>Null: to the helpdesk.</summary>
    public Guid? PersonId { get; init; }

    public required string Recipient { get; init; }

    /// <summary>Which text; see the server's mail folder.</summary>
    public required string Kind { get; init; }

    public required string Language { get; init; }
    public required string Subject { get; init; }
    public required string Text { get; init; }

    /// <summary>The same thing is told once: unique where it is set.</summary>
    public string? OnceKey { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset NextTryAt { get; set; }
    public int Tries { get; set; }
    public MailState State { get; set; }
    public DateTimeOffset? SentAt { get; set; }

    /// <summary>What the mail server said last.</summary>
    public string? Problem { get; set; }

    public int Version { get; private set; }
}

/// <summary>The organisation's own words for a mail, in one language.</summary>
public sealed class MailTemplate
{
    public required string Kind { get; init; }
    public required string Language { get; init; }
    public required string Subject { get; set; }
    public required string Text { get; set; }
    public required DateTimeOffset ChangedAt { get; set; }
    public int Version { get; private set; }
}

/// <summary>What the organisation made of the look: one row, or none.</summary>
public sealed class OrganisationLook
{
    /// <summary>Always 1.</summary>
    public required int Id { get; init; }

    /// <summary>"#0062ba"; null: the colours that come with the program.</summary>
    public string? Colour { get; set; }

    /// <summary>The page's background has a breath of the colour too.</summary>
    public bool IsTinted { get; set; }

    /// <summary>PNG, JPEG or WebP.</summary>
    public byte[]? Logo { get; set; }

    /// <summary>The logo shows the organisation's name.</summary>
    public bool LogoHasName { get; set; }

    /// <summary>As <see cref="Logo"/>.</summary>
    public byte[]? Background { get; set; }

    /// <summary>Of this row, or of one of the <see cref="OwnText"/>s: every change makes a new <see cref="Version"/>, by which the nodes see it.</summary>
    public required DateTimeOffset ChangedAt { get; set; }

    public int Version { get; private set; }
}

/// <summary>The organisation's own words for a text of the guides, in one language.</summary>
public sealed class OwnText
{
    public required string Key { get; init; }
    public required string Language { get; init; }
    public required string Text { get; set; }
    public required DateTimeOffset ChangedAt { get; set; }
    public int Version { get; private set; }
}

/// <summary>How far an import has come.</summary>
public enum ImportState
{
    /// <summary>Read and compared; nothing was changed.</summary>
    Checked,
    Running,
    Done,
    Cancelled,
    Failed,

    /// <summary>A maker's file of code generators, which has a page and a life of its own: sealed, because it is full of secrets, for an hour at most.</summary>
    TokensChecked,
}

/// <summary>A file of people: first compared (the dry run), then brought in as a whole or not at all.</summary>
public sealed class ImportRun
{
    public required string Id { get; init; }
    public required Guid AuthorId { get; init; }
    public required string FileName { get; init; }

    /// <summary>The file, until it has been brought in or a day has passed.</summary>
    public required byte[]? Content { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; set; }
    public ImportState State { get; set; }
    public bool CancelWanted { get; set; }
    public int Lines { get; set; }
    public int LinesDone { get; set; }
    public int Added { get; set; }
    public int Changed { get; set; }
    public int Unchanged { get; set; }

    /// <summary>JSON: the first lines that cannot be read and why; after the dry run the first changes as well, until the file is gone.</summary>
    public string Problems { get; set; } = "{}";

    public int ProblemCount { get; set; }
    public int Version { get; private set; }
}

/// <summary>Where the audit chain stood: authenticated by a key that is not in the database, so that a chain cut short is seen.</summary>
public sealed class AuditCheckpoint
{
    /// <summary>Always 1: one row, so that of two servers one chains.</summary>
    public required int Id { get; init; }

    /// <summary>Number of the last row of the chain.</summary>
    public required long Number { get; set; }

    /// <summary>Hash of the last row.</summary>
    public required byte[] Hash { get; set; }

    public required DateTimeOffset At { get; set; }

    /// <summary>Keyed hash of all of the above.</summary>
    public required byte[] Seal { get; set; }

    /// <summary>The row before the first one that is still kept, after retention has taken older ones away.</summary>
    public long FirstNumber { get; set; }

    /// <summary>Its hash.</summary>
    public byte[] FirstHash { get; set; } = [];

    public int Version { get; private set; }
}
