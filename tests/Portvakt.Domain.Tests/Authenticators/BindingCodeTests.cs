using Portvakt.Domain.Authenticators;

namespace Portvakt.Domain.Tests.Authenticators;

/// <summary>Each state of the code in the picture, and what a phone may do with it.</summary>
public sealed class BindingCodeTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly DateTimeOffset Start = new(2026, 11, 2, 8, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Late = Start + BindingCode.Lifetime;

    public enum Story
    {
        Waiting,
        Claimed,
        ClaimedAndTaken,
        Bound,
        Confirmed,
        UsedTwice,
        Replaced,
        ReplacedAfterClaim,
        WrongNumber,
    }

    [Theory]
    [InlineData(Story.Waiting, "first", ClaimOutcome.Claimed, BindingState.Claimed)]
    [InlineData(Story.Claimed, "first", ClaimOutcome.Claimed, BindingState.Claimed)]
    [InlineData(Story.Claimed, "second", ClaimOutcome.UsedTwice, BindingState.UsedTwice)]
    [InlineData(Story.ClaimedAndTaken, "first", ClaimOutcome.Claimed, BindingState.Claimed)]
    [InlineData(Story.ClaimedAndTaken, "second", ClaimOutcome.UsedTwice, BindingState.UsedTwice)]
    [InlineData(Story.Bound, "first", ClaimOutcome.AlreadyUsed, BindingState.Bound)]
    [InlineData(Story.Bound, "second", ClaimOutcome.UsedTwice, BindingState.UsedTwice)]
    [InlineData(Story.Confirmed, "first", ClaimOutcome.AlreadyUsed, BindingState.Confirmed)]
    [InlineData(Story.Confirmed, "second", ClaimOutcome.AlreadyUsed, BindingState.Confirmed)]
    [InlineData(Story.UsedTwice, "first", ClaimOutcome.UsedTwice, BindingState.UsedTwice)]
    [InlineData(Story.UsedTwice, "second", ClaimOutcome.UsedTwice, BindingState.UsedTwice)]
    [InlineData(Story.UsedTwice, "third", ClaimOutcome.UsedTwice, BindingState.UsedTwice)]
    [InlineData(Story.Replaced, "first", ClaimOutcome.Expired, BindingState.Replaced)]
    [InlineData(Story.ReplacedAfterClaim, "first", ClaimOutcome.Expired, BindingState.Replaced)]
    [InlineData(Story.ReplacedAfterClaim, "second", ClaimOutcome.Expired, BindingState.Replaced)]
    [InlineData(Story.WrongNumber, "first", ClaimOutcome.Expired, BindingState.WrongNumber)]
    [InlineData(Story.WrongNumber, "second", ClaimOutcome.Expired, BindingState.WrongNumber)]
    public void What_a_phone_gets_that_presents_the_code(Story story, string phone, ClaimOutcome outcome, BindingState after)
    {
        var code = Told(story);
        Assert.Equal(outcome, code.Claim(phone, Start));
        Assert.Equal(after, code.State);
        Assert.Equal(outcome is ClaimOutcome.Claimed, code.TakeChallenge(Start) is not null);
    }

    [Theory]
    [InlineData(Story.Waiting, "first", ClaimOutcome.Expired, BindingState.Waiting)]
    [InlineData(Story.Claimed, "first", ClaimOutcome.Expired, BindingState.Claimed)]
    [InlineData(Story.Claimed, "second", ClaimOutcome.UsedTwice, BindingState.UsedTwice)]
    [InlineData(Story.Bound, "first", ClaimOutcome.AlreadyUsed, BindingState.Bound)]
    [InlineData(Story.Bound, "second", ClaimOutcome.UsedTwice, BindingState.UsedTwice)]
    public void After_ten_minutes_it_gives_nothing_more_but_a_second_phone_still_voids_it(Story story, string phone, ClaimOutcome outcome, BindingState after)
    {
        var code = Told(story);
        Assert.Equal(outcome, code.Claim(phone, Late));
        Assert.Equal(after, code.State);
        Assert.Null(code.TakeChallenge(Late));
    }

    [Fact]
    public void It_lives_ten_minutes_to_the_millisecond()
    {
        var code = New();
        Assert.Equal(TimeSpan.FromMinutes(10), BindingCode.Lifetime);
        Assert.True(code.IsOpen(Late - Tick));
        Assert.False(code.IsOpen(Late));
        Assert.Equal(ClaimOutcome.Claimed, code.Claim("first", Late - Tick));
        Assert.True(code.IsOpen(Late - Tick));
        Assert.False(code.IsOpen(Late));
        Assert.Null(code.TakeChallenge(Late));
        Assert.NotNull(code.TakeChallenge(Late - Tick));
        Assert.Equal(ClaimOutcome.Expired, New().Claim("first", Late));
    }

    [Fact]
    public void The_challenge_is_given_out_once_and_is_new_at_each_claim()
    {
        var code = New();
        code.Claim("first", Start);
        var first = code.TakeChallenge(Start);
        Assert.Equal(32, first!.Length);
        Assert.Null(code.TakeChallenge(Start));
        code.Claim("first", Start);
        Assert.NotEqual(first, code.TakeChallenge(Start));
    }

    [Theory]
    [InlineData(Story.Waiting, true)]
    [InlineData(Story.Claimed, true)]
    [InlineData(Story.Bound, false)]
    [InlineData(Story.Confirmed, false)]
    [InlineData(Story.UsedTwice, false)]
    [InlineData(Story.Replaced, false)]
    public void Only_a_code_nobody_has_finished_with_is_open(Story story, bool open) => Assert.Equal(open, Told(story).IsOpen(Start));

    [Theory]
    [InlineData(Story.Waiting, BindingState.Replaced)]
    [InlineData(Story.Claimed, BindingState.Replaced)]
    [InlineData(Story.Bound, BindingState.Replaced)]
    [InlineData(Story.Confirmed, BindingState.Confirmed)]
    [InlineData(Story.UsedTwice, BindingState.UsedTwice)]
    public void A_new_picture_replaces_all_but_what_is_over(Story story, BindingState after)
    {
        var code = Told(story);
        code.Replace();
        Assert.Equal(after, code.State);
        if (after is BindingState.Replaced) Assert.Empty(code.SealedCodes);
    }

    [Fact]
    public void A_bound_code_forgets_its_text_and_never_knew_it()
    {
        var code = Told(Story.Bound);
        Assert.Empty(code.SealedCodes);
        Assert.Equal(BindingCode.HashOf("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), code.CodeHash);
        Assert.Equal(BindingCode.HashOf("ABCDEFGHIJKL"), code.TypedCodeHash);
        Assert.Equal(32, code.UserHandle.Length);
        Assert.NotEqual(New().UserHandle, New().UserHandle);
    }

    private static BindingCode New() => new("attempt", Guid.Empty, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ABCDEFGHIJKL", Start) { SealedCodes = [1] };

    private static BindingCode Told(Story story)
    {
        var code = New();
        if (story is Story.Replaced) code.Replace();
        if (story is Story.Waiting or Story.Replaced) return code;
        code.Claim("first", Start);
        if (story is Story.ClaimedAndTaken) code.TakeChallenge(Start);
        if (story is Story.Bound or Story.Confirmed) code.Bind(Guid.Empty);
        if (story is Story.WrongNumber) code.BindMoved(Guid.Empty, 2, Start);
        if (story is Story.WrongNumber) code.Move("1", Start);
        if (story is Story.Confirmed) code.Confirm();
        if (story is Story.UsedTwice) code.Claim("second", Start);
        if (story is Story.ReplacedAfterClaim) code.Replace();
        return code;
    }

    [Theory]
    [InlineData(2, 10, 99)]
    [InlineData(6, 100_000, 999_999)]
    public void The_number_of_a_move_has_its_digits_and_is_tried_once(int digits, int least, int most)
    {
        var now = new DateTimeOffset(2026, 11, 2, 9, 0, 0, TimeSpan.Zero);
        foreach (var right in new[] { true, false })
        {
            var old = new PhoneAuthenticator(Guid.CreateVersion7(now), new string('a', 43), [1], PhoneUnlock.Passkey, "Pixel", "2026-11", "0.1.0", now);
            var move = new BindingCode(old, new string('A', BindingCode.Length), new string('B', BindingCode.TypedLength), now);
            Assert.Equal((old.Id, old.PersonId, null), (move.ReplacesPhoneId, move.PersonId, move.AttemptId));
            move.Claim("new", now);
            move.BindMoved(Guid.CreateVersion7(now), digits, now);
            Assert.InRange(move.MatchingNumber!.Value, least, most);
            Assert.Equal(digits, move.Digits);
            Assert.Equal(right, move.Move((move.MatchingNumber.Value + (right ? 0 : 1)).ToString(System.Globalization.CultureInfo.InvariantCulture), now));
            Assert.Equal(right ? BindingState.Confirmed : BindingState.WrongNumber, move.State);
            Assert.Throws<InvalidOperationException>(() => move.Move("42", now));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" 42")]
    public void What_is_no_number_moves_nothing(string? typed)
    {
        var now = new DateTimeOffset(2026, 11, 2, 9, 0, 0, TimeSpan.Zero);
        var old = new PhoneAuthenticator(Guid.CreateVersion7(now), new string('a', 43), [1], PhoneUnlock.Passkey, "Pixel", "2026-11", "0.1.0", now);
        var move = new BindingCode(old, new string('A', BindingCode.Length), new string('B', BindingCode.TypedLength), now);
        Assert.Throws<InvalidOperationException>(() => move.Move(typed, now)); // nothing is bound yet
        move.Claim("new", now);
        move.BindMoved(Guid.CreateVersion7(now), 2, now);
        Assert.False(move.Move(typed, now));
    }
}
