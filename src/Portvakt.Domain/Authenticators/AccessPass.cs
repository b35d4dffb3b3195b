namespace Portvakt.Domain.Authenticators;

/// <summary>
/// A Temporary Access Pass: a code from the helpdesk that opens enrolment for one person. One per person, a new one overrides; shown once, stored as a
/// keyed hash; one-time by default; what it opened must be finished within <see cref="Window"/> after its use (R27).
/// </summary>
public sealed class AccessPass
{
    /// <summary>12 characters are 60 bits; tries are throttled besides.</summary>
    public const int Length = 12;

    public static readonly TimeSpan ShortestLifetime = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(30);
    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromHours(1);

    /// <summary>So long after its use a pass holds the door open.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private AccessPass() { }

    public AccessPass(Guid personId, byte[] hash, TimeSpan lifetime, bool oneTime, Guid? issuedBy, DateTimeOffset now)
    {
        if (lifetime < ShortestLifetime || lifetime > LongestLifetime) throw new ArgumentOutOfRangeException(nameof(lifetime));
        (Id, PersonId, Hash, OneTime, IssuedBy, CreatedAt, ExpiresAt) = (Guid.CreateVersion7(now), personId, hash, oneTime, issuedBy, now, now + lifetime);
    }

    /// <summary>Asked for by one administrator for another: there is no code until a second one confirms (R44).</summary>
    public static AccessPass AskFor(Guid personId, Guid askedBy, DateTimeOffset now) => new() { Id = Guid.CreateVersion7(now), PersonId = personId, IssuedBy = askedBy, CreatedAt = now, ExpiresAt = now + DefaultLifetime, OneTime = true };

    public Guid Id { get; private set; }
    public Guid PersonId { get; private set; }

    /// <summary>Keyed hash; the key is not in the database. Empty until the pass is confirmed.</summary>
    public byte[] Hash { get; private set; } = [];

    /// <summary>The second administrator, where two are needed.</summary>
    public Guid? ConfirmedBy { get; private set; }

    public bool OneTime { get; private set; }
    public Guid? IssuedBy { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset ExpiresAt { get; private set; }
    public DateTimeOffset? UsedAt { get; private set; }

    /// <summary>Overridden by a newer one, or taken back.</summary>
    public DateTimeOffset? RevokedAt { get; private set; }

    public int Version { get; private set; }

    public bool AwaitsConfirmation(DateTimeOffset now) => Hash.Length is 0 && RevokedAt is null && now < ExpiresAt;

    /// <summary>The second of two people gives the pass its code. False: it waits for nobody, or this is the one who asked, or the one who would use it.</summary>
    public bool Confirm(Guid by, byte[] hash, DateTimeOffset now)
    {
        if (!AwaitsConfirmation(now) || by == IssuedBy || by == PersonId) return false;
        (ConfirmedBy, Hash, ExpiresAt) = (by, hash, now + DefaultLifetime);
        return true;
    }

    public bool IsLive(DateTimeOffset now) => Hash.Length > 0 && RevokedAt is null && now < ExpiresAt && !(OneTime && UsedAt is not null);

    /// <summary>True when it counts. The caller saves, and only one save can win.</summary>
    public bool Use(DateTimeOffset now)
    {
        if (!IsLive(now)) return false;
        UsedAt = now;
        return true;
    }

    public void Revoke(DateTimeOffset now) => RevokedAt ??= now;

    /// <summary>Three times four characters.</summary>
    public static string Format(string code) => $"{code[..4]}-{code[4..8]}-{code[8..]}";
}
