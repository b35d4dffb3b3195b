using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;

namespace Portvakt.Server.Data;

/// <summary>What was taken away.</summary>
/// <param name="What">As the audit log and the owner's mail say it.</param>
/// <param name="Kinds">What it proved: sessions that came of it end.</param>
/// <param name="Name">As its owner knows it.</param>
public sealed record TakenMethod(SecurityEvent What, Methods Kinds, string Name);

/// <summary>
/// Everything one person can prove more with than a password, row by row: what security info and the helpdesk show, rename and take away, and the one place that
/// says what is left without it.
/// </summary>
public sealed class PersonMethods
{
    private readonly PortvaktDb _db;

    private PersonMethods(PortvaktDb db) => _db = db;

    /// <summary>With our app; those that wait for their test too.</summary>
    public required List<PhoneAuthenticator> Phones { get; init; }

    /// <summary>Code generators: of our app (they go with their phone), of other apps, and of plastic. Those of plastic that wait are none yet.</summary>
    public required List<TotpAuthenticator> Totps { get; init; }

    /// <summary>Code generators of plastic that were handed to the person and wait for their first code. Nothing is proven with them, so nothing is taken away with them.</summary>
    public required List<TotpAuthenticator> WaitingTokens { get; init; }

    public required List<Passkey> Passkeys { get; init; }
    public required List<TelephoneNumber> Telephones { get; init; }
    public required int RecoveryCodesLeft { get; init; }

    /// <summary>Code generators that are methods of their own.</summary>
    public IEnumerable<TotpAuthenticator> Generators => Totps.Where(totp => totp is { PhoneId: null, State: AuthenticatorState.Active });

    public static async Task<PersonMethods> LoadAsync(PortvaktDb db, Guid personId, CancellationToken cancellationToken)
    {
        var totps = await db.Totps.Where(row => row.PersonId == personId && row.State != AuthenticatorState.Revoked).OrderBy(row => row.CreatedAt).ToListAsync(cancellationToken);
        return new(db)
        {
            Phones = await db.Phones.Where(row => row.PersonId == personId && row.State != AuthenticatorState.Revoked).OrderBy(row => row.CreatedAt).ToListAsync(cancellationToken),
            Totps = totps.FindAll(row => !row.IsWaiting),
            WaitingTokens = totps.FindAll(row => row.IsWaiting),
            Passkeys = await db.Passkeys.Where(row => row.PersonId == personId).OrderBy(row => row.CreatedAt).ToListAsync(cancellationToken),
            Telephones = await db.TelephoneNumbers.Where(row => row.PersonId == personId && row.State == AuthenticatorState.Active).OrderBy(row => row.CreatedAt).ToListAsync(cancellationToken),
            RecoveryCodesLeft = await db.RecoveryCodes.CountAsync(row => row.PersonId == personId && row.UsedAt == null, cancellationToken),
        };
    }

    /// <summary>What is held, as the rules see it, apart from one.</summary>
    public Methods HeldWithout(Guid? id) => Together(id, phone => phone.State is AuthenticatorState.Active);

    /// <summary>What opens a sign-in in fact, apart from one: a phone that its owner has removed in the app is held, and opens nothing.</summary>
    public Methods WorkingWithout(Guid? id) => Together(id, phone => phone is { State: AuthenticatorState.Active, CanBeAsked: true });

    /// <summary>Takes one away, and a phone's own codes with it; the caller saves. Null: the person has no such thing, so another's id is no id at all (R47).</summary>
    public TakenMethod? Take(Guid id)
    {
        if (Phones.Find(row => row.Id == id) is { } phone)
        {
            phone.Revoke();
            foreach (var totp in Totps.Where(row => row.PhoneId == id)) totp.Revoke();
            return new TakenMethod(SecurityEvent.PhoneRemoved, Methods.App | Methods.Code, phone.Name);
        }

        if (Totps.Find(row => row.Id == id && row.PhoneId is null) is { } generator)
        {
            generator.Revoke();
            return generator.SerialNumber is { } serial
                ? new TakenMethod(SecurityEvent.TokenRemoved, Methods.Token, generator.Name ?? serial)
                : new TakenMethod(SecurityEvent.TotpRemoved, Methods.Code, generator.Name ?? "");
        }

        if (Passkeys.Find(row => row.Id == id) is { } passkey)
        {
            _db.Passkeys.Remove(passkey);
            return new TakenMethod(SecurityEvent.PasskeyRemoved, Methods.Passkey, passkey.Name);
        }

        if (Telephones.Find(row => row.Id == id) is not { } telephone) return null;
        telephone.Revoke();
        return new TakenMethod(SecurityEvent.TelephoneRemoved, MethodOrder.Telephone, TelephoneNumber.Masked(telephone.Number));
    }

    /// <summary>Everything goes, paper too; the caller saves.</summary>
    public async Task TakeAllAsync(Guid personId, CancellationToken cancellationToken)
    {
        foreach (var id in (List<Guid>)[.. Phones.Select(row => row.Id), .. Totps.Where(row => row.PhoneId is null).Select(row => row.Id), .. Passkeys.Select(row => row.Id), .. Telephones.Select(row => row.Id)]) Take(id);
        await TakeRecoveryCodesAsync(personId, cancellationToken);
    }

    public async Task TakeRecoveryCodesAsync(Guid personId, CancellationToken cancellationToken) =>
        _db.RecoveryCodes.RemoveRange(await _db.RecoveryCodes.Where(row => row.PersonId == personId).ToListAsync(cancellationToken));

    /// <summary>The owner's own name for it; the caller saves. False: there is no such thing, or it is called by its number.</summary>
    public bool Rename(Guid id, string name)
    {
        if (Phones.Find(row => row.Id == id) is { } phone) phone.Name = name;
        else if (Totps.Find(row => row.Id == id && row.PhoneId is null) is { } generator) generator.Name = name;
        else if (Passkeys.Find(row => row.Id == id) is { } passkey) passkey.Name = name;
        else return false;
        return true;
    }

    /// <summary>Whoever is half way into the account begins again: what was just taken away may have been proven there. Within a transaction of the caller.</summary>
    public static Task AbandonAttemptsAsync(PortvaktDb db, Guid personId, DateTimeOffset now) =>
        db.SignInAttempts.Where(row => row.PersonId == personId && row.FinishedAt == null && row.ExpiresAt > now)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.ExpiresAt, now).SetProperty(row => row.Version, row => row.Version + 1), CancellationToken.None);

    /// <summary>
    /// As above, for all but one: those with the second factor proven, or approved on a phone and not fetched yet; <paramref name="passwordToo"/>: those with the password
    /// alone, too. Bumps the version, so one that is being saved in this moment loses. Within a transaction of the caller.
    /// </summary>
    public static Task AbandonOthersAsync(PortvaktDb db, Guid personId, string? attemptId, bool passwordToo, DateTimeOffset now) =>
        db.SignInAttempts.Where(row => row.PersonId == personId && row.FinishedAt == null && row.ExpiresAt > now && row.Id != attemptId)
            .Where(row => passwordToo || row.SecondFactorVerifiedAt != null || db.Approvals.Any(request => request.AttemptId == row.Id && request.State == ApprovalState.Approved))
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.ExpiresAt, now).SetProperty(row => row.Version, row => row.Version + 1), CancellationToken.None);

    private Methods Together(Guid? without, Func<PhoneAuthenticator, bool> counts)
    {
        var phones = Phones.Where(row => row.Id != without && counts(row)).Select(row => row.Id).ToHashSet();
        var codes = Totps.Where(row => row.Id != without && row.State is AuthenticatorState.Active && (row.PhoneId is not { } phone || phones.Contains(phone))).ToList();
        var telephones = Telephones.Where(row => row.Id != without && row.State is AuthenticatorState.Active).ToList();
        return Holding.Together(
            phones.Count > 0, codes.Exists(row => row.SerialNumber is null), codes.Exists(row => row.SerialNumber is not null), Passkeys.Exists(row => row.Id != without),
            telephones.Exists(row => row.Kind is TelephoneKind.Mobile), telephones.Exists(row => row.Kind is TelephoneKind.Office), RecoveryCodesLeft > 0);
    }
}
