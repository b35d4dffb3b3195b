using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;

namespace Portvakt.Domain.Tests.Sessions;

public sealed class SessionTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly DateTimeOffset Start = new(2026, 11, 2, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_session_that_does_not_stay_ends_after_an_hour_without_use()
    {
        var session = New(stay: false);
        Assert.True(session.IsLive(Start + TimeSpan.FromHours(1) - Tick));
        Assert.False(session.IsLive(Start + TimeSpan.FromHours(1)));
        Assert.True(session.Touch(Start + TimeSpan.FromHours(1) - Tick));
        Assert.True(session.IsLive(Start + TimeSpan.FromHours(2) - Tick - Tick));
        Assert.False(session.IsLive(Start + TimeSpan.FromHours(2) - Tick));
    }

    [Fact]
    public void A_session_that_does_not_stay_ends_after_a_day_however_busy()
    {
        var session = New(stay: false);
        for (var now = Start; now < Start + TimeSpan.FromHours(24); now += TimeSpan.FromMinutes(30)) session.Touch(now);
        session.Touch(Start + TimeSpan.FromHours(24) - Tick);
        Assert.True(session.IsLive(Start + TimeSpan.FromHours(24) - Tick));
        Assert.False(session.IsLive(Start + TimeSpan.FromHours(24)));
    }

    [Fact]
    public void A_session_that_stays_outlives_idleness_and_ends_to_the_millisecond()
    {
        var session = New(stay: true);
        Assert.True(session.IsLive(Start + Session.StayLifetime - Tick));
        Assert.False(session.IsLive(Start + Session.StayLifetime));
        session.Touch(Start + Session.StayLifetime - Tick);
        Assert.False(session.IsLive(Start + Session.StayLifetime));
        Assert.True(New(stay: true, TimeSpan.FromDays(7)).IsLive(Start + TimeSpan.FromDays(7) - Tick));
        Assert.False(New(stay: true, TimeSpan.FromDays(7)).IsLive(Start + TimeSpan.FromDays(7)));
    }

    [Fact]
    public void Not_answering_the_question_is_not_a_yes() => Assert.False(New(stay: null).Stays);

    [Fact]
    public void Reading_a_page_is_written_at_most_once_a_minute()
    {
        var session = New(stay: false);
        Assert.False(session.Touch(Start + TimeSpan.FromMinutes(1) - Tick));
        Assert.Equal(Start, session.LastSeenAt);
        Assert.True(session.Touch(Start + TimeSpan.FromMinutes(1)));
        Assert.Equal(Start + TimeSpan.FromMinutes(1), session.LastSeenAt);
    }

    [Fact]
    public void It_says_how_sure_the_sign_in_was_and_holds_no_secret()
    {
        Assert.Equal(AssuranceLevel.Aal1, New(stay: false).Assurance);
        foreach (var method in Enum.GetValues<SecondFactorMethod>())
        {
            var session = New(stay: false, method: method);
            Assert.Equal((method is SecondFactorMethod.Passkey ? AssuranceLevel.PhishingResistant : AssuranceLevel.Aal2, (SecondFactorMethod?)method), (session.Assurance, session.Method));
            Assert.Contains("mfa", AuthenticationMethods.Of(method));
            Assert.Equal(RandomId.Hash("secret"), session.SecretHash);
        }

        Assert.Equal(["pwd"], AuthenticationMethods.Of(null));
    }

    private static Session New(bool? stay, TimeSpan? lifetime = null, SecondFactorMethod? method = null)
    {
        var attempt = new SignInAttempt(new byte[32], new SignInRequest(), Start);
        attempt.RecordPassword(Guid.Empty, Start);
        if (method is { } proven) attempt.RecordSecondFactor(proven, Start);
        if (stay is { } answer) attempt.AnswerStaySignedIn(answer, Start);
        return new Session("secret", Guid.Empty, attempt, "Firefox, Windows", null, Start, lifetime ?? Session.StayLifetime);
    }
}
