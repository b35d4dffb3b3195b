using System.Diagnostics;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Portvakt.Bench.Rollout;

/// <summary>Counts what is sent to the database.</summary>
internal sealed class Statements : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
{
    private readonly List<IDisposable> _listening = [];
    private int _count;

    public int Count
    {
        get => _count;
        set => _count = value;
    }

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == "Microsoft.EntityFrameworkCore") _listening.Add(value.Subscribe(this));
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Key == RelationalEventId.CommandExecuted.Name) Interlocked.Increment(ref _count);
    }

    public void OnCompleted()
    {
        // Nothing to close.
    }

    public void OnError(Exception error)
    {
        // The one who measures sees it.
    }

    public void Dispose() => _listening.ForEach(one => one.Dispose());
}
