using Portvakt.Domain.Authenticators;

namespace Portvakt.Domain.Tests.Authenticators;

public sealed class AccessPassTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 2, 8, 0, 0, TimeSpan.Zero);
    private static readonly Guid Kari = new("11111111-1111-1111-1111-111111111111");
    private static readonly Guid First = new("22222222-2222-2222-2222-222222222222");
    private static readonly Guid Second = new("33333333-3333-3333-3333-333333333333");
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private static AccessPass Pass(TimeSpan lifetime, bool oneTime = true) => new(Kari, [1], lifetime, oneTime, First, Now);

    [Fact]
    public void Rollout_R27_A_pass_lasts_from_ten_minutes_to_thirty_days()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Pass(TimeSpan.FromMinutes(10) - Tick));
        Assert.Throws<ArgumentOutOfRangeException>(() => Pass(TimeSpan.FromDays(30) + Tick));
        Assert.True(Pass(TimeSpan.FromMinutes(10)).IsLive(Now));
        Assert.True(Pass(TimeSpan.FromDays(30)).IsLive(Now + TimeSpan.FromDays(30) - Tick));
        Assert.False(Pass(TimeSpan.FromDays(30)).IsLive(Now + TimeSpan.FromDays(30)));
        Assert.Equal(TimeSpan.FromHours(1), AccessPass.DefaultLifetime);
    }

    [Fact]
    public void Rollout_R27_A_pass_works_once_unless_it_was_given_for_more()
    {
        var once = Pass(TimeSpan.FromHours(1));
        Assert.True(once.Use(Now));
        Assert.False(once.Use(Now + Tick));
        Assert.Equal(Now, once.UsedAt);

        var more = Pass(TimeSpan.FromHours(1), oneTime: false);
        Assert.True(more.Use(Now));
        Assert.True(more.Use(Now + Tick));
        Assert.False(more.Use(Now + TimeSpan.FromHours(1)));
    }

    [Fact]
    public void Rollout_A_pass_that_was_taken_back_opens_nothing()
    {
        var pass = Pass(TimeSpan.FromHours(1));
        pass.Revoke(Now);
        Assert.False(pass.Use(Now));
        pass.Revoke(Now + Tick);
        Assert.Equal(Now, pass.RevokedAt);
    }

    [Fact]
    public void Rollout_R44_An_administrators_pass_has_no_code_until_a_second_administrator_confirms()
    {
        var pass = AccessPass.AskFor(Kari, First, Now);
        Assert.False(pass.IsLive(Now));
        Assert.False(pass.Use(Now));
        Assert.False(pass.Confirm(First, [1], Now)); // not who asked
        Assert.False(pass.Confirm(Kari, [1], Now)); // not who would use it
        Assert.False(pass.Confirm(Second, [1], Now + AccessPass.DefaultLifetime)); // not when nobody waits any more
        Assert.Empty(pass.Hash);
        Assert.True(pass.Confirm(Second, [1], Now + TimeSpan.FromMinutes(30)));
        Assert.False(pass.Confirm(new Guid("44444444-4444-4444-4444-444444444444"), [2], Now + TimeSpan.FromMinutes(31))); // once
        Assert.Equal([1], pass.Hash);
        Assert.Equal(Second, pass.ConfirmedBy);
        Assert.True(pass.Use(Now + TimeSpan.FromMinutes(80)));
    }

    [Fact]
    public void Rollout_A_pass_that_was_asked_for_and_taken_back_is_not_confirmed()
    {
        var pass = AccessPass.AskFor(Kari, First, Now);
        pass.Revoke(Now);
        Assert.False(pass.Confirm(Second, [1], Now));
    }

    [Fact]
    public void A_pass_is_read_aloud_in_three_groups_of_four() => Assert.Equal("ABCD-EFGH-IJKL", AccessPass.Format("ABCDEFGHIJKL"));
}
