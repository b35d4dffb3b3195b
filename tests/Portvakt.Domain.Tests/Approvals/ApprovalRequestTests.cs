using System.Globalization;
using Portvakt.Domain.Approvals;

namespace Portvakt.Domain.Tests.Approvals;

public sealed class ApprovalRequestTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly DateTimeOffset Start = new(2026, 11, 2, 8, 0, 0, TimeSpan.Zero);
    private static readonly Guid Kari = new("00000000-0000-0000-0000-000000000001");
    private static readonly Guid Phone = new("00000000-0000-0000-0000-000000000002");
    private static readonly Guid OtherPhone = new("00000000-0000-0000-0000-000000000003");
    private static readonly byte[] Evidence = [1];

    [Fact]
    public void Of_all_numbers_exactly_the_one_shown_approves_and_any_other_ends_it()
    {
        var shown = New().DisplayedNumber;
        foreach (var typed in Enumerable.Range(0, 100).Select(number => number.ToString(CultureInfo.InvariantCulture)))
        {
            var request = New(shown);
            Assert.Equal(AnswerOutcome.Recorded, request.Answer(Phone, Decision.Approve, typed, Evidence, Start));
            Assert.Equal(typed == shown ? ApprovalState.Approved : ApprovalState.WrongNumber, request.State);
            Assert.Equal(AnswerOutcome.AlreadyAnswered, request.Answer(Phone, Decision.Approve, shown, Evidence, Start));
            Assert.Equal(typed == shown ? ApprovalState.Approved : ApprovalState.WrongNumber, request.State);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" {0}")]
    [InlineData("{0} ")]
    [InlineData("0{0}")]
    [InlineData("+{0}")]
    [InlineData("{0}.0")]
    public void What_only_resembles_the_number_is_wrong(string? typed)
    {
        var request = New();
        request.Answer(Phone, Decision.Approve, typed?.Replace("{0}", request.DisplayedNumber), Evidence, Start);
        Assert.Equal(ApprovalState.WrongNumber, request.State);
    }

    [Theory]
    [InlineData(Decision.Approve, ApprovalState.Approved)]
    [InlineData(Decision.Cancelled, ApprovalState.Denied)]
    [InlineData(Decision.NotMe, ApprovalState.Reported)]
    public void Each_decision_is_the_only_one_for_every_state_that_is_over(Decision decision, ApprovalState after)
    {
        var pending = New();
        Assert.Equal(AnswerOutcome.Recorded, pending.Answer(Phone, decision, pending.DisplayedNumber, Evidence, Start));
        Assert.Equal((after, (DateTimeOffset?)Start, (Guid?)Phone), (pending.State, pending.AnsweredAt, pending.AnsweredByPhoneId));
        Assert.Equal(Evidence, pending.Evidence);

        foreach (var over in Enum.GetValues<ApprovalState>().Where(state => state is not ApprovalState.Pending))
        {
            var request = In(over);
            Assert.Equal(AnswerOutcome.AlreadyAnswered, request.Answer(OtherPhone, decision, request.DisplayedNumber, [2], Start));
            Assert.Equal(over, request.State);
            Assert.NotEqual(OtherPhone, request.AnsweredByPhoneId);
            Assert.False(request.IsLive(Start));
        }
    }

    [Fact]
    public void It_ends_to_the_millisecond_whatever_is_answered()
    {
        var ends = Start + ApprovalRequest.DefaultLifetime;
        Assert.Equal(TimeSpan.FromSeconds(60), ApprovalRequest.DefaultLifetime);
        foreach (var decision in Enum.GetValues<Decision>())
        {
            var (inTime, late) = (New(), New());
            Assert.True(inTime.IsLive(ends - Tick));
            Assert.Equal(AnswerOutcome.Recorded, inTime.Answer(Phone, decision, inTime.DisplayedNumber, Evidence, ends - Tick));
            Assert.False(late.IsLive(ends));
            Assert.Equal(AnswerOutcome.Expired, late.Answer(Phone, decision, late.DisplayedNumber, Evidence, ends));
            Assert.Equal(ApprovalState.Pending, late.State);
            Assert.Null(late.Evidence);
        }
    }

    [Fact]
    public void It_concerns_the_persons_phones_or_the_one_that_is_tested()
    {
        Assert.True(New().Concerns(Kari, Phone));
        Assert.True(New().Concerns(Kari, OtherPhone));
        Assert.False(New().Concerns(Guid.Empty, Phone));
        var test = new ApprovalRequest(Kari, "attempt", ApprovalPurpose.EnrolmentTest, Phone, 2, Start, ApprovalRequest.DefaultLifetime);
        Assert.True(test.Concerns(Kari, Phone));
        Assert.False(test.Concerns(Kari, OtherPhone));
        Assert.False(test.Concerns(Guid.Empty, Phone));
    }

    [Fact]
    public void Numbers_are_even_over_ten_to_ninety_nine()
    {
        const int draws = 1_000_000;
        var seen = new int[100];
        for (var draw = 0; draw < draws; draw++) seen[New().MatchingNumber]++;
        Assert.Equal(0, seen.Take(10).Sum());

        // Chi-square with 89 degrees of freedom: a fair generator goes above 200 less than once in 10^9 runs.
        const double expected = draws / 90.0;
        var chiSquare = seen.Skip(10).Sum(count => (count - expected) * (count - expected) / expected);
        Assert.True(chiSquare < 200, $"chi-square {chiSquare}");
    }

    [Fact]
    public void Strict_mode_shows_six_digits_and_nothing_else_exists()
    {
        for (var draw = 0; draw < 1000; draw++)
        {
            var request = new ApprovalRequest(Kari, "attempt", ApprovalPurpose.SignIn, null, 6, Start, ApprovalRequest.DefaultLifetime);
            Assert.InRange(request.MatchingNumber, 100_000, 999_999);
            Assert.Equal(6, request.DisplayedNumber.Length);
        }

        foreach (var digits in new[] { 0, 1, 3, 4, 5, 7 })
            Assert.Throws<ArgumentOutOfRangeException>(() => new ApprovalRequest(Kari, "attempt", ApprovalPurpose.SignIn, null, digits, Start, ApprovalRequest.DefaultLifetime));
    }

    [Fact]
    public void No_two_requests_share_a_name_or_a_nonce()
    {
        var requests = Enumerable.Range(0, 1000).Select(_ => New()).ToList();
        Assert.Equal(1000, requests.Select(request => request.Id).Distinct().Count());
        Assert.Equal(1000, requests.Select(request => Convert.ToHexString(request.Nonce)).Distinct().Count());
        Assert.All(requests, request => Assert.Equal((22, 16), (request.Id.Length, request.Nonce.Length)));
    }

    private static ApprovalRequest New() => new(Kari, "attempt", ApprovalPurpose.SignIn, null, 2, Start, ApprovalRequest.DefaultLifetime);

    /// <summary>A request that shows a certain number: as many as it takes.</summary>
    private static ApprovalRequest New(string shown)
    {
        while (true)
        {
            if (New() is var request && request.DisplayedNumber == shown) return request;
        }
    }

    private static ApprovalRequest In(ApprovalState state)
    {
        var request = New();
        if (state is ApprovalState.Superseded) typeof(ApprovalRequest).GetProperty(nameof(ApprovalRequest.State))!.SetValue(request, state); // as one statement of the database does
        else if (state is not ApprovalState.Pending)
        {
            var decision = state switch { ApprovalState.Denied => Decision.Cancelled, ApprovalState.Reported => Decision.NotMe, _ => Decision.Approve };
            request.Answer(Phone, decision, state is ApprovalState.Approved ? request.DisplayedNumber : "0", Evidence, Start);
        }

        Assert.Equal(state, request.State);
        return request;
    }
}
