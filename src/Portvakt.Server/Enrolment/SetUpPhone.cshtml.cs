using System.Text;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Enrolment;

public enum SetUpStage
{
    Waiting,
    Connected,
    Ready,
    UsedTwice,
    Expired,

    /// <summary>As many phones as policy allows are in use (R39).</summary>
    TooMany,
}

/// <summary>P5: the picture, the same code to type, and how far the phone has come. "Next" opens when the phone is ready.</summary>
public sealed class SetUpPhoneModel(SignInJourney journey, PortvaktDb db, Lookups lookups, Vault vault, TimeProvider clock, IOptions<PortvaktSettings> settings)
    : AttemptPage(journey, SignInStep.SetUpPhone)
{
    private const string Column = "binding_codes.codes";

    public SetUpStage Stage { get; private set; }

    /// <summary>For typing, in groups; null when there is nothing to scan any more.</summary>
    public string? Code { get; private set; }

    public string? QrText { get; private set; }
    public string? PhoneName { get; private set; }

    /// <summary>How long the code still works; told as time left, because the server does not know the person's time zone.</summary>
    public int SecondsLeft { get; private set; }
    public string State { get; private set; } = "";
    public bool NotYet { get; private set; }
    public string AppAddress => $"{settings.Value.PublicUri.Authority}/phone";

    public int MaximumPhones => Standing.Ruling!.Policy.MaximumPhones;

    public async Task OnGetAsync()
    {
        if (await IsFullAsync()) return;

        // A reload shows the same picture while it lives (R101): a new one would kill the one just scanned.
        var binding = await LatestAsync() ?? await IssueAsync();
        await ShowAsync(binding);
    }

    public async Task<IActionResult> OnPostAsync()
    {
        if (await IsFullAsync()) return Again(StatusCodes.Status409Conflict);
        var binding = await LatestAsync() ?? await IssueAsync();
        if (binding.State is BindingState.Bound)
        {
            Current.BeginTest(clock.GetUtcNow());
            return await ContinueAsync();
        }

        NotYet = binding.IsOpen(clock.GetUtcNow());
        await ShowAsync(binding);
        return Again(StatusCodes.Status409Conflict);
    }

    public async Task<IActionResult> OnPostRenewAsync()
    {
        if (await GiveUpAsync() && !await IsFullAsync()) await IssueAsync();
        return Reload();
    }

    public async Task<IActionResult> OnPostOtherAsync()
    {
        if (!await GiveUpAsync()) return Reload();
        Current.ChooseAgain(clock.GetUtcNow());
        return await ContinueAsync();
    }

    private async Task<bool> IsFullAsync()
    {
        if (!await PhoneBindingEndpoint.HasAllPhonesAsync(db, Standing.Ruling!, null, HttpContext.RequestAborted)) return false;
        Stage = SetUpStage.TooMany;
        State = await WaitEndpoint.StateOfAsync(db, lookups, Current, clock.GetUtcNow(), HttpContext.RequestAborted);
        return true;
    }

    private Task<BindingCode?> LatestAsync() =>
        db.BindingCodes.Where(row => row.AttemptId == AttemptId && row.State != BindingState.Replaced).OrderByDescending(row => row.CreatedAt).FirstOrDefaultAsync(HttpContext.RequestAborted);

    /// <summary>What was half set up counts for nothing: the code is void, its phone too.</summary>
    private async Task<bool> GiveUpAsync()
    {
        foreach (var old in await db.BindingCodes.Where(row => row.AttemptId == AttemptId).ToListAsync(HttpContext.RequestAborted))
        {
            if (old.State is BindingState.Confirmed) continue;
            old.Replace();
            if (old.PhoneId is { } phoneId) await PhoneBindingEndpoint.RevokeAsync(db, phoneId, HttpContext.RequestAborted);
        }

        return await db.TrySaveAsync(HttpContext.RequestAborted);
    }

    private async Task<BindingCode> IssueAsync()
    {
        var now = clock.GetUtcNow();
        var (code, typed) = (Base32.Random(BindingCode.Length), Base32.Random(BindingCode.TypedLength));
        var binding = new BindingCode(AttemptId, Standing.Person!.Id, code, typed, now);
        binding.SealedCodes = vault.Seal(Encoding.ASCII.GetBytes($"{code}.{typed}"), Column, binding.Id.ToString("N"));
        db.BindingCodes.Add(binding);
        db.Record(SecurityEvent.BindingCodeIssued, binding.PersonId, binding.Id.ToString("N"), HttpContext, now);
        await db.SaveChangesAsync(HttpContext.RequestAborted);
        return binding;
    }

    private async Task ShowAsync(BindingCode binding)
    {
        var now = clock.GetUtcNow();
        Stage = binding.State switch
        {
            BindingState.Bound => SetUpStage.Ready,
            BindingState.UsedTwice => SetUpStage.UsedTwice,
            _ when now >= binding.ExpiresAt => SetUpStage.Expired,
            BindingState.Claimed => SetUpStage.Connected,
            _ => SetUpStage.Waiting,
        };
        if (Stage is SetUpStage.Waiting or SetUpStage.Connected)
        {
            var codes = Encoding.ASCII.GetString(vault.Open(binding.SealedCodes, Column, binding.Id.ToString("N"))).Split('.');

            // Upper case throughout keeps the QR code in alphanumeric mode: small, and readable in bad light.
            QrText = $"{settings.Value.Origin}/e/{codes[0]}".ToUpperInvariant();
            Code = $"{codes[1][..4]}-{codes[1][4..8]}-{codes[1][8..]}";
            SecondsLeft = (int)Math.Ceiling((binding.ExpiresAt - now).TotalSeconds);
        }

        if (binding.PhoneId is { } phoneId) PhoneName = await db.Phones.Where(row => row.Id == phoneId).Select(row => row.Name).SingleOrDefaultAsync(HttpContext.RequestAborted);
        State = await WaitEndpoint.StateOfAsync(db, lookups, Current, now, HttpContext.RequestAborted);
    }
}
