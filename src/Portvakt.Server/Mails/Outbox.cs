using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Mails;

/// <summary>Adds mails to the context that saves what they tell of: both are written or neither. <see cref="MailSender"/> sends them later.</summary>
public sealed class Outbox(PortvaktDb db, MailComposer composer, Notices notices, IOptions<PortvaktSettings> settings)
{
    public string LanguageOf(Person person) => Localisation.IsKnown(person.Language) ? person.Language! : settings.Value.DefaultLanguage;

    /// <summary>A mail to a person, in the person's language; a person without an address gets none.</summary>
    /// <param name="kind">Which mail.</param>
    /// <param name="person">To whom.</param>
    /// <param name="link">Path at our own address, for instance <c>/account</c>.</param>
    /// <param name="values">Values of the placeholders besides name and link.</param>
    /// <param name="onceKey">What may be told once only; see <see cref="Mail.OnceKey"/>.</param>
    /// <param name="now">The instant.</param>
    /// <param name="cancellationToken">Stops the reading of own words.</param>
    public Task EnqueueAsync(MailKind kind, Person person, string link, Dictionary<string, string> values, string? onceKey, DateTimeOffset now, CancellationToken cancellationToken) =>
        AddAsync(kind, person, person.Email, LanguageOf(person), link, values, onceKey, now, cancellationToken);

    /// <summary>R37: whoever's account it is hears of it. One line beside <c>db.Record</c>.</summary>
    /// <param name="what">What happened.</param>
    /// <param name="person">To whom.</param>
    /// <param name="http">The person's own request; null when administration did it.</param>
    /// <param name="now">The instant.</param>
    /// <param name="cancellationToken">Stops the reading of own words.</param>
    /// <param name="phoneId">The phone that it happened to: the others are told by push as well, once it is saved.</param>
    /// <exception cref="ArgumentOutOfRangeException">Nothing that is told.</exception>
    public Task TellAsync(SecurityEvent what, Person person, HttpContext? http, DateTimeOffset now, CancellationToken cancellationToken, Guid? phoneId = null)
    {
        var kind = what switch
        {
            SecurityEvent.PhoneActivated or SecurityEvent.TotpActivated or SecurityEvent.PasskeyAdded or SecurityEvent.TelephoneAdded or SecurityEvent.TokenActivated => MailKind.MethodAdded,
            SecurityEvent.PhoneRemoved or SecurityEvent.FactorsRemoved or SecurityEvent.TotpRemoved or SecurityEvent.PasskeyRemoved or SecurityEvent.TelephoneRemoved or SecurityEvent.TokenRemoved => MailKind.MethodRemoved,
            SecurityEvent.PassIssued => MailKind.PassIssued,
            SecurityEvent.RecoveryCodesIssued or SecurityEvent.RecoveryCodeUsed or SecurityEvent.PassUsed or SecurityEvent.PasswordChanged
                or SecurityEvent.TwoFactorActivated or SecurityEvent.SignedOutEverywhere or SecurityEvent.MethodRenamed or SecurityEvent.PreferredMethodChanged
                or SecurityEvent.TokenAssigned or SecurityEvent.TokenTakenBack or SecurityEvent.RecoveryCodesLow or SecurityEvent.CodesPaused or SecurityEvent.CodesSwitchedOff
                or SecurityEvent.PhoneBoundAnew or SecurityEvent.PhoneMoved or SecurityEvent.MoveRefused or SecurityEvent.BindingCodeUsedTwice => MailKind.AccountChanged,
            _ => throw new ArgumentOutOfRangeException(nameof(what), what, "Nobody is told of this."),
        };
        var language = LanguageOf(person);
        var values = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["time"] = composer.Time(now, language),
            ["place"] = http is null ? MailWords.Of("Helpdesk", language) : Place(http.Browser(), http.CoarseAddress(), language),
        };
        if (kind is not MailKind.PassIssued) values["what"] = MailWords.Of(what.ToString(), language);

        // Not what the person does with the phone in hand: recovery codes at the end of an enrolment, activation, signing out everywhere.
        if (what is not (SecurityEvent.RecoveryCodesIssued or SecurityEvent.TwoFactorActivated or SecurityEvent.SignedOutEverywhere)) WhenSaved(new Notice(person.Id, phoneId, MailWords.Of("PushNotice", language), language));
        return EnqueueAsync(kind, person, "/account", values, onceKey: null, now, cancellationToken);
    }

    /// <summary>As above, for whoever holds only the id.</summary>
    /// <param name="what">What happened.</param>
    /// <param name="personId">To whom.</param>
    /// <param name="http">The person's own request; null when administration did it.</param>
    /// <param name="now">The instant.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <param name="phoneId">The phone that it happened to.</param>
    public async Task TellAsync(SecurityEvent what, Guid personId, HttpContext? http, DateTimeOffset now, CancellationToken cancellationToken, Guid? phoneId = null) =>
        await TellAsync(what, await db.People.AsNoTracking().SingleAsync(row => row.Id == personId, cancellationToken), http, now, cancellationToken, phoneId);

    /// <summary>R18: the person is told what to do, and the helpdesk that there is a case.</summary>
    public async Task TellOfCaseAsync(HelpdeskCase opened, Person person, CancellationToken cancellationToken)
    {
        await EnqueueAsync(MailKind.NotMe, person, "/account", Values(LanguageOf(person)), $"not-me:{opened.Id:N}", opened.OpenedAt, cancellationToken);
        var common = settings.Value.DefaultLanguage;
        await AddAsync(MailKind.NotMeAlert, person, settings.Value.HelpdeskMail, common, "/administration/cases", Values(common), AlertOf(opened.Id), opened.OpenedAt, cancellationToken);

        Dictionary<string, string> Values(string language) => new(StringComparer.Ordinal)
        {
            ["application"] = opened.Application ?? settings.Value.Organisation,
            ["time"] = composer.Time(opened.OpenedAt, language),
            ["place"] = Place(opened.Browser, opened.Address, language),
        };
    }

    /// <summary>R45: whoever answers for the organisation hears at once that an account for the worst day was used: by mail, and administrators on their phones too.</summary>
    public async Task AlarmAsync(Person account, HttpContext http, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var administrators = await db.People.AsNoTracking()
            .Where(row => row.Id != account.Id && row.State == PersonState.Active && db.RoleAssignments.Any(role => role.PersonId == row.Id && role.Role == Role.Administrator)).ToListAsync(cancellationToken);
        foreach (var (address, language) in administrators.Select(person => (person.Email, LanguageOf(person))).Prepend((settings.Value.HelpdeskMail, settings.Value.DefaultLanguage)).DistinctBy(to => to.Item1, StringComparer.OrdinalIgnoreCase))
        {
            var values = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["time"] = composer.Time(now, language),
                ["place"] = Place(http.Browser(), http.CoarseAddress(), language),
            };
            await AddAsync(MailKind.BreakGlassAlarm, account, address, language, $"/administration/audit?person={Uri.EscapeDataString(account.UserName)}", values, $"{AlarmsOf(account.Id)}{Guid.CreateVersion7(now):N}", now, cancellationToken);
        }

        foreach (var person in administrators) WhenSaved(new Notice(person.Id, null, MailWords.Of("PushAlarm", LanguageOf(person)), LanguageOf(person)));
    }

    /// <summary>A person's mails, and those to others that name the person: whom an alert or an alarm is about stands in its key alone (R92). Before the cases go.</summary>
    public static async Task EraseAsync(PortvaktDb db, Guid personId, CancellationToken cancellationToken)
    {
        var alerts = (await db.Cases.Where(row => row.PersonId == personId).Select(row => row.Id).ToListAsync(cancellationToken)).ConvertAll(AlertOf);
        var alarms = AlarmsOf(personId);
        await db.Mails.Where(row => row.PersonId == personId || alerts.Contains(row.OnceKey!) || row.OnceKey!.StartsWith(alarms)).ExecuteDeleteAsync(cancellationToken);
    }

    private static string AlertOf(Guid caseId) => $"not-me-alert:{caseId:N}";

    private static string AlarmsOf(Guid personId) => $"break-glass:{personId:N}:";

    /// <summary>Once more, because somebody pressed the button. False: it waits, is being sent or was sent.</summary>
    public static bool SendAgain(Mail mail, DateTimeOffset now)
    {
        if (mail.State is not (MailState.Uncertain or MailState.GivenUp)) return false;
        (mail.State, mail.NextTryAt, mail.Tries) = (MailState.Waiting, now, 0);
        return true;
    }

    /// <summary>Nobody is told of what another save was faster than.</summary>
    private void WhenSaved(Notice notice)
    {
        db.SavedChanges += Saved;
        db.SaveChangesFailed += Failed;

        void Saved(object? sender, SavedChangesEventArgs outcome)
        {
            Forget();
            notices.Add(notice);
        }

        void Failed(object? sender, SaveChangesFailedEventArgs outcome) => Forget();

        void Forget()
        {
            db.SavedChanges -= Saved;
            db.SaveChangesFailed -= Failed;
        }
    }

    private async Task AddAsync(
        MailKind kind, Person about, string? recipient, string language, string link, Dictionary<string, string> values, string? onceKey, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(recipient)) return;
        (values["name"], values["link"]) = (about.DisplayName, settings.Value.Origin + link);
        var words = await composer.ComposeAsync(kind, language, values, cancellationToken);
        db.Mails.Add(new Mail
        {
            Id = Guid.CreateVersion7(now),
            PersonId = kind is MailKind.NotMeAlert or MailKind.BreakGlassAlarm ? null : about.Id,
            Recipient = recipient.Trim(),
            Kind = kind.ToString(),
            Language = language,
            Subject = words.Subject,
            Text = words.Text,
            OnceKey = onceKey,
            CreatedAt = now,
            NextTryAt = now,
        });
    }

    private static string Place(string? browser, string? address, string language) =>
        string.Join(", ", ((string?[])[browser is "?" ? null : browser, address]).OfType<string>()) is { Length: > 0 } place ? place : MailWords.Of("UnknownPlace", language);
}
