using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MimeKit;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.SignIn;
using Portvakt.Server.Tests.Actors;
using Portvakt.Testing;

namespace Portvakt.Server.Tests.Stories;

public sealed class RolloutMailOnSqlite(SqliteStage stage) : RolloutMailStories(stage), IClassFixture<SqliteStage>;

public sealed class RolloutMailOnPostgres(PostgresStage stage) : RolloutMailStories(stage), IClassFixture<PostgresStage>;

/// <summary>Mails: on the right day, once, to the right people, over real SMTP; and what "it wasn't me" sets in motion.</summary>
public abstract class RolloutMailStories(Stage stage)
{
    private const string MailPassword = "p@ss:word/of the mail server";
    private static readonly TimeZoneInfo Oslo = TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo");

    private PortvaktServer Server => stage.Server;

    [Theory]
    [InlineData("2027-03-01", "2027-04-01", "2027-04-05", "03-18 03-25 03-29 03-31", "03-22 03-29 04-02 04-04")] // the night of 28 March has one hour less
    [InlineData("2027-10-01", "2027-11-01", "2027-11-05", "10-18 10-25 10-29 10-31", "10-22 10-29 11-02 11-04")] // 31 October has one hour more
    public async Task Reminders_come_once_on_exactly_their_days_in_Oslo_also_when_the_clocks_change(string start, string deadline, string extended, string days, string ownDays)
    {
        var (startsAt, deadlineAt, until) = (StartOf(start), StartOf(deadline), StartOf(extended));
        var wave = new Wave(RandomId.New(), startsAt, deadlineAt, Server.Clock.GetUtcNow()) { SendsMail = true };
        var (kari, ola) = (await InWaveAsync("Kari Nordmann", wave), await InWaveAsync("Ola Nordmann", wave));
        await Server.ChangeAsync(db =>
        {
            db.PersonalTerms.Add(new PersonalTerm(PersonalTermKind.Extension, ola.Id, until, "Permisjon", kari.Id, Server.Clock.GetUtcNow()));
            return Task.CompletedTask;
        });

        // Two servers look at the same instant, at midnight and again and again through the day.
        var (one, other) = (Mailer(), Mailer());
        for (var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(startsAt, Oslo).DateTime); EnrolmentRule.StartOf(day, Oslo) < until; day = day.AddDays(1))
        {
            foreach (var hours in (double[])[0, 2.5, 22.9])
            {
                var now = EnrolmentRule.StartOf(day, Oslo).AddHours(hours);
                await Task.WhenAll(one.EnqueueDueAsync(now, default), other.EnqueueDueAsync(now, default));
            }
        }

        Assert.Equal(days, await DaysOfAsync(kari, MailKind.Reminder));
        Assert.Equal(ownDays, await DaysOfAsync(ola, MailKind.Reminder));
        Assert.Equal(start[5..], await DaysOfAsync(kari, MailKind.Announcement));
        var reminders = (await MailsOfAsync(kari)).Where(mail => mail.Kind == nameof(MailKind.Reminder)).OrderBy(mail => mail.CreatedAt).ToList();
        Assert.Equal(["14 dager", "7 dager", "3 dager", "1 dag"], reminders.Select(mail => mail.Subject.Split(" igjen")[0]));
        Assert.All(reminders, mail => Assert.Contains("https://id.test/activate", mail.Text, StringComparison.Ordinal));
        Assert.Contains(start[6] is '3' ? "Siste dag er 31. mars 2027." : "Siste dag er 31. oktober 2027.", reminders[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_is_mailed_who_is_enrolled_exempt_locked_without_address_or_in_a_wave_that_sends_none()
    {
        var now = StartOf("2027-06-01");
        var wave = new Wave(RandomId.New(), now, now.AddDays(30), Server.Clock.GetUtcNow()) { SendsMail = true };
        var silent = new Wave(RandomId.New(), now, now.AddDays(30), Server.Clock.GetUtcNow());
        var told = await InWaveAsync("Kari Nordmann", wave, person => person.Language = "nn");
        var foreign = await InWaveAsync("Ingrid Hansen", wave, person => person.Language = "en");
        Person[] others =
        [
            await InWaveAsync("Ferdig Person", wave, person => person.RecordEnrolment(now)),
            await InWaveAsync("Låst Person", wave, person => person.Lock()),
            await InWaveAsync("Uten Adresse", wave, person => person.Email = null),
            await InWaveAsync("Blank Adresse", wave, person => person.Email = "  "),
            await InWaveAsync("Stille Person", silent),
            await InWaveAsync("Fritatt Person", wave),
        ];
        await Server.ChangeAsync(db =>
        {
            db.PersonalTerms.Add(new PersonalTerm(PersonalTermKind.Exemption, others[^1].Id, now.AddDays(60), "Permisjon", told.Id, Server.Clock.GetUtcNow()));
            return Task.CompletedTask;
        });

        await Mailer().EnqueueDueAsync(now.AddTicks(-1), default);
        Assert.Empty(await MailsOfAsync(told)); // not before the start
        Assert.Equal(2, await Mailer().EnqueueDueAsync(now, default));
        Assert.Equal(0, await Mailer().EnqueueDueAsync(now, default));
        foreach (var other in others) Assert.Empty(await MailsOfAsync(other));
        Assert.Equal("Aktiver 2-faktor hos Eksempel kommune innan 30. juni 2027", Assert.Single(await MailsOfAsync(told)).Subject);
        Assert.Equal("Activate 2-factor at Eksempel kommune by 30 June 2027", Assert.Single(await MailsOfAsync(foreign)).Subject);
    }

    [Fact]
    public async Task A_real_mail_server_gets_text_and_html_and_a_name_never_becomes_a_header()
    {
        await using var post = FakeMailServer.Start();
        await EmptyAsync();
        var kari = await PersonAsync("Kåre\r\nBcc: tyv@evil.test\r\n\r\n<b>Ås</b>");
        var words = new MailText("{name}: aktiver innen {deadline}", "Hei, {name}!\n\nBegynn her: {link}.\n\n<i>{organisation}</i>");
        Assert.Equal(MailTextProblem.None, MailComposer.Validate(MailKind.Announcement, words));
        await Server.ChangeAsync(db =>
        {
            db.MailTemplates.Add(new MailTemplate { Kind = nameof(MailKind.Announcement), Language = "nb", Subject = words.Subject, Text = words.Text, ChangedAt = Server.Clock.GetUtcNow() });
            return Task.CompletedTask;
        });
        await EnqueueAsync(kari, MailKind.Announcement);
        await Server.ReadAsync(db => db.MailTemplates.ExecuteDeleteAsync());

        Assert.Equal(1, await Sender(post).SendDueAsync(default));
        var received = Assert.Single(post.Mails);
        Assert.Equal(("portvakt@eksempel.no", kari.Email), (received.From, received.Recipient));
        var message = Read(received);
        Assert.Null(message.Headers["Bcc"]);
        Assert.DoesNotContain(message.Headers, header => header.Value.Contains("evil", StringComparison.Ordinal) && header.Field != "Subject");
        Assert.StartsWith("Kåre  Bcc: tyv@evil.test    <b>Ås</b>: aktiver innen", message.Subject, StringComparison.Ordinal);
        Assert.Equal("auto-generated", message.Headers["Auto-Submitted"]);
        Assert.Equal("Eksempel kommune", Assert.Single(message.From.Mailboxes).Name);
        Assert.Equal("multipart/alternative", message.Body!.ContentType.MimeType);
        Assert.Contains("Begynn her: https://id.test/activate.", message.TextBody, StringComparison.Ordinal);
        Assert.Contains("<a href=\"https://id.test/activate\">https://id.test/activate</a>.", message.HtmlBody, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;Ås&lt;/b&gt;", message.HtmlBody, StringComparison.Ordinal);
        Assert.Contains("&lt;i&gt;Eksempel kommune&lt;/i&gt;", message.HtmlBody, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", message.HtmlBody, StringComparison.Ordinal);
        Assert.Equal(MailState.Sent, (await MailsOfAsync(kari))[0].State);

        // What the operator's log may know.
        Assert.Equal($"portvakt:{MailPassword}", post.Credentials);
        Assert.DoesNotContain(MailPassword, Server.Log.All, StringComparison.Ordinal);
        Assert.DoesNotContain(kari.Email!, Server.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_dies_while_the_mail_server_takes_a_mail_sends_it_to_nobody_twice()
    {
        await using var post = FakeMailServer.Start();
        await EmptyAsync();
        var kari = await PersonAsync();
        await EnqueueAsync(kari, MailKind.Announcement);
        post.AnswerNext(FakeMailAnswer.Silent);
        var dying = Sender(post).SendDueAsync(default); // has handed over, and never hears the answer
        await post.NextArrivalAsync();
        Assert.Equal(MailState.Sending, (await MailsOfAsync(kari))[0].State);

        // The next program, and another node beside it, leave it alone; after a while nobody is left who could still be sending it.
        Assert.Equal(0, await Sender(post).SendDueAsync(default));
        Server.Clock.Advance(MailSender.Claim);
        Assert.All(await Task.WhenAll(Sender(post).SendDueAsync(default), Sender(post).SendDueAsync(default)), sent => Assert.Equal(0, sent));
        Assert.Equal(MailState.Uncertain, (await MailsOfAsync(kari))[0].State);
        Assert.Single(post.Mails);

        // Somebody decides. It is the same message.
        await Server.ChangeAsync(async db => Assert.True(Outbox.SendAgain(await db.Mails.SingleAsync(mail => mail.PersonId == kari.Id), Server.Clock.GetUtcNow())));
        Assert.Equal(1, await Sender(post).SendDueAsync(default));
        Assert.Single(post.Mails.Select(mail => Read(mail).MessageId).Distinct());
        Assert.Equal(2, post.Mails.Count);
        post.LetGo();
        Assert.Equal(0, await dying);
        Assert.Equal(MailState.Sent, (await MailsOfAsync(kari))[0].State);
        await Server.ChangeAsync(async db => Assert.False(Outbox.SendAgain(await db.Mails.SingleAsync(mail => mail.PersonId == kari.Id), Server.Clock.GetUtcNow())));
    }

    [Theory]
    [InlineData(FakeMailAnswer.Busy, MailState.Waiting, "451")]
    [InlineData(FakeMailAnswer.GoneBefore, MailState.Waiting, "")]
    [InlineData(FakeMailAnswer.NoSuchMailbox, MailState.GivenUp, "550")]
    [InlineData(FakeMailAnswer.NotThisText, MailState.GivenUp, "554")]
    [InlineData(FakeMailAnswer.GoneAfter, MailState.Uncertain, "connection ended")]
    public async Task What_the_mail_server_says_decides_whether_it_is_tried_again(FakeMailAnswer answer, MailState state, string problem)
    {
        await using var post = FakeMailServer.Start();
        await EmptyAsync();
        var kari = await PersonAsync();
        await EnqueueAsync(kari, MailKind.Announcement);
        post.AnswerNext(answer);
        Assert.Equal(0, await Sender(post).SendDueAsync(default));
        var mail = Assert.Single(await MailsOfAsync(kari));
        Assert.Equal(state, mail.State);
        Assert.Contains(problem, mail.Problem, StringComparison.Ordinal);
        var before = post.Mails.Count;

        Server.Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(0, await Sender(post).SendDueAsync(default));
        Server.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(state is MailState.Waiting ? 1 : 0, await Sender(post).SendDueAsync(default));
        Assert.Equal(before + (state is MailState.Waiting ? 1 : 0), post.Mails.Count);
    }

    [Fact]
    public async Task Without_a_mail_server_mails_wait_and_after_two_days_of_trying_they_are_given_up()
    {
        var gone = FakeMailServer.Start();
        var port = gone.Port;
        await gone.DisposeAsync(); // nobody listens there any more
        await EmptyAsync();
        var kari = await PersonAsync();
        await EnqueueAsync(kari, MailKind.Announcement);
        var begun = Server.Clock.GetUtcNow();
        var sender = new MailSender(Server.Services.GetRequiredService<IServiceScopeFactory>(), Settings($"smtp://127.0.0.1:{port}"), Server.Services.GetRequiredService<Branding.HouseStyle>(), Server.Clock, Logger());
        for (var tries = 1; ; tries++)
        {
            await sender.SendDueAsync(default);
            var mail = Assert.Single(await MailsOfAsync(kari));
            Assert.Equal(tries, mail.Tries);
            Assert.NotNull(mail.Problem);
            if (mail.State is MailState.GivenUp) break;
            Assert.Equal(MailState.Waiting, mail.State);
            Server.Clock.Advance(mail.NextTryAt - Server.Clock.GetUtcNow());
        }

        Assert.InRange(Server.Clock.GetUtcNow() - begun, TimeSpan.FromHours(42), MailSender.GiveUpAfter);
    }

    [Fact]
    public async Task Old_news_is_not_sent_by_the_thousand_when_a_mail_server_is_named_at_last()
    {
        await using var post = FakeMailServer.Start();
        await EmptyAsync();
        var kari = await PersonAsync();
        await EnqueueAsync(kari, MailKind.Announcement);
        Server.Clock.Advance(MailSender.GiveUpAfter);
        Assert.Equal(0, await Sender(post).SendDueAsync(default));
        Assert.Equal(MailState.GivenUp, (await MailsOfAsync(kari))[0].State);
        Assert.Empty(post.Mails);
    }

    [Fact]
    public async Task Two_servers_send_sixty_mails_once_each()
    {
        await using var post = FakeMailServer.Start();
        await EmptyAsync();
        var kari = await PersonAsync();
        for (var count = 0; count < 60; count++) await EnqueueAsync(kari, MailKind.Announcement);
        var sent = 0;
        for (var round = 0; round < 10 && sent < 60; round++) sent += (await Task.WhenAll(Sender(post).SendDueAsync(default), Sender(post).SendDueAsync(default))).Sum();
        Assert.Equal(60, sent);
        Assert.Equal(60, post.Mails.Select(mail => Read(mail).MessageId).Distinct().Count());
        Assert.Equal(60, post.Mails.Count);
        Assert.True(post.Connections <= 6, "fifty go over one connection");
    }

    [Fact]
    public async Task R37_Every_change_of_the_methods_is_mailed_to_its_owner()
    {
        var kari = await Server.AddPersonAsync(after: AfterDeadline.Block);
        var code = Base32.Random(AccessPass.Length);
        await Server.ChangeAsync(db =>
        {
            db.AccessPasses.Add(new AccessPass(kari.Id, PassModel.HashOf(Server.Services.GetRequiredService<Vault>(), kari.Id, code), AccessPass.DefaultLifetime, oneTime: true, null, Server.Clock.GetUtcNow()));
            return Task.CompletedTask;
        });
        await Server.ChangeAsync(async db =>
        {
            var person = await db.People.SingleAsync(row => row.Id == kari.Id);
            await OutboxOf(db).TellAsync(SecurityEvent.PassIssued, person, null, Server.Clock.GetUtcNow(), default);
            Assert.DoesNotContain(code, db.Mails.Local.Single().Text, StringComparison.Ordinal);
        });
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.OpenAsync($"/sign-in/{browser.AttemptId}/pass");
        await browser.Fill("Kode", "AAAA-AAAA-AAAA").PressAsync("Neste");
        await browser.Fill("Kode", code).PressAsync("Neste");
        using var phone = await browser.EnrolPhoneAsync(Server);
        await browser.PressAsync("Lag gjenopprettingskoder");
        var recovery = browser.Page.QuerySelector(".pv-codes code")!.TextContent.Trim();
        await browser.FinishAsync(stay: false);

        using var next = new Browser(Server);
        await next.OpenAppAsync();
        await next.PasswordAsync(kari);
        await next.PressAsync("Bruk en gjenopprettingskode");
        await next.Fill("Gjenopprettingskode", recovery).PressAsync("Bekreft");
        Server.Clock.Advance(TimeSpan.FromSeconds(1));
        await phone.PostAsync("/phone/api/remove", []);

        var mails = await MailsOfAsync(kari);
        Assert.Equal(
            ["PassIssued", "AccountChanged", "MethodAdded", "AccountChanged", "AccountChanged", "MethodRemoved"],
            mails.Select(mail => mail.Kind));
        string[] told = ["tilgangspass til kontoen din", "tilgangspasset ble brukt.", "En telefon ble lagt til", "nye gjenopprettingskoder.", "gjenopprettingskode ble brukt.", "En telefon ble fjernet"];
        foreach (var (mail, words) in mails.Zip(told)) Assert.Contains(words, mail.Text, StringComparison.Ordinal);
        Assert.All(mails.Skip(1).SkipLast(1), mail => Assert.Contains("192.0.2.x.", mail.Text, StringComparison.Ordinal));
        Assert.All(mails, mail => Assert.DoesNotContain('{', mail.Text));

        // Beside each of them stands its row in the audit log, and the other way round.
        var recorded = await Server.ReadAsync(db => db.AuditEvents.Where(row => row.PersonId == kari.Id).Select(row => row.What).ToListAsync());
        Assert.Equal(5, recorded.Count(what => what is SecurityEvent.PassUsed or SecurityEvent.PhoneActivated or SecurityEvent.RecoveryCodesIssued or SecurityEvent.RecoveryCodeUsed or SecurityEvent.PhoneRemoved));
    }

    [Fact]
    public async Task R45_An_account_for_the_worst_day_raises_an_alarm_whenever_somebody_signs_in_with_it()
    {
        var (administrator, _, desk) = await Cast.AtTheDeskAsync(Server);
        desk.Dispose();
        var (emergency, phone) = await Cast.EnrolledAsync(Server);
        var settings = Server.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value;
        settings.BreakGlass.Add(emergency.UserName.ToUpperInvariant());
        try
        {
            await EmptyAsync();
            using var browser = new Browser(Server, address: "198.51.100.7");
            await browser.OpenAppAsync();
            await browser.PasswordAsync(emergency);
            Assert.Empty(await AlarmsAsync()); // the password alone has opened nothing
            await phone.ApproveAsync(browser.MatchingNumber);
            await browser.PressAsync("Jeg har godkjent");
            await browser.PressAsync("Nei");

            var alarms = await AlarmsAsync();
            Assert.Contains(alarms, mail => mail.Recipient is "hjelp@eksempel.no");
            Assert.Contains(alarms, mail => mail.Recipient == administrator.Email);
            Assert.DoesNotContain(alarms, mail => mail.Recipient == emergency.Email);
            Assert.Contains("198.51.100.x", alarms[0].Text, StringComparison.Ordinal);
            Assert.Contains($"https://id.test/administration/audit?person={emergency.UserName}", alarms[0].Text, StringComparison.Ordinal);
            Assert.Equal(1, await Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.PersonId == emergency.Id && row.What == SecurityEvent.BreakGlassUsed)));
            Assert.Contains($"A break-glass account was used: {emergency.Id}", Server.Log.All, StringComparison.Ordinal);

            using var other = new Browser(Server);
            var (ola, olas) = await Cast.EnrolledAsync(Server);
            await other.OpenAppAsync();
            await other.PasswordAsync(ola);
            await olas.ApproveAsync(other.MatchingNumber);
            await other.PressAsync("Jeg har godkjent");
            await other.PressAsync("Nei");
            Assert.Equal(alarms.Count, (await AlarmsAsync()).Count);
        }
        finally
        {
            settings.BreakGlass.Clear();
        }

        Task<List<Mail>> AlarmsAsync() => Server.ReadAsync(db => db.Mails.Where(mail => mail.Kind == nameof(MailKind.BreakGlassAlarm)).OrderBy(mail => mail.Recipient).ToListAsync());
    }

    [Fact]
    public async Task R18_It_was_not_me_opens_a_case_tells_everybody_and_keeps_the_phone_quiet_until_the_case_is_closed()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        await EmptyAsync();
        using var thief = new Browser(Server, address: "198.51.100.7");
        await thief.OpenAppAsync();
        await thief.PasswordAsync(kari);
        Assert.Equal("reported", (await phone.DenyAsync("not-me")).Text("outcome"));

        var opened = await Server.ReadAsync(db => db.Cases.SingleAsync(row => row.PersonId == kari.Id));
        Assert.Equal(("Timeliste", "198.51.100.x", null), (opened.Application, opened.Address, opened.ClosedAt));
        Assert.Equal(1, await Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.PersonId == kari.Id && row.What == SecurityEvent.CaseOpened && row.Subject == opened.Id.ToString("N"))));
        Assert.True(await Server.ReadAsync(db => db.People.Where(row => row.Id == kari.Id).Select(row => row.MustChangePassword).SingleAsync()));
        Assert.Equal(0, await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id && row.EndedAt == null)));
        var told = Assert.Single(await MailsOfAsync(kari), mail => mail.State is MailState.Waiting);
        Assert.Equal(nameof(MailKind.NotMe), told.Kind);
        Assert.Contains("Noen prøvde å komme inn i Timeliste.", told.Text, StringComparison.Ordinal);
        Assert.Contains("198.51.100.x", told.Text, StringComparison.Ordinal);
        var alert = await Server.ReadAsync(db => db.Mails.SingleAsync(mail => mail.OnceKey == $"not-me-alert:{opened.Id:N}"));
        Assert.Equal(("hjelp@eksempel.no", "NotMeAlert"), (alert.Recipient, alert.Kind));
        Assert.Contains("Kari Nordmann", alert.Subject, StringComparison.Ordinal);
        Assert.Contains("https://id.test/administration/cases", alert.Text, StringComparison.Ordinal);

        // A day later the password alone still moves nothing.
        Server.Clock.Advance(TimeSpan.FromDays(1));
        await thief.OpenAppAsync();
        await thief.PasswordAsync(kari);
        Assert.Null(await phone.PendingAsync());
        Assert.Contains("Noen svarte «Det var ikke meg»", thief.Text, StringComparison.Ordinal);

        // Kari herself uses the code of her phone, and chooses a new password before anything else.
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.OpenAsync($"/sign-in/{browser.AttemptId}/code");
        await browser.Fill("Kode", phone.Code()).PressAsync("Bekreft");
        Assert.Equal("Velg et nytt passord", browser.Heading);
        await browser.Fill("Nytt passord", "fire grønne hester danser i natt").PressAsync("Lagre passordet");
        Assert.Equal("Vil du forbli pålogget?", browser.Heading);
        Assert.Contains("Passordet ble endret.", (await MailsOfAsync(kari))[^1].Text, StringComparison.Ordinal);

        // The helpdesk closes the case: the phone is asked again.
        await Server.ChangeAsync(async db => (await db.Cases.SingleAsync(row => row.Id == opened.Id)).Close(kari.Id, "Snakket med Kari", Server.Clock.GetUtcNow()));
        using var again = new Browser(Server);
        await again.OpenAppAsync();
        await again.PasswordAsync(kari, "fire grønne hester danser i natt");
        Assert.NotNull(await phone.PendingAsync());
    }

    [Fact]
    public async Task R18_There_is_one_open_case_per_person_however_often_it_is_said()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        using var thief = new Browser(Server, address: "198.51.100.7");
        await thief.OpenAppAsync();
        await thief.PasswordAsync(kari);
        await Server.ChangeAsync(db =>
        {
            db.Cases.Add(new HelpdeskCase(kari.Id, null, "Lønn", null, null, Server.Clock.GetUtcNow()));
            return Task.CompletedTask;
        });
        var before = (await MailsOfAsync(kari)).Count;
        Assert.Equal("reported", (await phone.DenyAsync("not-me")).Text("outcome"));
        Assert.Equal(1, await Server.ReadAsync(db => db.Cases.CountAsync(row => row.PersonId == kari.Id)));
        Assert.Equal(before, (await MailsOfAsync(kari)).Count);
        Assert.True(await Server.ReadAsync(db => db.People.Where(row => row.Id == kari.Id).Select(row => row.MustChangePassword).SingleAsync()));
    }

    [Fact]
    public async Task The_rollout_manager_reads_the_outbox_sends_again_and_writes_own_words_after_a_look()
    {
        await EmptyAsync();
        var ola = await PersonAsync("Ola Nordmann");
        await EnqueueAsync(ola, MailKind.Announcement);
        await Server.ChangeAsync(async db => (await db.Mails.SingleAsync(mail => mail.PersonId == ola.Id)).State = MailState.GivenUp);
        var (manager, _, browser) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, path: $"/administration/mails?to={ola.Email}");
        Assert.Equal("E-post", browser.Heading);
        Assert.Contains("Ingen e-postserver er satt opp", browser.Text, StringComparison.Ordinal);
        Assert.Contains(ola.Email!, browser.Text, StringComparison.Ordinal);
        var mail = Assert.Single(await MailsOfAsync(ola));
        await browser.OpenAsync($"/administration/mails?id={mail.Id}");
        Assert.Contains("https://id.test/activate", browser.Text, StringComparison.Ordinal);
        await browser.PressAsync("Send på nytt");
        Assert.True(browser.Text.Contains("sendes på nytt om noen sekunder", StringComparison.Ordinal), $"{browser.Status} {browser.Path} {browser.Text}");
        Assert.Equal(MailState.Waiting, (await MailsOfAsync(ola))[0].State);
        Assert.False(browser.Has("Send på nytt"));

        // A wrong word is refused; a look changes nothing; then the words hold, in that language only.
        await browser.OpenAsync("/administration/mails/templates?kind=Reminder&language=nn");
        await browser.Fill("Emne", "Hugs 2-faktor, {name}").Fill("Tekst", "{navn}: {link}").PressAsync("Ta i bruk teksten");
        Assert.Equal(System.Net.HttpStatusCode.UnprocessableEntity, browser.Status);
        await browser.Fill("Emne", "Hugs 2-faktor, {name}").Fill("Tekst", "Gå hit: {link}\n\n<script>").PressAsync("Forhåndsvis");
        Assert.Contains("Hugs 2-faktor, Kari Nordmann", browser.Text, StringComparison.Ordinal);
        Assert.Empty(browser.Page.QuerySelectorAll("main script"));
        Assert.Equal(0, await Server.ReadAsync(db => db.MailTemplates.CountAsync()));
        await browser.Fill("Emne", "Hugs 2-faktor, {name}").Fill("Tekst", "Gå hit: {link}").PressAsync("Ta i bruk teksten");
        Assert.Contains("Dette er deres egen tekst.", browser.Text, StringComparison.Ordinal);
        Assert.Equal("Hugs 2-faktor, {name}", await Server.ReadAsync(async db => (await Composer(db).WordsAsync(MailKind.Reminder, "nn", default)).Subject));
        Assert.StartsWith("{days}", await Server.ReadAsync(async db => (await Composer(db).WordsAsync(MailKind.Reminder, "nb", default)).Subject), StringComparison.Ordinal);
        await browser.PressAsync("Tilbake til standardteksten");
        Assert.Contains("Dette er standardteksten.", browser.Text, StringComparison.Ordinal);
        Assert.Equal(0, await Server.ReadAsync(db => db.MailTemplates.CountAsync()));
        var recorded = await Server.ReadAsync(db => db.AuditEvents.Where(row => row.ActorId == manager.Id).Select(row => row.What).ToListAsync());
        Assert.Equal((SecurityEvent[])[SecurityEvent.MailSentAgain, SecurityEvent.MailTemplateChanged, SecurityEvent.MailTemplateChanged], recorded.Where(what => what is SecurityEvent.MailSentAgain or SecurityEvent.MailTemplateChanged).OrderDescending());
        browser.Dispose();
    }

    [Fact]
    public async Task Who_manages_one_unit_only_reads_no_mails_and_the_helpdesk_none()
    {
        var (_, _, ofUnit) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, unit: "Skole", path: "/administration/mails");
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, ofUnit.Status);
        await ofUnit.OpenAsync("/administration/mails/templates");
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, ofUnit.Status);
        var (_, _, helpdesk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk, path: "/administration/mails");
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, helpdesk.Status);
        ofUnit.Dispose();
        helpdesk.Dispose();
    }

    private static DateTimeOffset StartOf(string day) => EnrolmentRule.StartOf(DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture), Oslo);

    private static MimeMessage Read(FakeMail mail) => MimeMessage.Load(new MemoryStream(System.Text.Encoding.Latin1.GetBytes(mail.Content)));

    private IOptions<PortvaktSettings> Settings(string smtp)
    {
        var own = Server.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value;
        return Options.Create(new PortvaktSettings { PublicAddress = own.PublicAddress, Organisation = own.Organisation, Smtp = smtp, MailFrom = "portvakt@eksempel.no" });
    }

    private ILogger<MailSender> Logger() => Server.Services.GetRequiredService<ILogger<MailSender>>();

    /// <summary>Another server on the same database, as far as sending goes.</summary>
    private MailSender Sender(FakeMailServer post) =>
        new(Server.Services.GetRequiredService<IServiceScopeFactory>(), Settings($"smtp://portvakt:{Uri.EscapeDataString(MailPassword)}@127.0.0.1:{post.Port}"), Server.Services.GetRequiredService<Branding.HouseStyle>(), Server.Clock, Logger());

    private RolloutMailer Mailer() => new(
        Server.Services.GetRequiredService<IServiceScopeFactory>(), Server.Services.GetRequiredService<IOptions<PortvaktSettings>>(), Server.Clock, Server.Services.GetRequiredService<ILogger<RolloutMailer>>());

    private MailComposer Composer(PortvaktDb db) => new(db, Server.Services.GetRequiredService<IOptions<PortvaktSettings>>());

    private Outbox OutboxOf(PortvaktDb db) => new(db, Composer(db), new Notices(), Server.Services.GetRequiredService<IOptions<PortvaktSettings>>());

    private Task<Person> PersonAsync(string name = "Kari Nordmann") => InWaveAsync(name, null);

    private async Task<Person> InWaveAsync(string name, Wave? wave, Action<Person>? change = null)
    {
        var id = RandomId.New().ToLowerInvariant();
        var person = new Person(UserName.Parse(id), name, Server.Clock.GetUtcNow()) { Email = $"{id}@eksempel.no" };
        person.JoinWave(wave?.Id, byName: true);
        change?.Invoke(person);
        await Server.ChangeAsync(async db =>
        {
            if (wave is not null && !await db.Waves.AnyAsync(row => row.Id == wave.Id)) db.Waves.Add(wave);
            db.People.Add(person);
        });
        return person;
    }

    private Task EnqueueAsync(Person person, MailKind kind) => Server.ChangeAsync(db =>
    {
        var now = Server.Clock.GetUtcNow();
        return OutboxOf(db).EnqueueAsync(kind, person, "/activate", Composer(db).Term(now.AddDays(10), now, "nb"), null, now, default);
    });

    /// <summary>The stage is shared: what others wrote is none of this story's business.</summary>
    private Task EmptyAsync() => Server.ReadAsync(db => db.Mails.Where(mail => mail.State != MailState.Sent).ExecuteUpdateAsync(set => set.SetProperty(mail => mail.State, MailState.Sent)));

    private Task<List<Mail>> MailsOfAsync(Person person) => Server.ReadAsync(db => db.Mails.AsNoTracking().Where(mail => mail.PersonId == person.Id).OrderBy(mail => mail.CreatedAt).ThenBy(mail => mail.Id).ToListAsync());

    private async Task<string> DaysOfAsync(Person person, MailKind kind) => string.Join(' ', (await MailsOfAsync(person)).Where(mail => mail.Kind == kind.ToString())
        .Select(mail => TimeZoneInfo.ConvertTime(mail.CreatedAt, Oslo).ToString("MM-dd", System.Globalization.CultureInfo.InvariantCulture)).Order(StringComparer.Ordinal));
}

/// <summary>The words of mails, and what an organisation may make of them.</summary>
public sealed class RolloutMailWordsTests
{
    public static TheoryData<MailKind, string> All => [.. from kind in Enum.GetValues<MailKind>() from language in (string[])["nb", "nn", "en"] select (kind, language)];

    [Theory]
    [MemberData(nameof(All))]
    public void The_standard_words_of_every_mail_would_pass_as_own_words(MailKind kind, string language)
    {
        Assert.Equal(MailTextProblem.None, MailComposer.Validate(kind, MailComposer.Standard(kind, language)));
        var settings = Options.Create(new PortvaktSettings { PublicAddress = "https://id.test", Organisation = "Eksempel kommune" });
        var now = new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero);
        var preview = new MailComposer(null!, settings).Preview(kind, MailComposer.Standard(kind, language), language, now);
        Assert.DoesNotContain('{', preview.Subject + preview.Text);
        if (kind is MailKind.MethodAdded) Assert.Contains(language is "en" ? "2 November 2026 at 09:00" : "2. november 2026 kl. 09:00", preview.Text, StringComparison.Ordinal);
        if (kind is MailKind.Announcement) Assert.Contains(language is "en" ? "15 November 2026" : "15. november 2026", preview.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MailKind.Reminder, "Siste sjanse", "Hei {name}, {link}", MailTextProblem.None)]
    [InlineData(MailKind.Reminder, "Siste sjanse", "Hei {name}", MailTextProblem.LinkMissing)]
    [InlineData(MailKind.Reminder, "Siste sjanse", "Hei {navn}, {link}", MailTextProblem.UnknownPlaceholder)]
    [InlineData(MailKind.Reminder, "Siste sjanse", "{what} {link}", MailTextProblem.UnknownPlaceholder)] // of another mail
    [InlineData(MailKind.Reminder, "Siste } sjanse", "{link}", MailTextProblem.UnknownPlaceholder)]
    [InlineData(MailKind.Reminder, "Siste", "{link} {", MailTextProblem.UnknownPlaceholder)]
    [InlineData(MailKind.Reminder, "To\nlinjer", "{link}", MailTextProblem.LineBreakInSubject)]
    [InlineData(MailKind.Reminder, " ", "{link}", MailTextProblem.Empty)]
    [InlineData(MailKind.NotMe, "Varsel", " ", MailTextProblem.Empty)]
    [InlineData(MailKind.NotMe, "Varsel", "{application} {place} {time} {helpdesk}", MailTextProblem.None)]
    public void Own_words_are_refused_before_they_could_fail(MailKind kind, string subject, string text, MailTextProblem problem) =>
        Assert.Equal(problem, MailComposer.Validate(kind, new MailText(subject, text)));

    [Fact]
    public void Own_words_have_a_longest_length()
    {
        Assert.Equal(MailTextProblem.TooLong, MailComposer.Validate(MailKind.NotMe, new MailText(new string('a', MailComposer.LongestSubject + 1), "a")));
        Assert.Equal(MailTextProblem.TooLong, MailComposer.Validate(MailKind.NotMe, new MailText("a", new string('a', MailComposer.LongestText + 1))));
    }

    [Theory]
    [InlineData("kari@eksempel.no", true)]
    [InlineData("kari@eksempel.no\r\nBcc: tyv@evil.test", false)]
    [InlineData("kari@eksempel.no, tyv@evil.test", false)]
    [InlineData("Kari <kari@eksempel.no>", false)]
    [InlineData("kari", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void An_address_is_one_address(string? text, bool one) => Assert.Equal(one, PortvaktSettings.IsMailAddress(text));

    [Theory]
    [InlineData("smtp://mail.eksempel.no", "portvakt@eksempel.no", true)]
    [InlineData("smtps://bruker:hemmelig-ord@mail.eksempel.no:465", "portvakt@eksempel.no", true)]
    [InlineData("https://bruker:hemmelig-ord@mail.eksempel.no", "portvakt@eksempel.no", false)]
    [InlineData("hemmelig-ord", "portvakt@eksempel.no", false)]
    [InlineData("smtp://mail.eksempel.no", null, false)]
    [InlineData("smtp://mail.eksempel.no", "portvakt", false)]
    [InlineData(null, null, true)]
    public void A_wrong_mail_setting_stops_the_start_and_never_shows_the_password(string? smtp, string? from, bool holds)
    {
        var problems = new PortvaktSettings { PublicAddress = "https://id.test", Organisation = "Eksempel kommune", PushContact = "mailto:it@eksempel.no", Smtp = smtp, MailFrom = from }.Problems().ToList();
        Assert.Equal(holds, problems.Count is 0);
        Assert.DoesNotContain(problems, problem => problem.Contains("hemmelig", StringComparison.Ordinal));
    }
}
