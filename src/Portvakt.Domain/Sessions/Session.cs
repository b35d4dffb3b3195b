using Portvakt.Domain.SignIn;

namespace Portvakt.Domain.Sessions;

/// <summary>After the sign-in, at the identity provider. The browser holds a 256-bit secret; we hold its SHA-256.</summary>
public sealed class Session
{
    /// <summary>The longest life of any session that was not asked to stay.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>Without use for this long a session that was not asked to stay ends.</summary>
    public static readonly TimeSpan IdleLifetime = TimeSpan.FromHours(1);

    /// <summary>The same for whoever holds a role in administration (R48).</summary>
    public static readonly TimeSpan DeskIdleLifetime = TimeSpan.FromMinutes(15);

    /// <summary>"Stay signed in: yes".</summary>
    public static readonly TimeSpan StayLifetime = TimeSpan.FromDays(30);

    private Session() { }

    public Session(string secret, Guid personId, SignInAttempt attempt, string browser, string? place, DateTimeOffset now, TimeSpan stayLifetime)
    {
        Id = RandomId.New();
        PersonId = personId;
        Browser = browser;
        Place = place;
        ExpiresAt = now + Lifetime;
        Renew(secret, attempt, now, stayLifetime);
    }

    /// <summary>
    /// The same person has proven more, or the same once more, in the same browser: a new secret, and the old one is worth nothing from now on (R8). The
    /// session stays the one that applications know.
    /// </summary>
    public void Renew(string secret, SignInAttempt attempt, DateTimeOffset now, TimeSpan stayLifetime)
    {
        SecretHash = RandomId.Hash(secret);
        Method = attempt.SecondFactorMethod;
        SecondFactorAt = attempt.SecondFactorVerifiedAt;
        WithoutPassword = attempt.WithoutPassword;
        AuthenticatedAt = attempt.SecondFactorVerifiedAt > attempt.PasswordVerifiedAt ? attempt.SecondFactorVerifiedAt.Value : attempt.PasswordVerifiedAt!.Value;
        LastSeenAt = now;
        if (attempt.Adds) return; // nobody was asked anything; how long the session lives stays as it was
        Stays = attempt.StaySignedIn is true;
        ExpiresAt = now + (Stays ? stayLifetime : Lifetime);
    }

    /// <summary><c>sid</c> in tokens. Not a secret.</summary>
    public string Id { get; private set; } = "";

    public byte[] SecretHash { get; private set; } = [];
    public Guid PersonId { get; private set; }

    /// <summary>Null: the password alone.</summary>
    public SecondFactorMethod? Method { get; private set; }

    public DateTimeOffset? SecondFactorAt { get; private set; }

    /// <summary>The sign-in had no password in it: a passkey was the whole of it, or a Temporary Access Pass opened it.</summary>
    public bool WithoutPassword { get; private set; }

    /// <summary><c>auth_time</c>.</summary>
    public DateTimeOffset AuthenticatedAt { get; private set; }

    public DateTimeOffset LastSeenAt { get; private set; }
    public DateTimeOffset ExpiresAt { get; private set; }

    /// <summary>Survives the end of the browser and idleness.</summary>
    public bool Stays { get; private set; }

    public string Browser { get; private set; } = "";
    public string? Place { get; private set; }
    public DateTimeOffset? EndedAt { get; private set; }
    public int Version { get; private set; }

    public AssuranceLevel Assurance => AuthenticationMethods.AssuranceOf(Method);

    /// <summary>Decided here and now on the server; what the cookie says of its own life does not count.</summary>
    public bool IsLive(DateTimeOffset now) =>
        EndedAt is null && now < ExpiresAt && (Stays || now < LastSeenAt + IdleLifetime);

    /// <summary>Written at most once a minute, so that reading a page is not a write.</summary>
    public bool Touch(DateTimeOffset now)
    {
        if (now < LastSeenAt + TimeSpan.FromMinutes(1)) return false;
        LastSeenAt = now;
        return true;
    }
}
