namespace Portvakt.EndToEnd.Tests.Actors;

/// <summary>How long anybody waits for anything: generous, because a shared machine is slow and a pass never waits.</summary>
public static class Patience
{
    public const float Milliseconds = 30_000;
}
