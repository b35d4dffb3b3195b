using System.Globalization;

namespace Portvakt.Server.Audit;

/// <summary>What can be wrong with the audit log.</summary>
public enum AuditFaultKind
{
    /// <summary>Something in the row is not what was written.</summary>
    Changed,

    /// <summary>The row was deleted, or taken out of the chain.</summary>
    Missing,

    /// <summary>The row was put in by somebody who does not have the key.</summary>
    Inserted,

    /// <summary>The row stood at another place.</summary>
    Reordered,

    /// <summary>Rows at the end were deleted.</summary>
    CutOff,

    /// <summary>Address or reason is not what was written.</summary>
    PersonalChanged,

    /// <summary>Address and reason are gone, and the person was never erased.</summary>
    PersonalGone,

    /// <summary>The checkpoint in the database was written by somebody who does not have the key.</summary>
    CheckpointForged,

    CheckpointMissing,

    /// <summary>The chain does not contain a checkpoint that was kept elsewhere: it was rewritten or cut off.</summary>
    NotAsKept,

    /// <summary>Rows wait longer than a minute for their place in the chain.</summary>
    Waiting,
}

/// <summary>The first thing that is wrong.</summary>
/// <param name="Kind">What.</param>
/// <param name="Number">Place in the chain.</param>
/// <param name="Id">Id of the row; null when there is none.</param>
public sealed record AuditFault(AuditFaultKind Kind, long? Number, long? Id)
{
    /// <summary>One sentence for the operator.</summary>
    public string Sentence
    {
        get
        {
            var row = string.Create(CultureInfo.InvariantCulture, $"row {Number}") + (Id is null ? "" : string.Create(CultureInfo.InvariantCulture, $" (id {Id})"));
            return Kind switch
            {
                AuditFaultKind.Changed => $"{row} was changed",
                AuditFaultKind.Missing => $"{row} is missing",
                AuditFaultKind.Inserted => $"{row} was inserted",
                AuditFaultKind.Reordered => $"{row} stood at another place",
                AuditFaultKind.CutOff => $"the end is cut off from {row}",
                AuditFaultKind.PersonalChanged => $"{row}: address or reason was changed",
                AuditFaultKind.PersonalGone => $"{row}: address and reason were taken away, but the person was not erased",
                AuditFaultKind.CheckpointForged => "the checkpoint in the database was forged",
                AuditFaultKind.CheckpointMissing => "the checkpoint in the database is missing",
                AuditFaultKind.NotAsKept => $"{row} is not the one of the checkpoint kept elsewhere: the log was rewritten or cut off",
                _ => string.Create(CultureInfo.InvariantCulture, $"id {Id} has waited more than a minute for its place in the chain"),
            };
        }
    }
}

/// <summary>A row of the chain as somebody noted it elsewhere.</summary>
public sealed record AuditAnchor(long Number, byte[] Hash);

/// <summary>What verifying found.</summary>
/// <param name="At">When.</param>
/// <param name="Rows">How many rows were verified.</param>
/// <param name="Number">Number of the last one.</param>
/// <param name="Waiting">How many rows have no place in the chain yet.</param>
/// <param name="Faults">Empty when all is well. First the checkpoint, then the first bad row, then what waits.</param>
public sealed record AuditVerdict(DateTimeOffset At, long Rows, long Number, int Waiting, IReadOnlyList<AuditFault> Faults)
{
    public bool IsWhole => Faults.Count is 0;
}
