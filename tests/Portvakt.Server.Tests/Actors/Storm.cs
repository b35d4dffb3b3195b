using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Tests.Actors;

/// <summary>Passwords of others, so many at once that the queue before the hash is kept as long as the test says, at every node; full when it says nothing.</summary>
public sealed class Storm : IAsyncDisposable
{
    private readonly CancellationTokenSource _over = new();
    private readonly List<Gust> _gusts;

    public Storm(PortvaktServer server, int depth = int.MaxValue) =>
        _gusts = [.. server.Nodes.Select(node => new Gust(node.Services.GetRequiredService<PasswordHash>(), depth, _over.Token))];

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        foreach (var gust in _gusts) await gust.EndAsync();
        _over.Dispose();
    }

    /// <summary>What meets one node.</summary>
    private sealed class Gust
    {
        private readonly PasswordHash _hash;
        private readonly int _depth;
        private readonly CancellationToken _over;
        private readonly Task _raging;
        private int _waiting;

        public Gust(PasswordHash hash, int depth, CancellationToken over)
        {
            (_hash, _depth, _over) = (hash, depth, over);
            _raging = Task.Run(RageAsync, CancellationToken.None);
        }

        public async Task EndAsync()
        {
            await _raging;
            await PortvaktServer.UntilAsync(() => Task.FromResult(Volatile.Read(ref _waiting) is 0));
        }

        private async Task RageAsync()
        {
            while (!_over.IsCancellationRequested)
            {
                while (Volatile.Read(ref _waiting) < _depth && TryJoin())
                {
                    // One more.
                }

                await Task.Delay(1);
            }
        }

        private bool TryJoin()
        {
            var one = _hash.HashAsync("x", _over);
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
}
