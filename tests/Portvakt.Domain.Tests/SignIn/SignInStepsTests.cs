using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;

namespace Portvakt.Domain.Tests.SignIn;

/// <summary>The policy: first as a table to read, then every combination there is against a second statement of the rules.</summary>
public sealed class SignInStepsTests
{
    private static readonly SignInProgress Nothing = new() { StaySignedInOffered = true, Door = EnrolmentDoor.Open };
    private static readonly SignInProgress Password = Nothing with { PasswordVerified = true };
    private static readonly SignInProgress Owner = Password with { HasAuthenticator = true };
    private static readonly SignInProgress Begun = Password with { EnrolmentBegun = true };
    private static readonly SignInProgress ByPhone = Begun with { Chosen = EnrolmentMethod.Notifications };
    private static readonly SignInProgress Enrolled = ByPhone with { TestBegun = true, HasAuthenticator = true, SecondFactorVerified = true, Enrolled = true };

    [Fact]
    public void The_policy_as_a_table()
    {
        (string Who, SignInProgress Progress, EnrolmentDuty Duty, SignInStep Next)[] rows =
        [
            ("Somebody who has just come", Nothing, EnrolmentDuty.None, SignInStep.Password),
            ("Somebody who has just come, after the deadline", Nothing, EnrolmentDuty.Blocked, SignInStep.Password),
            ("A person whom no rollout concerns", Password, EnrolmentDuty.None, SignInStep.StaySignedIn),
            ("The same, where nobody is asked to stay", Password with { StaySignedInOffered = false }, EnrolmentDuty.None, SignInStep.Finish),
            ("Kari, who has a phone", Owner, EnrolmentDuty.None, SignInStep.SecondFactor),
            ("Kari, who has a phone, although policy asks for nothing", Owner with { StaySignedInAnswered = true, DoneAcknowledged = true }, EnrolmentDuty.None, SignInStep.SecondFactor),
            ("Kari, who has a phone and once postponed", Owner with { EnrolmentPostponed = true }, EnrolmentDuty.MayPostpone, SignInStep.SecondFactor),
            ("Kari, who has approved", Owner with { SecondFactorVerified = true }, EnrolmentDuty.Required, SignInStep.StaySignedIn),
            ("Kari, who has approved and answered", Owner with { SecondFactorVerified = true, StaySignedInAnswered = true }, EnrolmentDuty.Required, SignInStep.Finish),
            ("Ola, before the deadline", Password, EnrolmentDuty.MayPostpone, SignInStep.OfferEnrolment),
            ("Ola, who said not now", Password with { EnrolmentPostponed = true }, EnrolmentDuty.MayPostpone, SignInStep.StaySignedIn),
            ("Ola, who said not now, at an application that asks for two factors", Password with { EnrolmentPostponed = true, Requested = AssuranceLevel.Aal2 }, EnrolmentDuty.MayPostpone, SignInStep.OfferEnrolment),
            ("Ola, who said not now, and the deadline passed meanwhile", Password with { EnrolmentPostponed = true }, EnrolmentDuty.Required, SignInStep.OfferEnrolment),
            ("Ola, after the deadline, where the helpdesk opens", Password, EnrolmentDuty.Blocked, SignInStep.Blocked),
            ("Ola, half-way through when the door closed", ByPhone, EnrolmentDuty.Blocked, SignInStep.Blocked),
            ("An application that asks for two factors opens no closed door", Password with { Requested = AssuranceLevel.Aal2 }, EnrolmentDuty.Blocked, SignInStep.Blocked),
            ("Nobody announced anything, but the application asks for two factors", Password with { Requested = AssuranceLevel.Aal2 }, EnrolmentDuty.None, SignInStep.OfferEnrolment),
            ("One factor is what every sign-in has", Password with { Requested = AssuranceLevel.Aal1, StaySignedInAnswered = true }, EnrolmentDuty.None, SignInStep.Finish),
            ("Ola, who said not now this morning", Password, EnrolmentDuty.Postponed, SignInStep.StaySignedIn),
            ("Ola, who said not now this morning, at an application that asks for two factors", Password with { Requested = AssuranceLevel.Aal2 }, EnrolmentDuty.Postponed, SignInStep.OfferEnrolment),
            ("The same behind a closed door", Password with { Requested = AssuranceLevel.Aal2, Door = EnrolmentDoor.Closed }, EnrolmentDuty.Postponed, SignInStep.Blocked),
            ("Ola is asked, but needs a pass to begin", Password with { Door = EnrolmentDoor.Closed }, EnrolmentDuty.MayPostpone, SignInStep.OfferEnrolment),
            ("Ola, blocked, with a pass", Password with { Door = EnrolmentDoor.OpenedByPass }, EnrolmentDuty.Blocked, SignInStep.OfferEnrolment),
            ("Ola, blocked, half-way through with a pass", ByPhone with { Door = EnrolmentDoor.OpenedByPass }, EnrolmentDuty.Blocked, SignInStep.SetUpPhone),
            ("Ola began with a pass, which is too old now", ByPhone with { Door = EnrolmentDoor.Closed }, EnrolmentDuty.Blocked, SignInStep.Blocked),
            ("Ola began in the office and goes on at home", ByPhone with { Door = EnrolmentDoor.Closed }, EnrolmentDuty.MayPostpone, SignInStep.OfferEnrolment),
            ("Kari, whose password a stranger knows", Owner with { SecondFactorVerified = true, MustChangePassword = true }, EnrolmentDuty.None, SignInStep.NewPassword),
            ("Whoever knows the password alone is not asked for a new one", Owner with { MustChangePassword = true }, EnrolmentDuty.None, SignInStep.SecondFactor),
            ("Ola begins", Begun, EnrolmentDuty.MayPostpone, SignInStep.ChooseMethod),
            ("Ola chose notifications", ByPhone, EnrolmentDuty.Required, SignInStep.SetUpPhone),
            ("Ola's phone is bound", ByPhone with { TestBegun = true }, EnrolmentDuty.Required, SignInStep.TestApproval),
            ("Ola chose a passkey", Begun with { Chosen = EnrolmentMethod.Passkey }, EnrolmentDuty.Required, SignInStep.SetUpPasskey),
            ("Ola chose the authentication phone", Begun with { Chosen = EnrolmentMethod.Telephone }, EnrolmentDuty.Required, SignInStep.SetUpTelephone),
            ("Ola chose the office phone", Begun with { Chosen = EnrolmentMethod.OfficeTelephone }, EnrolmentDuty.Required, SignInStep.SetUpTelephone),
            ("Ola chose the code generator", Begun with { Chosen = EnrolmentMethod.Token }, EnrolmentDuty.Required, SignInStep.SetUpToken),
            ("Kari adds a method", Owner with { Adds = true, SecondFactorVerified = true }, EnrolmentDuty.None, SignInStep.ChooseMethod),
            ("Kari adds a method, and her proof is too old", Owner with { Adds = true }, EnrolmentDuty.None, SignInStep.SecondFactor),
            ("Kari adds a passkey", Owner with { Adds = true, SecondFactorVerified = true, Chosen = EnrolmentMethod.Passkey }, EnrolmentDuty.None, SignInStep.SetUpPasskey),
            ("Kari approved, and the application wants a passkey, which she has", Owner with { SecondFactorVerified = true, Requested = AssuranceLevel.PhishingResistant, Gap = StrengthGap.HasStronger }, EnrolmentDuty.None, SignInStep.SecondFactor),
            ("Kari approved, and the application wants a passkey, which she has not", Owner with { SecondFactorVerified = true, Requested = AssuranceLevel.PhishingResistant, Gap = StrengthGap.NeedsStronger }, EnrolmentDuty.None, SignInStep.ChooseMethod),
            ("Ola chose codes", Begun with { Chosen = EnrolmentMethod.Code }, EnrolmentDuty.Required, SignInStep.SetUpCode),
            ("Ola is protected", Enrolled, EnrolmentDuty.Required, SignInStep.Backup),
            ("Ola has looked at the backup", Enrolled with { BackupFinished = true }, EnrolmentDuty.Required, SignInStep.StaySignedIn),
            ("Ola has answered", Enrolled with { BackupFinished = true, StaySignedInAnswered = true }, EnrolmentDuty.Required, SignInStep.Done),
            ("Ola goes back to the application", Enrolled with { BackupFinished = true, StaySignedInAnswered = true, DoneAcknowledged = true }, EnrolmentDuty.Required, SignInStep.Finish),
        ];
        Assert.All(rows, row => Assert.True(SignInSteps.Next(row.Progress, row.Duty) == row.Next, $"{row.Who}: {SignInSteps.Next(row.Progress, row.Duty)} instead of {row.Next}"));
    }

    [Fact]
    public void Every_combination_follows_the_rules_stated_a_second_time()
    {
        foreach (var (progress, duty) in Every())
        {
            if (SignInSteps.Next(progress, duty) != Restated(progress, duty)) Assert.Fail($"{SignInSteps.Next(progress, duty)} instead of {Restated(progress, duty)}: {duty}: {progress}");
        }
    }

    [Fact]
    public void There_are_as_many_combinations_as_there_are_facts()
    {
        // A new fact doubles this figure, and must be added to the generator below.
        var facts = typeof(SignInProgress).GetProperties().Length;
        Assert.Equal(17, facts);
        Assert.Equal((1 << 13) * 4 * 4 * 3 * 3, EveryProgress().Distinct().Count());
        Assert.Equal((1 << 13) * 4 * 4 * 3 * 3 * 5, Every().Count());
    }

    [Fact]
    public void Nobody_is_let_through_without_a_password() =>
        Never((progress, _, step) => !progress.PasswordVerified && step is not SignInStep.Password);

    [Fact]
    public void Whoever_has_a_second_factor_is_never_let_through_without_it() =>
        Never((progress, _, step) => progress is { HasAuthenticator: true, SecondFactorVerified: false } && step is not (SignInStep.Password or SignInStep.SecondFactor));

    [Fact]
    public void Nobody_passes_a_closed_door() =>
        Never((progress, duty, step) => duty is EnrolmentDuty.Blocked && progress is { HasAuthenticator: false, Door: not EnrolmentDoor.OpenedByPass } && step is not (SignInStep.Password or SignInStep.Blocked));

    [Fact]
    public void Nobody_sets_anything_up_behind_a_closed_door() =>
        Never((progress, _, step) => progress is { HasAuthenticator: false, Door: EnrolmentDoor.Closed, Enrolled: false } && step is (SignInStep.ChooseMethod or SignInStep.SetUpPhone or SignInStep.SetUpCode or SignInStep.SetUpPasskey or SignInStep.SetUpTelephone or SignInStep.SetUpToken or SignInStep.TestApproval));

    [Fact]
    public void Whoever_must_enrol_is_never_let_through_with_the_password_alone() =>
        Never((progress, duty, step) => duty is EnrolmentDuty.Required && !(progress.HasAuthenticator && progress.SecondFactorVerified) && IsThrough(step));

    [Fact]
    public void An_application_that_asks_for_two_factors_never_gets_a_person_with_one() =>
        Never((progress, _, step) => progress.Requested >= AssuranceLevel.Aal2 && !progress.SecondFactorVerified && IsThrough(step));

    [Fact]
    public void An_application_that_wants_a_passkey_never_gets_a_person_without_one() =>
        Never((progress, _, step) => progress.Gap is not StrengthGap.None && progress.HasAuthenticator && IsThrough(step));

    [Fact]
    public void Nobody_adds_a_method_without_having_proven_one() =>
        Never((progress, _, step) => progress is { HasAuthenticator: true, SecondFactorVerified: false } && step is (SignInStep.ChooseMethod or SignInStep.SetUpPhone or SignInStep.SetUpCode or SignInStep.SetUpPasskey or SignInStep.SetUpTelephone or SignInStep.SetUpToken or SignInStep.TestApproval));

    [Fact]
    public void Later_is_never_weaker()
    {
        EnrolmentDuty[] inTime = [EnrolmentDuty.None, EnrolmentDuty.Postponed, EnrolmentDuty.MayPostpone, EnrolmentDuty.Required, EnrolmentDuty.Blocked];
        foreach (var progress in EveryProgress())
        {
            var letThrough = inTime.Select(duty => IsThrough(SignInSteps.Next(progress, duty))).ToArray();
            for (var later = 1; later < inTime.Length; later++)
            {
                if (!letThrough[later - 1] && letThrough[later]) Assert.Fail($"{inTime[later]} lets through what {inTime[later - 1]} refused: {progress}");
            }
        }
    }

    [Fact]
    public void Asking_for_more_assurance_never_lets_more_through()
    {
        foreach (var (progress, duty) in Every().Where(pair => pair.Progress.Requested >= AssuranceLevel.Aal2 && IsThrough(SignInSteps.Next(pair.Progress, pair.Duty))))
        {
            foreach (var less in new[] { AssuranceLevel.None, AssuranceLevel.Aal1 })
            {
                if (!IsThrough(SignInSteps.Next(progress with { Requested = less }, duty))) Assert.Fail($"{less}: {duty}: {progress}");
            }
        }
    }

    [Fact]
    public void A_fact_that_proves_nothing_never_saves_a_factor()
    {
        // Walking through pages, forwards or backwards, is not proof (R3). Postponing is left out: it is what policy allows before the deadline.
        (string Fact, Func<SignInProgress, SignInProgress> Add)[] pages =
        [
            ("enrolment begun", progress => progress with { EnrolmentBegun = true }),
            ("notifications chosen", progress => progress with { Chosen = EnrolmentMethod.Notifications }),
            ("code chosen", progress => progress with { Chosen = EnrolmentMethod.Code }),
            ("nothing chosen", progress => progress with { Chosen = null }),
            ("test begun", progress => progress with { TestBegun = true }),
            ("backup finished", progress => progress with { BackupFinished = true }),
            ("asked to stay", progress => progress with { StaySignedInOffered = true }),
            ("answered to stay", progress => progress with { StaySignedInAnswered = true }),
            ("done", progress => progress with { DoneAcknowledged = true }),
            ("authenticator bound, not proven", progress => progress with { HasAuthenticator = true, SecondFactorVerified = false }),
        ];
        foreach (var (progress, duty) in Every().Where(pair => !IsThrough(SignInSteps.Next(pair.Progress, pair.Duty))))
        {
            foreach (var (fact, add) in pages)
            {
                if (IsThrough(SignInSteps.Next(add(progress), duty))) Assert.Fail($"“{fact}” opens the door: {duty}: {progress}");
            }
        }
    }

    [Fact]
    public void Postponing_opens_the_door_only_where_policy_says_so()
    {
        var opened = 0;
        foreach (var (progress, duty) in Every().Where(pair => !IsThrough(SignInSteps.Next(pair.Progress, pair.Duty)) && IsThrough(SignInSteps.Next(pair.Progress with { EnrolmentPostponed = true }, pair.Duty))))
        {
            opened++;
            if (duty is not EnrolmentDuty.MayPostpone || progress is not { HasAuthenticator: false, PasswordVerified: true, Requested: < AssuranceLevel.Aal2 }) Assert.Fail($"{duty}: {progress}");
        }

        Assert.True(opened > 0);
    }

    /// <summary>All that stands between the person and these steps is their own choice, no proof.</summary>
    private static bool IsThrough(SignInStep step) => step is SignInStep.Backup or SignInStep.NewPassword or SignInStep.StaySignedIn or SignInStep.Done or SignInStep.Finish;

    private static void Never(Func<SignInProgress, EnrolmentDuty, SignInStep, bool> forbidden)
    {
        foreach (var (progress, duty) in Every())
        {
            if (forbidden(progress, duty, SignInSteps.Next(progress, duty))) Assert.Fail($"{SignInSteps.Next(progress, duty)}: {duty}: {progress}");
        }
    }

    private static SignInStep Restated(SignInProgress progress, EnrolmentDuty duty)
    {
        if (!progress.PasswordVerified) return SignInStep.Password;
        if (progress.HasAuthenticator)
        {
            if (!progress.SecondFactorVerified || progress.Gap is StrengthGap.HasStronger) return SignInStep.SecondFactor;
            if (progress.Gap is StrengthGap.NeedsStronger || (progress.Adds && !progress.Enrolled)) return SetUp(progress);
        }
        else
        {
            var pass = progress.Door is EnrolmentDoor.OpenedByPass;
            var must = duty is EnrolmentDuty.Required || progress.Requested >= AssuranceLevel.Aal2 || (duty is EnrolmentDuty.Blocked && pass);
            if ((duty is EnrolmentDuty.Blocked && !pass) || (must && progress.Door is EnrolmentDoor.Closed)) return SignInStep.Blocked;
            if (progress.EnrolmentBegun && (progress.Door is not EnrolmentDoor.Closed || progress.Enrolled))
            {
                return SetUp(progress);
            }

            if (must || (duty is EnrolmentDuty.MayPostpone && !progress.EnrolmentPostponed)) return SignInStep.OfferEnrolment;
        }

        if (progress.Enrolled && !progress.BackupFinished) return SignInStep.Backup;
        if (progress.MustChangePassword && progress.SecondFactorVerified) return SignInStep.NewPassword;
        if (progress.StaySignedInOffered && !progress.StaySignedInAnswered) return SignInStep.StaySignedIn;
        return progress.Enrolled && !progress.DoneAcknowledged ? SignInStep.Done : SignInStep.Finish;
    }

    private static SignInStep SetUp(SignInProgress progress)
    {
        if (progress.Chosen is null) return SignInStep.ChooseMethod;
        if (progress.Chosen is EnrolmentMethod.Code) return SignInStep.SetUpCode;
        if (progress.Chosen is EnrolmentMethod.Passkey) return SignInStep.SetUpPasskey;
        return progress.TestBegun ? SignInStep.TestApproval : SignInStep.SetUpPhone;
    }

    private static IEnumerable<(SignInProgress Progress, EnrolmentDuty Duty)> Every() =>
        from progress in EveryProgress() from duty in Enum.GetValues<EnrolmentDuty>() select (progress, duty);

    private static IEnumerable<SignInProgress> EveryProgress() =>
        from bits in Enumerable.Range(0, 1 << 13)
        from chosen in new EnrolmentMethod?[] { null, EnrolmentMethod.Notifications, EnrolmentMethod.Code, EnrolmentMethod.Passkey } // the others stand in the table
        from gap in Enum.GetValues<StrengthGap>()
        from requested in Enum.GetValues<AssuranceLevel>()
        from door in Enum.GetValues<EnrolmentDoor>()
        select new SignInProgress
        {
            PasswordVerified = (bits & 1) != 0,
            HasAuthenticator = (bits & 2) != 0,
            SecondFactorVerified = (bits & 4) != 0,
            EnrolmentPostponed = (bits & 8) != 0,
            EnrolmentBegun = (bits & 16) != 0,
            TestBegun = (bits & 32) != 0,
            Enrolled = (bits & 64) != 0,
            BackupFinished = (bits & 128) != 0,
            StaySignedInOffered = (bits & 256) != 0,
            StaySignedInAnswered = (bits & 512) != 0,
            DoneAcknowledged = (bits & 1024) != 0,
            Chosen = chosen,
            Gap = gap,
            Requested = requested,
            Door = door,
            MustChangePassword = (bits & 2048) != 0,
            Adds = (bits & 4096) != 0,
        };
}
