using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.SignIn;

/// <summary>What came of a user name and a password. No more than one of the three is set; none: a plain no.</summary>
/// <param name="Person">Whose they are.</param>
/// <param name="Wait">Too many tries: how long nobody looks at another one.</param>
/// <param name="IsBusy">Too many people at once: nobody looked at this one, and it counts as neither right nor wrong.</param>
public sealed record PasswordVerdict(Person? Person = null, TimeSpan? Wait = null, bool IsBusy = false)
{
    /// <summary>Until this has run a right password is still counted as a wrong one; see <see cref="PasswordVerifier.SaveAsync"/>.</summary>
    internal Func<CancellationToken, Task>? TakeBack { get; init; }
}

/// <summary>
/// Verifies a local password. Known, unknown, locked and password-less names look and last the same (R57); familiar browsers and strangers are counted
/// apart, so that nobody can lock somebody else out (R52).
/// </summary>
public sealed class PasswordVerifier(PortvaktDb db, Lookups lookups, PasswordHash hash, Vault vault, TimeProvider clock, ILogger<PasswordVerifier> log)
{
    /// <summary>Looks at what was typed. Whoever was told that it is right saves that (<see cref="SaveAsync"/>).</summary>
    /// <param name="http">The request.</param>
    /// <param name="typedName">Whoever it may be.</param>
    /// <param name="typedPassword">As it was typed.</param>
    /// <param name="account">Under which key wrong ones are counted, where something else than a browser says who tries; null: by browser or user name.</param>
    public async Task<PasswordVerdict> VerifyAsync(HttpContext http, string typedName, string typedPassword, string? account = null)
    {
        var cancellationToken = http.RequestAborted;
        var name = UserName.TryParse(typedName, out var userName) ? userName.Value.Value : "?"; // nobody's name, and asked for all the same
        var browser = BrowserCookie.Hash(http);
        var found = await lookups.Caller(db, name, browser ?? [], cancellationToken); // one statement, whoever is asked for: time does not tell
        var (person, familiar) = (found?.Person, found?.KnowsBrowser is true);

        // A familiar browser has a count of its own, so strangers never fill it.
        var own = familiar ? $"password:familiar:{name}:{Convert.ToHexString(browser!)}" : null;
        var source = familiar ? null : SourceKey(http);

        // Before anything is counted: in a storm most are sent back, and what that costs is what those who get in have less.
        using var place = own is null ? hash.WaitingRoom.EnterStranger(source!) : hash.WaitingRoom.EnterFamiliar(own);
        if (place is null)
        {
            log.TooBusy();
            return new PasswordVerdict(IsBusy: true);
        }

        account ??= own ?? $"password:unfamiliar:{name}";
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
            return new PasswordVerdict(Wait: sourcePause);
        }

        (wait, var repeated) = await failures.RaiseAsync(account, Throttle.Password, mark, CancellationToken.None);
        if (wait is { } pause)
        {
            log.Throttled(pause.TotalSeconds);
            db.Record(SecurityEvent.SignInThrottled, person?.Id, null, http, clock.GetUtcNow());
            await db.SaveChangesAsync(cancellationToken);
            return new PasswordVerdict(Wait: pause);
        }

        bool right;
        try
        {
            right = await hash.VerifyAsync(password ?? "", person?.PasswordHash, cancellationToken, place);
        }
        catch (OperationCanceledException)
        {
            // Nobody looked at the password: it counts as neither right nor wrong.
            if (!repeated) await failures.ReturnAsync(account, Throttle.Password, CancellationToken.None);
            if (source is not null) await failures.ReturnAsync(source, Throttle.PasswordSource, CancellationToken.None);
            throw;
        }

        if (right && password is not null && person is { State: PersonState.Active })
        {
            if (PasswordHash.IsOutdated(person.PasswordHash!)) person.SetPassword(await hash.HashAsync(password, cancellationToken));
            db.Record(SecurityEvent.PasswordVerified, person.Id, null, http, clock.GetUtcNow());
            return new PasswordVerdict(person) { TakeBack = TakeBackAsync };
        }

        await failures.RememberAsync(account, mark, cancellationToken);
        log.PasswordRejected(person?.Id);
        db.Record(SecurityEvent.PasswordRejected, person?.Id, null, http, clock.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return new PasswordVerdict();

        async Task TakeBackAsync(CancellationToken token)
        {
            await failures.ClearAsync(account, token);
            if (source is not null) await failures.ReturnAsync(source, Throttle.PasswordSource, token);
        }
    }

    /// <summary>
    /// Saves that the password was right, and what the caller has changed because of it, and takes back what the try was counted as: one transaction. False: another save was first, and
    /// the counts stay as they are.
    /// </summary>
    /// <param name="verdict">With a person.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    public Task<bool> SaveAsync(PasswordVerdict verdict, CancellationToken cancellationToken) => db.InTransactionAsync(
        async () =>
        {
            // The counts last: a source is shared by many, and its row is held until the commit.
            if (!await db.TrySaveAsync(cancellationToken)) return false;
            await verdict.TakeBack!(cancellationToken);
            return true;
        },
        cancellationToken);

    /// <summary>Under which tries from one source are counted, whoever is tried.</summary>
    public static string SourceKey(HttpContext http) => $"password:source:{http.Source()}";
}
