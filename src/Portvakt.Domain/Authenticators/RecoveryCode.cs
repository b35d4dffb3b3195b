namespace Portvakt.Domain.Authenticators;

/// <summary>One-time code on paper: NIST's look-up secret. Ten in a set; a new set replaces the old.</summary>
public sealed class RecoveryCode
{
    public const int SetSize = 10;

    /// <summary>14 characters are 70 bits.</summary>
    public const int Length = 14;

    /// <summary>When no more than this are left, their owner is warned.</summary>
    public const int Few = 3;

    private RecoveryCode() { }

    public RecoveryCode(Guid personId, byte[] hash, DateTimeOffset now) =>
        (Id, PersonId, Hash, CreatedAt) = (Guid.CreateVersion7(now), personId, hash, now);

    public Guid Id { get; private set; }
    public Guid PersonId { get; private set; }

    /// <summary>Keyed hash; the key is not in the database.</summary>
    public byte[] Hash { get; private set; } = [];

    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset? UsedAt { get; private set; }
    public int Version { get; private set; }

    public bool Use(DateTimeOffset now)
    {
        if (UsedAt is not null) return false;
        UsedAt = now;
        return true;
    }

    /// <summary>Five, five and four characters: what fits an eye and a pencil.</summary>
    public static string Format(string code) => $"{code[..5]}-{code[5..10]}-{code[10..]}";
}
