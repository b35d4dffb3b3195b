using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>Codes, PINs and passwords that are guessed or repeated.</summary>
public abstract partial class AttackStories
{
    [Fact]
    public async Task R49_A_code_counts_once_and_of_12_at_once_one()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        var browsers = new List<Browser>();
        for (var index = 0; index < 12; index++)
        {
            var browser = new Browser(Server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await browser.OpenAsync($"/sign-in/{browser.AttemptId}/code");
            browsers.Add(browser.Fill("Kode", phone.Code()));
        }

        await Task.WhenAll(browsers.Select(browser => Task.Run(() => browser.PressAsync("Bekreft"))));
        Assert.Single(browsers, browser => browser.Heading is "Vil du forbli pålogget?");
        browsers.ForEach(browser => browser.Dispose());
    }

    [Fact]
    public async Task R50_Guessed_codes_are_counted_over_all_browsers_and_stop_at_five()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        HttpStatusCode last = default;
        for (var guess = 0; guess < 7; guess++)
        {
            using var browser = new Browser(Server, address: $"198.51.100.{guess}");
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await browser.OpenAsync($"/sign-in/{browser.AttemptId}/code");
            await browser.Fill("Kode", phone.Code() is "000000" ? "000001" : "000000").PressAsync("Bekreft");
            last = browser.Status;
            Assert.Equal(guess < 5 ? HttpStatusCode.UnprocessableEntity : HttpStatusCode.TooManyRequests, last);
        }

        // The right one does not help during the pause, and a right password does not end it (R51).
        using var owner = new Browser(Server);
        await owner.OpenAppAsync();
        await owner.PasswordAsync(kari);
        await owner.OpenAsync($"/sign-in/{owner.AttemptId}/code");
        await owner.Fill("Kode", phone.Code()).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.TooManyRequests, owner.Status);
    }

    [Theory]
    [InlineData("code", "Kode", "000000", "000001")]
    [InlineData("recovery-code", "Gjenopprettingskode", "AAAA-AAAA-AAAA-AA", "AAAA-AAAA-AAAA-AB")]
    public async Task R51_At_the_limit_the_sign_in_is_over_and_its_old_page_leads_nowhere(string page, string label, string guess, string otherGuess)
    {
        var (kari, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            await Server.ChangeAsync(db =>
            {
                db.RecoveryCodes.Add(new RecoveryCode(kari.Id, RandomId.Hash(RandomId.New()), Server.Clock.GetUtcNow()));
                return Task.CompletedTask;
            });
            await browser.OpenAsync($"/sign-in/{browser.AttemptId}/{page}");
            for (var times = 0; times < 5; times++)
            {
                await browser.Fill(label, phone.Code() == guess ? otherGuess : guess).PressAsync("Bekreft");
                Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
            }

            await browser.Fill(label, page is "code" ? phone.Code() : guess).PressAsync("Bekreft");
            Assert.Equal(HttpStatusCode.TooManyRequests, browser.Status);
            var (old, attempt) = (browser.Page.Forms[0], browser.AttemptId);
            await browser.ReloadAsync();
            Assert.Equal(HttpStatusCode.Gone, browser.Status);

            // Waiting does not bring it back, whatever is typed into the page that was left open.
            Server.Clock.Advance(TimeSpan.FromMinutes(16));
            await browser.OpenAsync("/sign-in");
            await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["code"] = phone.Code(), forge: request => request.RequestUri = new Uri($"/sign-in/{attempt}/{page}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.Gone, browser.Status);
            Assert.NotNull(old);
            Assert.Equal(1, await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id)));
        }
    }

    [Fact]
    public async Task A_source_pays_for_each_try_also_of_one_and_the_same_wrong_password()
    {
        const string address = "203.0.113.201";
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server, address: address);
        await browser.OpenAsync("/sign-in");
        for (var times = 0; times < 4; times++) await browser.PasswordAsync(kari, "caps lock was on");
        Assert.Equal((1, 4), (await FailuresAsync($"password:unfamiliar:{kari.UserName}"), await FailuresAsync($"password:source:{address}")));

        // Ninety-five tries later the source must wait, whoever it names; the account's own count has not moved.
        await Server.ChangeAsync(db => db.FailureCounts.Where(row => row.Key == $"password:source:{address}").ExecuteUpdateAsync(set => set.SetProperty(row => row.Failures, Throttle.PasswordSource.FreeFailures - 1)));
        await browser.PasswordAsync(kari, "caps lock was on");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        foreach (var password in new[] { "caps lock was on", PortvaktServer.Password })
        {
            await browser.PasswordAsync(kari, password);
            Assert.Equal(HttpStatusCode.TooManyRequests, browser.Status);
        }

        Assert.Equal(1, await FailuresAsync($"password:unfamiliar:{kari.UserName}"));
    }

    [Fact]
    public async Task A_try_that_nobody_looked_at_is_neither_right_nor_wrong_when_the_server_is_busy()
    {
        const string address = "203.0.113.202";
        var (kari, phone) = await Cast.EnrolledAsync(Server, new Phone(Server) { Pin = "4711" });
        using var browser = new Browser(Server, address: address);
        await browser.OpenAppAsync();
        using var atTheNumber = new Browser(Server);
        await atTheNumber.OpenAppAsync();
        await atTheNumber.PasswordAsync(kari);
        var (id, context) = (await phone.PendingAsync())!.Value;
        await using var storm = new Storm(Server);

        (int, int) before;
        var tries = 0;
        do
        {
            Assert.True(tries < 50, "Never busy.");
            before = (await FailuresAsync($"password:unfamiliar:{kari.UserName}"), await FailuresAsync($"password:source:{address}"));
            await browser.PasswordAsync(kari, $"wrong {tries++}");
            if (browser.Status is HttpStatusCode.TooManyRequests) Server.Clock.Advance(TimeSpan.FromDays(2)); // the hash found time too often
        }
        while (browser.Status is not HttpStatusCode.ServiceUnavailable);
        Assert.Equal(before, (await FailuresAsync($"password:unfamiliar:{kari.UserName}"), await FailuresAsync($"password:source:{address}")));
        Assert.Equal("5", browser.Answer.Headers.RetryAfter!.ToString());

        PhoneAnswer answer;
        int pinsBefore;
        do
        {
            pinsBefore = await PinFailuresAsync();
            answer = await phone.AnswerAsync(id, context, "approve", atTheNumber.MatchingNumber, pin: "0000");
            if (answer.Code is "pin") await Server.ChangeAsync(db => db.Phones.Where(row => row.KeyId == phone.KeyId).ExecuteUpdateAsync(set => set.SetProperty(row => row.PinFailures, 0)));
        }
        while (answer.Code is "pin");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), (answer.Status, answer.Code));
        Assert.Equal(pinsBefore, await PinFailuresAsync());

        Task<int> PinFailuresAsync() => Server.ReadAsync(db => db.Phones.Where(row => row.KeyId == phone.KeyId).Select(row => row.PinFailures).SingleAsync());
    }

    /// <summary>G15: a flood of strangers takes what strangers may have, and asks the database for nothing more than who that is.</summary>
    [Fact]
    public async Task Strangers_who_flood_the_queue_keep_nobody_out_whose_browser_is_known()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        using var known = new Browser(Server);
        await known.OpenAppAsync();
        await known.PasswordAsync(kari);
        await phone.ApproveAsync(known.MatchingNumber);
        await known.PressAsync("Jeg har godkjent");
        await known.PressAsync("Nei");
        await known.OpenAppAsync(extra: "&prompt=login");
        using var stranger = new Browser(Server, address: "203.0.113.204");
        await stranger.OpenAppAsync();
        var places = new List<WaitingRoom.Place>();
        try
        {
            foreach (var room in Server.Nodes.Select(node => node.Services.GetRequiredService<PasswordHash>().WaitingRoom))
            {
                for (var number = 0; room.EnterStranger($"198.51.100.{number}") is { } place; number++) places.Add(place);
            }

            await stranger.PasswordAsync(kari, "wrong");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, stranger.Status);
            Assert.Equal("5", stranger.Answer.Headers.RetryAfter!.ToString());
            Assert.Equal((0, 0), (await FailuresAsync($"password:unfamiliar:{kari.UserName}"), await FailuresAsync("password:source:203.0.113.204")));

            await known.PasswordAsync(kari);
            Assert.Equal("Godkjenn på telefonen", known.Heading);
        }
        finally
        {
            places.ForEach(place => place.Dispose());
        }

        await stranger.PasswordAsync(kari, "wrong");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, stranger.Status);
    }

    [Fact]
    public async Task A_try_that_nobody_looked_at_is_neither_right_nor_wrong_when_the_window_was_closed()
    {
        const string address = "203.0.113.203";
        var (kari, phone) = await Cast.EnrolledAsync(Server, new Phone(Server) { Pin = "4711" });
        using var atTheNumber = new Browser(Server);
        await atTheNumber.OpenAppAsync();
        await atTheNumber.PasswordAsync(kari);
        var (id, context) = (await phone.PendingAsync())!.Value;
        await using var storm = new Storm(Server, depth: 40);

        using var browser = new Browser(Server, address: address);
        await browser.OpenAppAsync();
        await ClosedAsync(
            closes =>
            {
                browser.Closes = closes;
                return browser.PasswordAsync(kari, "wrong, and then gone");
            },
            () => FailuresAsync($"password:source:{address}"));
        Assert.Equal((0, 0), (await FailuresAsync($"password:unfamiliar:{kari.UserName}"), await FailuresAsync($"password:source:{address}")));

        await ClosedAsync(
            closes =>
            {
                phone.Closes = closes;
                return phone.AnswerAsync(id, context, "approve", atTheNumber.MatchingNumber, pin: "0000");
            },
            PinFailuresAsync);
        phone.Closes = default;
        Assert.Equal(0, await PinFailuresAsync());
        Assert.Equal(ApprovalState.Pending, await StateOfAsync(id));

        // Closed when the try has been counted and the secret has not yet been looked at.
        async Task ClosedAsync(Func<CancellationToken, Task> trying, Func<Task<int>> failures)
        {
            using var closing = new CancellationTokenSource();
            var gone = Task.Run(() => trying(closing.Token));
            await PortvaktServer.UntilAsync(async () => await failures() > 0);
            await closing.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
            await Server.IdleAsync();
        }

        Task<int> PinFailuresAsync() => Server.ReadAsync(db => db.Phones.Where(row => row.KeyId == phone.KeyId).Select(row => row.PinFailures).SingleAsync());
    }

    private Task<int> FailuresAsync(string key) => Server.ReadAsync(db => db.FailureCounts.Where(row => row.Key == key).Select(row => row.Failures).SingleOrDefaultAsync());

    [Fact]
    public async Task R52_Strangers_cannot_lock_Kari_out_of_the_browser_she_knows()
    {
        var kari = await Server.AddPersonAsync();
        using var home = new Browser(Server);
        await home.OpenAsync("/sign-in");
        await home.PasswordAsync(kari);
        using var phone = await home.EnrolPhoneAsync(Server);
        await home.FinishAsync();

        HttpStatusCode last = default;
        for (var guess = 0; guess < 13; guess++)
        {
            using var stranger = new Browser(Server, address: $"203.0.113.{guess}");
            await stranger.OpenAsync("/sign-in");
            await stranger.PasswordAsync(kari, $"guess number {guess}");
            last = stranger.Status;
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, last);
        await home.OpenAppAsync(extra: "&prompt=login");
        await home.PasswordAsync(kari);
        Assert.Equal("Godkjenn på telefonen", home.Heading);
    }

    [Fact]
    public async Task R52_After_a_burst_of_wrong_passwords_a_school_behind_one_address_gets_in_one_after_another()
    {
        const string school = "198.51.100.77";
        using (var guesser = new Browser(Server, address: school))
        {
            await guesser.OpenAsync("/sign-in");
            await guesser.PasswordAsync(await Server.AddPersonAsync(), "a guess");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, guesser.Status);
        }

        // As if ninety-nine others had come before it, and the pause for the hundredth were over.
        Assert.Equal(1, await Server.ReadAsync(db => db.FailureCounts.Where(count => count.Key == $"password:source:{school}").ExecuteUpdateAsync(set => set.SetProperty(count => count.Failures, Throttle.PasswordSource.FreeFailures))));
        for (var pupil = 0; pupil < 4; pupil++)
        {
            var kari = await Server.AddPersonAsync();
            using var browser = new Browser(Server, address: school);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            Assert.Equal((pupil, "Mer informasjon kreves"), (pupil, browser.Heading));
        }

        // Whoever guesses on waits as before.
        foreach (var status in new[] { HttpStatusCode.UnprocessableEntity, HttpStatusCode.TooManyRequests })
        {
            using var guesser = new Browser(Server, address: school);
            await guesser.OpenAsync("/sign-in");
            await guesser.PasswordAsync(await Server.AddPersonAsync(), "another guess");
            Assert.Equal(status, guesser.Status);
        }
    }

    [Fact]
    public async Task R52_The_same_wrong_password_again_is_not_another_guess()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server, address: "203.0.113.200");
        await browser.OpenAsync("/sign-in");
        for (var times = 0; times < 15; times++)
        {
            await browser.PasswordAsync(kari, "caps lock was on");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        }

        await browser.PasswordAsync(kari);
        Assert.Equal("Mer informasjon kreves", browser.Heading);
    }
}
