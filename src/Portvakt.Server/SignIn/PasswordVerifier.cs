using System.Globalization;
using Microsoft.EntityFrameworkCore;
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
public sealed class PasswordVerifier(PortvaktDb db, PasswordHash hash, Vault vault, TimeProvider clock, ILogger<PasswordVerifier> log)
{
    /// <exception cref="TooManyHashesException">The queue is full.</exception>
    public async Task<PasswordVerdict> VerifyAsync(HttpContext http, string typedName, string typedPassword)
    {
        var cancellationToken = http.RequestAborted;
        var known = UserName.TryParse(typedName, out var userName);
        var name = known ? userName!.Value.Value : "?";
        var person = known ? await db.People.SingleOrDefaultAsync(row => row.UserName == name, cancellationToken) : null;
        var browser = BrowserCookie.Hash(http);
        var familiar = person is not null && browser is not null && await db.FamiliarBrowsers.AnyAsync(row => row.PersonId == person.Id && row.BrowserHash == browser, cancellationToken);

        // A familiar browser has a count of its own, so strangers never fill it.
        var account = familiar ? $"password:familiar:{name}:{Convert.ToHexString(browser!)}" : $"password:unfamiliar:{name}";
        var source = familiar ? null : $"password:source:{http.Source()}";
        var password = typedPassword.Length <= PasswordRules.MaximumLength ? PasswordRules.Normalise(typedPassword) : null;
        var mark = vault.Hash("wrong-password", $"{name}\0{password}");

        var failures = new FailureCounter(db, clock);
        var repeated = await failures.IsRepeatAsync(account, mark, cancellationToken);
        var wait = repeated ? await failures.BlockedForAsync(account, cancellationToken) : await failures.RaiseAsync(account, Throttle.Password, cancellationToken);
        if (wait is null && source is not null && !repeated) wait = await failures.RaiseAsync(source, Throttle.PasswordSource, cancellationToken);
        if (wait is { } pause)
        {
            log.Throttled(pause.TotalSeconds);
            db.Record(SecurityEvent.SignInThrottled, person?.Id, null, http, clock.GetUtcNow());
            await db.SaveChangesAsync(cancellationToken);
            return new PasswordVerdict(null, pause);
        }

        var right = await hash.VerifyAsync(password ?? "", person?.PasswordHash, cancellationToken);
        if (right && password is not null && person is { State: PersonState.Active })
        {
            await failures.ClearAsync(account, cancellationToken);
            if (source is not null && !repeated) await failures.ReturnAsync(source, cancellationToken);
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

    /// <summary>Whole seconds for a <c>Retry-After</c> header.</summary>
    public static string RetryAfter(TimeSpan wait) => ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
}
