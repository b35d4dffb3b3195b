using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Tests.Actors;

/// <summary>Passwords of others, so many at once that the queue before the hash is kept as long as the test says; full when it says nothing.</summary>
public sealed class Storm : IAsyncDisposable
{
    private readonly CancellationTokenSource _over = new();
    private readonly Task _raging;
    private int _waiting;

    public Storm(PortvaktServer server, int depth = int.MaxValue)
    {
        var hash = server.Services.GetRequiredService<PasswordHash>();
        _raging = Task.Run(async () =>
        {
            while (!_over.IsCancellationRequested)
            {
                while (Volatile.Read(ref _waiting) < depth && TryJoin(hash))
                {
                    // One more.
                }

                await Task.Delay(1);
            }
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _raging;
        await PortvaktServer.UntilAsync(() => Task.FromResult(Volatile.Read(ref _waiting) is 0));
        _over.Dispose();
    }

    private bool TryJoin(PasswordHash hash)
    {
        var one = hash.HashAsync("x", _over.Token);
        if (one.IsFaulted)
        {
            Assert.IsType<TooManyHashesException>(one.Exception!.InnerException);
            return false;
        }

        Interlocked.Increment(ref _waiting);
        _ = one.ContinueWith(_ => Interlocked.Decrement(ref _waiting), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return true;
    }
}
