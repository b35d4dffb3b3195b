using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NSec.Cryptography;
using Portvakt.Domain.People;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;
using Statements = Portvakt.Server.Tests.OpenIdConnect.Statements;

namespace Portvakt.Server.Tests.House;

/// <summary>R55 to R57: the list, the hash, and that nobody learns who has an account.</summary>
public sealed partial class PasswordTests(HouseServer house) : IClassFixture<HouseServer>
{
    private static readonly Vault Vault = new(new byte[32]);

    [Fact]
    public void The_list_has_a_hundred_thousand_passwords_and_is_asked()
    {
        Assert.True(PasswordPolicy.CommonCount >= 100_000, $"{PasswordPolicy.CommonCount}");
        var policy = house.Server.Services.GetRequiredService<PasswordPolicy>();
        var kari = UserName.Parse("kari");
        foreach (var common in new[] { "password", "PASSWORD1", "iloveyou", "12345678", "qwertyuiop" }) Assert.Equal(PasswordProblem.Common, policy.Judge(common, kari, "Kari Nordmann"));
        foreach (var expected in new[] { "eksempel1", "Nordmann!", "portvakt26", "kari-kari" }) Assert.Equal(PasswordProblem.Expected, policy.Judge(expected, kari, "Kari Nordmann"));
        Assert.Equal(PasswordProblem.None, policy.Judge(PortvaktServer.Password, kari, "Kari Nordmann"));
        Assert.All(Enum.GetValues<PasswordProblem>(), problem => Assert.NotEmpty(PasswordPolicy.Explain(problem)));
    }

    [Fact]
    public async Task A_hash_says_how_it_was_made_and_is_salted_and_peppered()
    {
        using var hash = new PasswordHash(Vault);
        using var elsewhere = new PasswordHash(new Vault([.. Enumerable.Repeat((byte)1, 32)]));
        var (one, other) = (await hash.HashAsync("sesam sesam", default), await hash.HashAsync("sesam sesam", default));
        Assert.Matches(Phc(), one);
        Assert.NotEqual(one, other);
        Assert.True(await hash.VerifyAsync("sesam sesam", one, default));
        Assert.True(await hash.VerifyAsync("sesam sesam", other, default));
        Assert.False(await hash.VerifyAsync("Sesam sesam", one, default));
        Assert.False(await hash.VerifyAsync("", one, default));
        Assert.False(await hash.VerifyAsync("sesam sesam", null, default));
        Assert.False(await elsewhere.VerifyAsync("sesam sesam", one, default)); // a stolen database lacks the pepper
        Assert.False(PasswordHash.IsOutdated(one));
        Assert.True(PasswordHash.IsOutdated(Made("x", Vault.PasswordPepper, 8 * 1024, 1)));
        await Assert.ThrowsAsync<FormatException>(() => hash.VerifyAsync("x", "$2a$10$abcdefghijklmnopqrstuv", default));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(256)]
    public async Task The_last_of_many_characters_counts(int length)
    {
        using var hash = new PasswordHash(Vault);
        var stored = await hash.HashAsync(new string('x', length - 1) + "a", default);
        Assert.True(await hash.VerifyAsync(new string('x', length - 1) + "a", stored, default));
        Assert.False(await hash.VerifyAsync(new string('x', length - 1) + "b", stored, default));
        Assert.False(await hash.VerifyAsync(new string('x', length - 1), stored, default));
    }

    [Fact]
    public async Task A_hash_of_yesterdays_strength_is_made_anew_at_the_next_sign_in()
    {
        var kari = await house.Server.AddPersonAsync();
        var weak = Made(PasswordRules.Normalise(PortvaktServer.Password)!, house.Server.Services.GetRequiredService<Vault>().PasswordPepper, 8 * 1024, 1);
        await house.Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).SetPassword(weak));

        using var browser = new Browser(house.Server, address: "192.0.2.31");
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari, "not this one");
        Assert.Equal(weak, await StoredAsync(kari));
        await browser.PasswordAsync(kari);
        Assert.Equal("Mer informasjon kreves", browser.Heading);
        Assert.Matches(Phc(), await StoredAsync(kari));
        Assert.True(await house.Server.Services.GetRequiredService<PasswordHash>().VerifyAsync(PortvaktServer.Password, await StoredAsync(kari), default));
    }

    [Fact]
    public async Task The_queue_is_bounded_and_empties_again()
    {
        using var hash = new PasswordHash(Vault);
        using var enough = new CancellationTokenSource();
        var waiting = new List<Task<string>>();
        Task<string> refused;
        do
        {
            refused = hash.HashAsync("x", enough.Token);
            waiting.Add(refused);
            Assert.True(waiting.Count < Environment.ProcessorCount * 1000, "The queue has no end.");
        }
        while (!refused.IsFaulted);

        await Assert.ThrowsAsync<TooManyHashesException>(() => refused);
        Assert.True(waiting.Count > Environment.ProcessorCount * 64);
        await enough.CancelAsync();
        await Task.WhenAll(waiting).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.Matches(Phc(), await hash.HashAsync("x", default));
    }

    [Theory]
    [InlineData(1, 48)]
    [InlineData(2, 64)]
    [InlineData(3, 72)]
    [InlineData(95, 95)]
    [InlineData(500, 96)]
    public void Sources_that_send_all_they_can_share_what_strangers_may_have(int sources, int taken)
    {
        var room = new WaitingRoom(128);
        var places = Enumerable.Range(0, sources).ToDictionary(source => $"{source}", _ => new List<WaitingRoom.Place>());
        bool any;
        do
        {
            any = false;
            foreach (var (source, own) in places)
            {
                if (room.EnterStranger(source) is not { } place) continue;
                own.Add(place);
                any = true;
            }
        }
        while (any);

        Assert.Equal(taken, room.Count);
        Assert.True(places.Values.Max(own => own.Count) - places.Values.Min(own => own.Count) <= 1, "One has more than another.");
        if (sources < 95) Assert.NotNull(room.EnterStranger("who comes next"));
        else Assert.Equal(sources is 95, room.EnterStranger("who comes next") is not null);

        // Whoever is at home here, and the house itself, get in all the same; each no more than is there.
        Assert.NotNull(room.Enter());
        for (var number = 0; room.Count < 128; number++) Assert.NotNull(room.EnterFamiliar($"kari {number}"));
        Assert.Null(room.EnterFamiliar("ola"));
        Assert.Null(room.Enter());
    }

    [Fact]
    public void A_place_is_given_back_once_and_one_browser_takes_two()
    {
        var room = new WaitingRoom(8);
        var (first, second) = (room.EnterFamiliar("kari"), room.EnterFamiliar("kari"));
        Assert.NotNull(first);
        Assert.NotNull(second);
        Assert.Null(room.EnterFamiliar("kari"));
        Assert.NotNull(room.EnterFamiliar("ola"));
        first.Dispose();
        first.Dispose();
        Assert.Equal(2, room.Count);
        Assert.NotNull(room.EnterFamiliar("kari"));
        Assert.Null(room.EnterFamiliar("kari"));
    }

    [Fact]
    public async Task Known_unknown_locked_and_unenrolled_names_look_the_same()
    {
        var server = house.Server;
        var (enrolled, _) = await Cast.EnrolledAsync(server);
        var unenrolled = await server.AddPersonAsync("Ola Nordmann");
        var locked = await server.AddPersonAsync("Ola Nordmann");
        var withoutPassword = new Person(UserName.Parse("without"), "Uten Passord", server.Clock.GetUtcNow());
        await server.ChangeAsync(async db =>
        {
            (await db.People.SingleAsync(row => row.Id == locked.Id)).Lock();
            db.People.Add(withoutPassword);
        });

        // The locked one types the right password. Eleven tries: the refusals for too many must be alike too.
        (string Name, string Password)[] tries =
            [(enrolled.UserName, "wrong"), (unenrolled.UserName, "wrong"), ("nobody-has-this-name", "wrong"), ("not a name\u0007", "wrong"), (withoutPassword.UserName, "wrong"), (locked.UserName, "wrong"), (locked.UserName, PortvaktServer.Password)];
        var stories = new List<List<string>>();
        foreach (var (name, password) in tries.Take(6)) stories.Add(await TryAsync(name, round => $"{password} {round}"));
        Assert.All(stories, story => Assert.Equal(stories[0], story));
        Assert.StartsWith("422", stories[0][0], StringComparison.Ordinal);
        Assert.StartsWith("429", stories[0][^1], StringComparison.Ordinal);

        server.Clock.Advance(TimeSpan.FromDays(2));
        var right = await TryAsync(tries[6].Name, _ => tries[6].Password, rounds: 1);
        Assert.Equal(stories[0][0], right[0]);

        async Task<List<string>> TryAsync(string name, Func<int, string> password, int rounds = 12)
        {
            using var browser = new Browser(server, address: $"198.51.100.{stories.Count + 1}");
            await browser.OpenAppAsync();
            var seen = new List<string>();
            for (var round = 0; round < rounds; round++)
            {
                await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => (fields["user"], fields["password"]) = (name, password(round)));
                var headers = browser.Answer.Headers.Concat(browser.Answer.Content.Headers).Select(header => header.Key).Order(StringComparer.Ordinal);
                seen.Add($"{(int)browser.Status} {string.Join(',', headers)} {browser.Page.Title} {Spaces().Replace(browser.Text, " ")} {browser.Answer.Headers.RetryAfter}");
            }

            return seen;
        }
    }

    [Fact]
    public async Task R57_Every_name_costs_one_hash_and_the_same_statements_of_the_database()
    {
        // Counted, not timed: a stopwatch on a busy machine proves nothing, and one hash is what a try lasts.
        var statements = new Statements();
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, services: services => services.ConfigureDbContext<SqlitePortvaktDb>(options => options.AddInterceptors(statements)));
        var hash = server.Services.GetRequiredService<PasswordHash>();
        var (enrolled, _) = await Cast.EnrolledAsync(server);
        var unenrolled = await server.AddPersonAsync("Ola Nordmann");
        var locked = await server.AddPersonAsync("Ola Nordmann");
        await server.ChangeAsync(async db =>
        {
            (await db.People.SingleAsync(row => row.Id == locked.Id)).Lock();
            db.People.Add(new Person(UserName.Parse("without"), "Uten Passord", server.Clock.GetUtcNow()));
        });

        var costs = new List<(string Who, List<string> Rounds)>();
        foreach (var (who, name, password) in new[]
        {
            ("known", enrolled.UserName, "wrong"), ("without a factor", unenrolled.UserName, "wrong"), ("locked", locked.UserName, "wrong"), ("locked, right password", locked.UserName, PortvaktServer.Password),
            ("without a password", "without", "wrong"), ("unknown", "nobody-has-this-name", "wrong"), ("not a name", "not a name\u0007", "wrong"), ("far too long", enrolled.UserName, new string('x', 5000)),
        })
        {
            using var browser = new Browser(server, address: $"198.51.100.{costs.Count + 1}");
            await browser.OpenAsync("/sign-in");
            var cost = new List<string>();
            for (var round = 0; round < 3; round++)
            {
                statements.Take();
                var before = hash.Computed;
                await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => (fields["user"], fields["password"]) = (name, password == PortvaktServer.Password ? password : $"{password} {round}"));
                Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
                cost.Add($"{hash.Computed - before} hash, {statements.Take()}");
                if (password == PortvaktServer.Password || password.Length > 1000) break; // the second time it would be the same wrong one again, which costs less for everybody
            }

            costs.Add((who, cost));
            Assert.All(cost, round => Assert.StartsWith("1 hash", round, StringComparison.Ordinal));
        }

        Assert.All(costs, row => Assert.Equal(costs[0].Rounds.Take(row.Rounds.Count), row.Rounds));
    }

    private async Task<string> StoredAsync(Person person) => (await house.Server.ReadAsync(db => db.People.AsNoTracking().SingleAsync(row => row.Id == person.Id))).PasswordHash!;

    /// <summary>As ours, with parameters of another day.</summary>
    private static string Made(string secret, byte[] pepper, int memory, int passes)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var argon2 = PasswordBasedKeyDerivationAlgorithm.Argon2id(new Argon2Parameters { MemorySize = memory, NumberOfPasses = passes, DegreeOfParallelism = 1 });
        var hash = argon2.DeriveBytes(HMACSHA256.HashData(pepper, Encoding.UTF8.GetBytes(secret)), salt, 32);
        return $"$argon2id$v=19$m={memory},t={passes},p=1${Convert.ToBase64String(salt).TrimEnd('=')}${Convert.ToBase64String(hash).TrimEnd('=')}";
    }

    [GeneratedRegex(@"^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$")]
    private static partial Regex Phc();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
