using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.SignIn;

/// <summary>What came of a user name and a password. Exactly one of the two is set when it is not a plain no.</summary>
public sealed record PasswordVerdict(Person? Person, TimeSpan? Wait);

/// <summary>
/// Verifies a local password. Known, unknown, locked and password-less names look and last the same (R57); familiar browsers and strangers are counted
/// apart, so that nobody can lock somebody else out (R52).
/// </summary>
public sealed class PasswordVerifier(PortvaktDb db, Lookups lookups, PasswordHash hash, Vault vault, TimeProvider clock, ILogger<PasswordVerifier> log)
{
    /// <param name="http">The request.</param>
    /// <param name="typedName">Whoever it may be.</param>
    /// <param name="typedPassword">As it was typed.</param>
    /// <param name="account">Under which key wrong ones are counted, where something else than a browser says who tries; null: by browser or user name.</param>
    /// <exception cref="TooManyHashesException">The queue is full.</exception>
    public async Task<PasswordVerdict> VerifyAsync(HttpContext http, string typedName, string typedPassword, string? account = null)
    {
        var cancellationToken = http.RequestAborted;
        var name = UserName.TryParse(typedName, out var userName) ? userName.Value.Value : "?"; // nobody's name, and asked for all the same
        var browser = BrowserCookie.Hash(http);
        var found = await lookups.Caller(db, name, browser ?? [], cancellationToken); // one statement, whoever is asked for: time does not tell
        var (person, familiar) = (found?.Person, found?.KnowsBrowser is true);

        // A familiar browser has a count of its own, so strangers never fill it.
        account ??= familiar ? $"password:familiar:{name}:{Convert.ToHexString(browser!)}" : $"password:unfamiliar:{name}";
        var source = familiar ? null : SourceKey(http);
        var password = typedPassword.Length <= PasswordRules.MaximumLength ? PasswordRules.Normalise(typedPassword) : null;
        var mark = vault.Hash("wrong-password", $"{name}\0{password}");

        var failures = new FailureCounter(db, clock);
        // The source first: one that is blocked must not go on raising other people's counts. A repeat costs a hash like any other try, so
        // the source pays for it; only the account does not. A window that is closed while this is counted must not leave half of it behind: what
        // is counted is counted whole, and given back below when nobody looked at the password.
        var wait = source is null ? null : await failures.RaiseAsync(source, Throttle.PasswordSource, CancellationToken.None);
        if (wait is { } sourcePause)
        {
            log.Throttled(sourcePause.TotalSeconds);
            return new PasswordVerdict(null, sourcePause);
        }

        var repeated = await failures.IsRepeatAsync(account, mark, CancellationToken.None);
        wait = repeated ? await failures.BlockedForAsync(account, CancellationToken.None) : await failures.RaiseAsync(account, Throttle.Password, CancellationToken.None);
        if (wait is { } pause)
        {
            log.Throttled(pause.TotalSeconds);
            db.Record(SecurityEvent.SignInThrottled, person?.Id, null, http, clock.GetUtcNow());
            await db.SaveChangesAsync(cancellationToken);
            return new PasswordVerdict(null, pause);
        }

        bool right;
        try
        {
            right = await hash.VerifyAsync(password ?? "", person?.PasswordHash, cancellationToken);
        }
        catch (Exception gaveUp) when (gaveUp is TooManyHashesException or OperationCanceledException)
        {
            // Nobody looked at the password: it counts as neither right nor wrong.
            if (!repeated) await failures.ReturnAsync(account, Throttle.Password, CancellationToken.None);
            if (source is not null) await failures.ReturnAsync(source, Throttle.PasswordSource, CancellationToken.None);
            throw;
        }

        if (right && password is not null && person is { State: PersonState.Active })
        {
            await failures.ClearAsync(account, cancellationToken);
            if (source is not null) await failures.ReturnAsync(source, Throttle.PasswordSource, cancellationToken);
            if (PasswordHash.IsOutdated(person.PasswordHash!)) person.SetPassword(await hash.HashAsync(password, cancellationToken));
            db.Record(SecurityEvent.PasswordVerified, person.Id, null, http, clock.GetUtcNow());
            return new PasswordVerdict(person, null);
        }

        await failures.RememberAsync(account, mark, cancellationToken);
        log.PasswordRejected(person?.Id);
        db.Record(SecurityEvent.PasswordRejected, person?.Id, null, http, clock.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return new PasswordVerdict(null, null);
    }

    /// <summary>Under which tries from one source are counted, whoever is tried.</summary>
    public static string SourceKey(HttpContext http) => $"password:source:{http.Source()}";
}
