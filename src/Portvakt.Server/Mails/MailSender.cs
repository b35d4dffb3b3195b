using System.Net.Sockets;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Server.Branding;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Mails;

/// <summary>
/// Hands the outbox to the mail server (RFC 5321), one mail after the other over one connection. Each is claimed in the database before it is handed over:
/// another server leaves it alone, and if this one dies in between nobody sends it a second time by itself.
/// </summary>
public sealed class MailSender(IServiceScopeFactory scopes, IOptions<PortvaktSettings> settings, HouseStyle style, TimeProvider clock, ILogger<MailSender> log) : BackgroundService
{
    /// <summary>Handing over takes seconds; a claim older than this belongs to a program that is no more.</summary>
    public static readonly TimeSpan Claim = TimeSpan.FromMinutes(10);

    /// <summary>Nobody wants news that has waited for so long.</summary>
    public static readonly TimeSpan GiveUpAfter = TimeSpan.FromDays(2);

    private const int AtOnce = 50;
    private static readonly TimeSpan Rhythm = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1), TimeSpan.FromHours(3), TimeSpan.FromHours(6)];

    /// <summary>The pauses up to the thirteenth try come to two days.</summary>
    private const int MostTries = 13;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.Value.Smtp is not { Length: > 0 }) return; // they wait, and administration shows them
        while (true)
        {
            await Task.Delay(Rhythm, clock, stoppingToken);
            try
            {
                while (await SendDueAsync(stoppingToken) is AtOnce)
                {
                    // A full batch was sent: there is more.
                }
            }
#pragma warning disable CA1031 // a database that is away for a minute must not end the sending; it is logged and tried again
            catch (Exception problem) when (problem is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                log.MailFailed(problem);
            }
        }
    }

    /// <summary>Sends what is due, at most fifty, and says how many the mail server took.</summary>
    public async Task<int> SendDueAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        var now = clock.GetUtcNow();
        await LookAfterOldOnesAsync(db, now, cancellationToken);
        var due = await db.Mails.AsNoTracking().Where(mail => mail.State == MailState.Waiting && mail.NextTryAt <= now).OrderBy(mail => mail.NextTryAt).ThenBy(mail => mail.Id).Take(AtOnce).ToListAsync(cancellationToken);
        if (due.Count is 0) return 0;

        using var client = new SmtpClient();
        client.CheckCertificateRevocation = false; // as the rest of the server: an organisation's own authority has no list that could be asked from here
        if (await ConnectAsync(client, cancellationToken) is { } away)
        {
            log.MailServerAway(away.GetType().Name);
            foreach (var mail in due)
            {
                if (await ClaimAsync(db, mail, cancellationToken)) await TryLaterAsync(db, mail, OneLine(away.Message), 0);
            }

            return 0;
        }

        var taken = 0;
        foreach (var mail in due)
        {
            if (cancellationToken.IsCancellationRequested || !client.IsConnected) break;
            if (!await ClaimAsync(db, mail, cancellationToken)) continue;
            if (await HandOverAsync(db, client, mail)) taken++;
        }

        if (client.IsConnected)
        {
            try
            {
                await client.DisconnectAsync(quit: true, CancellationToken.None);
            }
            catch (Exception problem) when (IsOfTheWire(problem))
            {
                // Everything was said; who hangs up first does not matter.
            }
        }

        return taken;
    }

    private async Task LookAfterOldOnesAsync(PortvaktDb db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var uncertain = await db.Mails.Where(mail => mail.State == MailState.Sending && mail.NextTryAt <= now).ExecuteUpdateAsync(
            set => set.SetProperty(mail => mail.State, MailState.Uncertain).SetProperty(mail => mail.Problem, "The program ended while the mail server was taking it.").SetProperty(mail => mail.Version, mail => mail.Version + 1),
            cancellationToken);
        if (uncertain > 0) log.MailsUncertain(uncertain);

        // Written while no mail server was named, and now one is: old news is not sent by the thousand.
        await db.Mails.Where(mail => mail.State == MailState.Waiting && mail.NextTryAt <= now - GiveUpAfter).ExecuteUpdateAsync(
            set => set.SetProperty(mail => mail.State, MailState.GivenUp).SetProperty(mail => mail.Problem, "It has waited for two days without a mail server.").SetProperty(mail => mail.Version, mail => mail.Version + 1),
            cancellationToken);
    }

    /// <summary>Null: connected. Without TLS no password is sent, except to this machine.</summary>
    private async Task<Exception?> ConnectAsync(SmtpClient client, CancellationToken cancellationToken)
    {
        var server = new Uri(settings.Value.Smtp!);
        var credentials = server.UserInfo.Split(':', 2) is [{ Length: > 0 } user, var password] ? (User: Uri.UnescapeDataString(user), Password: Uri.UnescapeDataString(password)) : default;
        var wraps = server.Scheme is "smtps";
        var port = server.Port > 0 ? server.Port : wraps ? 465 : credentials.User is null ? 25 : 587;
        var security = wraps ? SecureSocketOptions.SslOnConnect : credentials.User is not null && !server.IsLoopback ? SecureSocketOptions.StartTls : SecureSocketOptions.StartTlsWhenAvailable;
        try
        {
            await client.ConnectAsync(server.DnsSafeHost, port, security, cancellationToken);
            if (credentials.User is not null) await client.AuthenticateAsync(credentials.User, credentials.Password, cancellationToken);
            return null;
        }
        catch (Exception problem) when (IsOfTheWire(problem) || problem is MailKit.Security.AuthenticationException or SmtpCommandException or SslHandshakeException or NotSupportedException)
        {
            return problem;
        }
    }

    /// <summary>One conditional UPDATE: of two servers one gets it.</summary>
    private async Task<bool> ClaimAsync(PortvaktDb db, Mail mail, CancellationToken cancellationToken)
    {
        mail.Tries++;
        var until = clock.GetUtcNow() + Claim;
        return await db.Mails.Where(row => row.Id == mail.Id && row.State == MailState.Waiting && row.Version == mail.Version).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.State, MailState.Sending).SetProperty(row => row.NextTryAt, until).SetProperty(row => row.Tries, mail.Tries).SetProperty(row => row.Version, row => row.Version + 1),
            cancellationToken) is 1;
    }

    private async Task<bool> HandOverAsync(PortvaktDb db, SmtpClient client, Mail mail)
    {
        if (!PortvaktSettings.IsMailAddress(mail.Recipient))
        {
            await GiveUpAsync(db, mail, "The address is none.", 0);
            return false;
        }

        using var message = Letter.Of(mail, settings.Value, style.Current);
        var progress = new Progress();
        try
        {
            // Not stopped half-way when the program ends in an orderly way: then nobody would know whether it was taken.
            await client.SendAsync(message, CancellationToken.None, progress);
        }
        catch (SmtpCommandException refused)
        {
            // 5yz on the recipient or the message is the last word (RFC 5321 section 4.2.1); on the sender it is our own setting, which somebody will mend.
            if ((int)refused.StatusCode >= 500 && refused.ErrorCode is SmtpErrorCode.RecipientNotAccepted or SmtpErrorCode.MessageNotAccepted) await GiveUpAsync(db, mail, Told(refused), (int)refused.StatusCode);
            else await TryLaterAsync(db, mail, Told(refused), (int)refused.StatusCode);
            return false;
        }
        catch (NotSupportedException problem)
        {
            await GiveUpAsync(db, mail, OneLine(problem.Message), 0); // an address with letters that this mail server cannot take (RFC 6531)
            return false;
        }
        catch (Exception problem) when (IsOfTheWire(problem))
        {
            // Gone before the first byte of the text: surely not taken. Gone after it: perhaps.
            if (!progress.HasBegun) await TryLaterAsync(db, mail, OneLine(problem.Message), 0);
            else
            {
                await SetAsync(db, mail, MailState.Uncertain, null, "The connection ended while the mail server was taking it.");
                log.MailsUncertain(1);
            }

            return false;
        }

        var sentAt = clock.GetUtcNow();
        await db.Mails.Where(row => row.Id == mail.Id && row.State != MailState.Sent).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.State, MailState.Sent).SetProperty(row => row.SentAt, sentAt).SetProperty(row => row.Problem, (string?)null).SetProperty(row => row.Version, row => row.Version + 1),
            CancellationToken.None);
        return true;
    }

    private async Task TryLaterAsync(PortvaktDb db, Mail mail, string problem, int code)
    {
        if (mail.Tries >= MostTries)
        {
            await GiveUpAsync(db, mail, problem, code);
            return;
        }

        await SetAsync(db, mail, MailState.Waiting, clock.GetUtcNow() + Pauses[Math.Min(mail.Tries, Pauses.Length) - 1], problem);
        log.MailDelayed(mail.Id, code, mail.Tries);
    }

    private async Task GiveUpAsync(PortvaktDb db, Mail mail, string problem, int code)
    {
        await SetAsync(db, mail, MailState.GivenUp, null, problem);
        log.MailGivenUp(mail.Id, code, mail.Tries);
    }

    private static Task<int> SetAsync(PortvaktDb db, Mail mail, MailState state, DateTimeOffset? next, string problem)
    {
        var nextTryAt = next ?? mail.NextTryAt;
        return db.Mails.Where(row => row.Id == mail.Id && row.State == MailState.Sending).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.State, state).SetProperty(row => row.NextTryAt, nextTryAt).SetProperty(row => row.Problem, problem).SetProperty(row => row.Version, row => row.Version + 1),
            CancellationToken.None);
    }

    private static bool IsOfTheWire(Exception problem) =>
        problem is IOException or SocketException or ProtocolException or TimeoutException or ServiceNotConnectedException or System.Security.Authentication.AuthenticationException or OperationCanceledException { InnerException: TimeoutException };

    private static string Told(SmtpCommandException refused) => OneLine($"{(int)refused.StatusCode} {refused.Message}");

    private static string OneLine(string text) => string.Concat(text.Take(300).Select(letter => char.IsControl(letter) ? ' ' : letter));

    /// <summary>Knows whether the text was on its way.</summary>
    private sealed class Progress : ITransferProgress
    {
        public bool HasBegun { get; private set; }

        public void Report(long bytesTransferred, long totalSize) => HasBegun = true;

        public void Report(long bytesTransferred) => HasBegun = true;
    }
}
