using Portvakt.Domain.Approvals;

namespace Portvakt.Server.Shared;

public enum ApprovalStage
{
    Waiting,
    Approved,
    Denied,
    Reported,
    WrongNumber,
    Expired,

    /// <summary>A newer request took its place.</summary>
    Superseded,

    /// <summary>Wrong numbers, or too many requests: the phone is left in peace for a while.</summary>
    Paused,

    /// <summary>Pushes are held back after "it wasn't me", until the helpdesk has closed the case.</summary>
    Stopped,
}

/// <summary>What a waiting page shows of a request: the number, how it stands, how long it still lives.</summary>
/// <param name="Stage">How it stands.</param>
/// <param name="Number">Shown here, typed on the phone; null when there is nothing to type any more.</param>
/// <param name="SecondsLeft">Until the request ends.</param>
/// <param name="AttemptId">Whose page it is.</param>
/// <param name="State">What the page was drawn from; the wait endpoint speaks up when it differs.</param>
public sealed record ApprovalView(ApprovalStage Stage, string? Number, int SecondsLeft, string AttemptId, string State)
{
    public static ApprovalView Of(ApprovalRequest? request, string attemptId, string state, DateTimeOffset now)
    {
        var stage = request?.State switch
        {
            null => ApprovalStage.Paused,
            ApprovalState.Pending => request.IsLive(now) ? ApprovalStage.Waiting : ApprovalStage.Expired,
            ApprovalState.Approved => ApprovalStage.Approved,
            ApprovalState.Denied => ApprovalStage.Denied,
            ApprovalState.Reported => ApprovalStage.Reported,
            ApprovalState.WrongNumber => ApprovalStage.WrongNumber,
            _ => ApprovalStage.Superseded,
        };
        return new ApprovalView(
            stage, stage is ApprovalStage.Waiting ? request!.DisplayedNumber : null, stage is ApprovalStage.Waiting ? (int)Math.Ceiling((request!.ExpiresAt - now).TotalSeconds) : 0, attemptId, state);
    }
}
