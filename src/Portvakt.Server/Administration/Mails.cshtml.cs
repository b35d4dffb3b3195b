using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Data;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Administration;

/// <summary>The outbox: what was written to whom, what became of it, and once more where nobody knows or it failed.</summary>
public sealed class MailsModel(Reception reception, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.ManageMail)
{
    private const int AtOnce = 50;

    [BindProperty(SupportsGet = true)]
    public MailState? State { get; set; }

    /// <summary>Part of an address.</summary>
    [BindProperty(SupportsGet = true)]
    public string? To { get; set; }

    /// <summary>How many newer ones were seen already.</summary>
    [BindProperty(SupportsGet = true)]
    public int Skip { get; set; }

    /// <summary>The one that is read.</summary>
    [BindProperty(SupportsGet = true)]
    public Guid? Id { get; set; }

    public IReadOnlyList<Mail> Mails { get; private set; } = [];
    public IReadOnlyDictionary<MailState, int> Counts { get; private set; } = new Dictionary<MailState, int>();
    public Mail? Shown { get; private set; }
    public bool HasMore { get; private set; }

    public async Task<IActionResult> OnGetAsync()
    {
        // A mail has no unit: nobody's who has a part of the organisation only.
        if (!Desk.AllowsEverywhere(Act.ManageMail)) return StatusCode(StatusCodes.Status403Forbidden);
        if (Id is { } id)
        {
            Shown = await Db.Mails.AsNoTracking().SingleOrDefaultAsync(mail => mail.Id == id, Aborted);
            return Shown is null ? NotFound() : Page();
        }

        Counts = await Db.Mails.GroupBy(mail => mail.State).Select(group => new { group.Key, Count = group.Count() }).ToDictionaryAsync(group => group.Key, group => group.Count, Aborted);
        var wanted = Db.Mails.AsNoTracking();
        if (State is { } state) wanted = wanted.Where(mail => mail.State == state);
        if (To?.Trim() is { Length: > 0 } to) wanted = wanted.Where(mail => mail.Recipient.Contains(to));
        var found = await wanted.OrderByDescending(mail => mail.Id).Skip(Math.Max(0, Skip)).Take(AtOnce + 1).ToListAsync(Aborted); // the id is made of the time
        (Mails, HasMore) = ([.. found.Take(AtOnce)], found.Count > AtOnce);
        return Page();
    }

    public async Task<IActionResult> OnPostAsync()
    {
        if (!Desk.AllowsEverywhere(Act.ManageMail)) return StatusCode(StatusCodes.Status403Forbidden);
        if (Id is not { } id || await Db.Mails.SingleOrDefaultAsync(mail => mail.Id == id, Aborted) is not { } mail) return NotFound();
        var path = $"/administration/mails?id={id}";
        if (!Outbox.SendAgain(mail, Now)) return Done(admin["MailNotAgain"], path);
        Record(SecurityEvent.MailSentAgain, mail.PersonId, mail.Id.ToString("N"));
        return Done(admin[await Db.TrySaveAsync(Aborted) ? "MailAgain" : "MailNotAgain"], path);
    }

    public string Time(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, Rules.Zone).ToString("g", System.Globalization.CultureInfo.CurrentCulture);

    /// <summary>The address of this list with another place in it.</summary>
    public string Link(MailState? state, int skip) =>
        "/administration/mails" + QueryString.Create(new Dictionary<string, string?>(StringComparer.Ordinal) { ["state"] = state?.ToString(), ["to"] = To, ["skip"] = skip > 0 ? skip.ToString(System.Globalization.CultureInfo.InvariantCulture) : null }.Where(pair => !string.IsNullOrEmpty(pair.Value)));
}
