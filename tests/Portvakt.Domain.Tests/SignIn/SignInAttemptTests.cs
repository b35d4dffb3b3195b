using CsCheck;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;

namespace Portvakt.Domain.Tests.SignIn;

public sealed class SignInAttemptTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 2, 8, 0, 0, TimeSpan.Zero);
    private static readonly Guid Kari = new("00000000-0000-0000-0000-000000000001");
    private static readonly Guid Ola = new("00000000-0000-0000-0000-000000000002");

    private static readonly (string Name, Action<SignInAttempt, DateTimeOffset> Do)[] Moves =
    [
        ("password of Kari", (attempt, now) => attempt.RecordPassword(Kari, now)),
        ("password of Ola", (attempt, now) => attempt.RecordPassword(Ola, now)),
        ("second factor", (attempt, now) => attempt.RecordSecondFactor(SecondFactorMethod.Phone, now)),
        ("postpone", (attempt, now) => attempt.Postpone(now)),
        ("begin enrolment", (attempt, now) => attempt.BeginEnrolment(now)),
        ("choose notifications", (attempt, now) => attempt.Choose(EnrolmentMethod.Notifications, now)),
        ("choose code", (attempt, now) => attempt.Choose(EnrolmentMethod.Code, now)),
        ("choose again", (attempt, now) => attempt.ChooseAgain(now)),
        ("begin test", (attempt, now) => attempt.BeginTest(now)),
        ("return to set-up", (attempt, now) => attempt.ReturnToSetUp(now)),
        ("enrolled", (attempt, now) => attempt.RecordEnrolment(SecondFactorMethod.Code, now)),
        ("finish backup", (attempt, now) => attempt.FinishBackup(now)),
        ("stay", (attempt, now) => attempt.AnswerStaySignedIn(true, now)),
        ("done", (attempt, now) => attempt.AcknowledgeDone(now)),
        ("finish", (attempt, now) => attempt.Finish("sid", now)),
        ("abandon", (attempt, now) => attempt.Abandon(now)),
        ("redeem", (attempt, now) => attempt.Redeem(now)),
    ];

    [Fact]
    public void Whatever_is_called_in_whatever_order_the_attempt_stays_true() =>
        Gen.Select(Gen.Int[0, Moves.Length - 1], Gen.Int[0, 400]).Array[1, 40].Sample(
            walk =>
            {
                var attempt = New();
                var (now, finishes, redeems) = (Start, 0, 0);
                foreach (var (move, seconds) in walk)
                {
                    now += TimeSpan.FromSeconds(seconds);
                    var before = Snapshot(attempt);
                    var (person, redeemed) = (attempt.PersonId, attempt.RedeemedAt);
                    try
                    {
                        Moves[move].Do(attempt, now);
                        if (Moves[move].Name is "finish") finishes++;
                        if (Moves[move].Name is "redeem" && attempt.RedeemedAt != redeemed) redeems++;
                    }
                    catch (InvalidOperationException)
                    {
                        Assert.Equal(before, Snapshot(attempt)); // a refusal changes nothing
                    }

                    if (person is not null) Assert.Equal(person, attempt.PersonId);
                    Holds(attempt, now);
                }

                Assert.True(finishes <= 1);
                Assert.True(redeems <= finishes);
            },
            iter: 3_000);

    [Fact]
    public void Progress_renews_the_time_limit_and_enrolment_gets_more()
    {
        var attempt = New();
        Assert.True(attempt.IsLive(Start + SignInAttempt.Lifetime - TimeSpan.FromMilliseconds(1)));
        Assert.False(attempt.IsLive(Start + SignInAttempt.Lifetime));

        var now = Start + TimeSpan.FromMinutes(9);
        attempt.RecordPassword(Kari, now);
        Assert.Equal(now + SignInAttempt.Lifetime, attempt.ExpiresAt);
        attempt.BeginEnrolment(now);
        Assert.Equal(now + SignInAttempt.EnrolmentLifetime, attempt.ExpiresAt);
        Assert.True(attempt.IsLive(now + SignInAttempt.EnrolmentLifetime - TimeSpan.FromMilliseconds(1)));
        Assert.False(attempt.IsLive(now + SignInAttempt.EnrolmentLifetime));
        attempt.RecordEnrolment(SecondFactorMethod.Phone, now);
        Assert.Equal(now + SignInAttempt.Lifetime, attempt.ExpiresAt);
    }

    [Fact]
    public void However_busy_an_attempt_ends_an_hour_after_it_began()
    {
        var begun = new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero);
        var attempt = new SignInAttempt([1], new SignInRequest(), begun);
        attempt.RecordPassword(Guid.CreateVersion7(), begun);
        attempt.BeginEnrolment(begun);
        for (var minutes = 1; minutes < 60; minutes++) attempt.Choose(EnrolmentMethod.Notifications, begun.AddMinutes(minutes));
        Assert.True(attempt.ExpiresAt > begun + SignInAttempt.LongestLifetime);
        Assert.True(attempt.IsLive(begun + SignInAttempt.LongestLifetime - TimeSpan.FromMilliseconds(1)));
        Assert.False(attempt.IsLive(begun + SignInAttempt.LongestLifetime));
    }

    [Fact]
    public void An_abandoned_attempt_is_over_at_once()
    {
        var attempt = New();
        attempt.RecordPassword(Kari, Start);
        attempt.Abandon(Start);
        Assert.False(attempt.IsLive(Start));
    }

    [Fact]
    public void A_finished_attempt_answers_one_request_within_five_minutes()
    {
        var (inTime, late, unfinished) = (Finished(), Finished(), New());
        Assert.True(inTime.Redeem(Start + TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1)));
        Assert.False(inTime.Redeem(Start + TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1)));
        Assert.False(late.Redeem(Start + TimeSpan.FromMinutes(5)));
        Assert.False(unfinished.Redeem(Start));
        Assert.Throws<InvalidOperationException>(() => inTime.Finish("another", Start));
    }

    [Fact]
    public void Two_people_never_share_an_attempt()
    {
        var attempt = New();
        attempt.RecordPassword(Kari, Start);
        attempt.RecordPassword(Kari, Start);
        Assert.Throws<InvalidOperationException>(() => attempt.RecordPassword(Ola, Start));
        Assert.Equal(Kari, attempt.PersonId);
    }

    [Fact]
    public void Only_the_browser_that_began_owns_it()
    {
        var attempt = New();
        Assert.True(attempt.BelongsTo(new byte[32]));
        Assert.False(attempt.BelongsTo([.. Enumerable.Repeat((byte)0, 31), 1]));
        Assert.False(attempt.BelongsTo([]));
    }

    private static SignInAttempt New() => new(new byte[32], new SignInRequest(), Start);

    private static SignInAttempt Finished()
    {
        var attempt = New();
        attempt.RecordPassword(Kari, Start);
        attempt.Finish("sid", Start);
        return attempt;
    }

    private static void Holds(SignInAttempt attempt, DateTimeOffset now)
    {
        Assert.Equal(attempt.PasswordVerifiedAt is null, attempt.PersonId is null);
        Assert.True(attempt.SecondFactorVerifiedAt is null || attempt.PasswordVerifiedAt is not null);
        Assert.Equal(attempt.SecondFactorVerifiedAt is null, attempt.SecondFactorMethod is null);
        Assert.True(attempt.EnrolledAt is null || (attempt.EnrolmentBegunAt is not null && attempt.SecondFactorVerifiedAt is not null));
        Assert.True(attempt.BackupFinishedAt is null || attempt.EnrolledAt is not null);
        Assert.True(attempt.TestBegunAt is null || attempt.Chosen is EnrolmentMethod.Notifications);
        Assert.Equal(attempt.FinishedAt is null, attempt.SessionId is null);
        Assert.True(attempt.FinishedAt is null || (attempt.PasswordVerifiedAt is not null && !attempt.IsLive(now)));
        Assert.True(attempt.RedeemedAt is null || attempt.RedeemedAt < attempt.FinishedAt + TimeSpan.FromMinutes(5));
        Assert.True(attempt.ExpiresAt <= now + SignInAttempt.EnrolmentLifetime);

        // What the rule makes of the facts: never through without the proofs, whoever asks.
        foreach (var usable in new[] { Methods.None, Methods.App })
        {
            var step = SignInSteps.Next(attempt.Progress(usable, offersStaySignedIn: false, EnrolmentDoor.Open, mustChangePassword: false, now), EnrolmentDuty.Required);
            if (step is SignInStep.Finish) Assert.True(usable is Methods.App && attempt.SecondFactorVerifiedAt is not null);
        }
    }

    private static string Snapshot(SignInAttempt attempt) =>
        string.Join('|', typeof(SignInAttempt).GetProperties().Select(property => property.GetValue(attempt) is byte[] bytes ? Convert.ToHexString(bytes) : $"{property.GetValue(attempt)}"));
}
