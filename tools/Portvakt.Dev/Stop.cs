using System.Runtime.InteropServices;

namespace Portvakt.Dev;

/// <summary>Ctrl-C and a polite kill end what was begun, in order, instead of tearing it down.</summary>
public static class Stop
{
    private static readonly CancellationTokenSource Source = new();

    public static CancellationToken Token => Source.Token;

    public static PosixSignalRegistration On(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        Source.Cancel();
    });
}
