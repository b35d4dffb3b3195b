using System.Security.Cryptography;
using Portvakt.Domain.Authenticators;

namespace Portvakt.Domain.Tests.Authenticators;

/// <summary>Code generators of plastic: their clocks are followed, and whoever has one, a step counts once.</summary>
public sealed class TokenTests
{
    private static readonly byte[] Seed = "12345678901234567890"u8.ToArray();
    private static readonly Guid Kari = new("11111111-1111-1111-1111-111111111111");
    private static readonly Guid Ola = new("22222222-2222-2222-2222-222222222222");

    [Theory]
    [InlineData(30)]
    [InlineData(60)]
    public void The_first_code_may_be_ten_steps_off_and_no_more(int period)
    {
        for (var off = -13; off <= 13; off++)
        {
            var token = Handed(Kari, period);
            Assert.Equal(Math.Abs(off) <= 10, token.ActivateBy(Seed, Totp.CodeFor(Seed, 1000 + off), At(1000, period)));
            Assert.Equal(Math.Abs(off) <= 10 ? (AuthenticatorState.Active, off, At(1000, period)) : (AuthenticatorState.Unconfirmed, 0, default(DateTimeOffset?)), (token.State, token.Drift, token.LastUsedAt));
        }
    }

    [Fact]
    public void Later_the_window_is_one_step_around_the_clock_as_it_was_last_seen()
    {
        foreach (var drift in new[] { -8, 0, 7 })
        {
            for (var off = -4; off <= 4; off++)
            {
                var token = InUse(drift);
                Assert.Equal(Math.Abs(off) <= 1, token.Verify(Seed, Totp.CodeFor(Seed, 2000 + drift + off), At(2000)));
                Assert.Equal(Math.Abs(off) <= 1 ? drift + off : drift, token.Drift);
            }
        }
    }

    [Fact]
    public void A_clock_that_goes_wrong_slowly_is_followed_for_years()
    {
        var token = InUse(0);
        for (var week = 1; week <= 150; week++)
        {
            var step = 1000 + (week * 20_160) - week; // half a minute behind more each week
            Assert.True(token.Verify(Seed, Totp.CodeFor(Seed, step), At(1000 + (week * 20_160))), $"week {week}");
            Assert.Equal(-week, token.Drift);
        }
    }

    [Fact]
    public void The_clock_of_an_app_is_not_followed()
    {
        var app = new TotpAuthenticator(Kari, null, null, At(1000));
        app.Activate();
        Assert.True(app.Verify(Seed, Totp.CodeFor(Seed, 1001), At(1000)));
        Assert.Equal(1, app.Drift);
        Assert.False(app.Verify(Seed, Totp.CodeFor(Seed, 2002), At(2000)));
    }

    [Fact]
    public void A_step_that_was_accepted_stays_spent_also_when_somebody_else_has_it()
    {
        var token = Handed(Kari);
        var code = Totp.CodeFor(Seed, 1000);
        Assert.True(token.ActivateBy(Seed, code, At(1000)));
        Assert.False(token.Verify(Seed, code, At(1000)));
        token.Revoke();
        Assert.False(token.Verify(Seed, Totp.CodeFor(Seed, 1001), At(1001)));

        token.Assign(Ola);
        Assert.Equal((Ola, AuthenticatorState.Unconfirmed, null), (token.PersonId, token.State, token.LastUsedAt));
        Assert.False(token.ActivateBy(Seed, code, At(1001)));
        Assert.False(token.ActivateBy(Seed, Totp.CodeFor(Seed, 999), At(1001)));
        Assert.True(token.ActivateBy(Seed, Totp.CodeFor(Seed, 1001), At(1001)));

        token.Revoke();
        token.Scrap();
        token.Restock([1]);
        token.Assign(Kari);
        Assert.False(token.ActivateBy(Seed, Totp.CodeFor(Seed, 1001), At(1002)));
    }

    [Fact]
    public void What_nobody_has_cannot_be_activated_and_what_is_in_use_cannot_be_given_away()
    {
        var token = TotpAuthenticator.OfPlastic("S1", null, 30, At(1000));
        token.SealedSeed = [1];
        Assert.False(token.ActivateBy(Seed, Totp.CodeFor(Seed, 1000), At(1000)));
        token.Assign(Kari);
        token.TakeBack();
        Assert.False(token.ActivateBy(Seed, Totp.CodeFor(Seed, 1000), At(1000)));
        token.Assign(Kari);
        Assert.True(token.ActivateBy(Seed, Totp.CodeFor(Seed, 1000), At(1000)));
        Assert.False(token.ActivateBy(Seed, Totp.CodeFor(Seed, 1001), At(1000)));
        Assert.Throws<InvalidOperationException>(() => token.Assign(Ola));
        Assert.Throws<InvalidOperationException>(token.TakeBack);
        Assert.Throws<InvalidOperationException>(token.Scrap);
        token.Revoke();
        token.Scrap();
        Assert.Equal((TotpAuthenticator.Nobody, 0, true), (token.PersonId, token.SealedSeed.Length, token.IsScrapped));
        Assert.Throws<InvalidOperationException>(() => token.Assign(Ola));
        Assert.Throws<InvalidOperationException>(() => new TotpAuthenticator(Kari, null, null, At(1)).Assign(Ola)); // an app is its owner's
    }

    [Fact]
    public void A_serial_number_has_one_id()
    {
        Assert.Equal(TotpAuthenticator.IdOf("GA-1"), TotpAuthenticator.OfPlastic("GA-1", "Feitian c200", 60, At(1)).Id);
        Assert.NotEqual(TotpAuthenticator.IdOf("GA-1"), TotpAuthenticator.IdOf("GA-2"));
    }

    [Fact]
    public void Base32_reads_what_it_writes_and_nothing_that_is_not_whole()
    {
        for (var length = 0; length < 70; length++)
        {
            var bytes = RandomNumberGenerator.GetBytes(length);
            Assert.Equal(bytes, Base32.Decode(Base32.Encode(bytes)));
        }

        Assert.Equal(Seed, Base32.Decode("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
        foreach (var wrong in new[] { "A", "AAA", "AB", "GEZDGNBVG1", "GEZ DGNB", "gezdgnbv", "AA==" }) Assert.Null(Base32.Decode(wrong));
    }

    private static TotpAuthenticator Handed(Guid person, int period = 30)
    {
        var token = TotpAuthenticator.OfPlastic("S1", null, period, At(1, period));
        token.SealedSeed = [1];
        token.Assign(person);
        return token;
    }

    private static TotpAuthenticator InUse(int drift)
    {
        var token = Handed(Kari);
        Assert.True(token.ActivateBy(Seed, Totp.CodeFor(Seed, 1000 + drift), At(1000)));
        return token;
    }

    private static DateTimeOffset At(long step, int period = 30) => DateTimeOffset.FromUnixTimeSeconds(step * period);
}
