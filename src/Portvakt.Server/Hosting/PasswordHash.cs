using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using NSec.Cryptography;

namespace Portvakt.Server.Hosting;

/// <summary>The queue before the hash is full: say 503 and try again shortly.</summary>
public sealed class TooManyHashesException() : Exception("Too many passwords are being checked at once.");

/// <summary>
/// Argon2id (RFC 9106) by libsodium: 19 MiB, two passes, one lane; the parameters stand in each hash. As many at once as there
/// are cores, a bounded queue behind them (<see cref="WaitingRoom"/>), so that a storm of sign-ins takes neither the memory nor the other requests down.
/// </summary>
public sealed class PasswordHash : IDisposable
{
    private const int SaltLength = 16;
    private const int HashLength = 32;
    private static readonly Parameters Present = new(19 * 1024, 2, 1);
    private readonly Handover<Action> _work = new();
    private readonly Thread[] _cores;
    private readonly byte[] _pepper;
    private readonly Lazy<string> _dummy;
    private readonly Telemetry? _telemetry;
    private long _computed;

    /// <param name="vault">Has the pepper.</param>
    /// <param name="telemetry">Null: nobody is told.</param>
    public PasswordHash(Vault vault, Telemetry? telemetry = null)
    {
        _telemetry = telemetry;
        _pepper = vault.PasswordPepper;
        _cores = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(Work) { IsBackground = true, Name = "password hash" })];
        foreach (var core in _cores) core.Start();
        _dummy = new(() => Format(Present, RandomNumberGenerator.GetBytes(SaltLength), RandomNumberGenerator.GetBytes(HashLength)));
    }

    /// <summary>How many hashes were computed since the start: what a try costs, whoever is tried (R57).</summary>
    public long Computed => Interlocked.Read(ref _computed);

    /// <summary>Who may wait: about a second of work for each core.</summary>
    public WaitingRoom WaitingRoom { get; } = new(Environment.ProcessorCount * 64);

    /// <exception cref="TooManyHashesException">The queue is full.</exception>
    public Task<string> HashAsync(string secret, CancellationToken cancellationToken) => OnACoreAsync(
        () =>
        {
            var salt = RandomNumberGenerator.GetBytes(SaltLength);
            return Format(Present, salt, Compute(Present, secret, salt, HashLength));
        },
        place: null,
        cancellationToken);

    /// <summary>Takes the same time for somebody without a hash, so that time does not tell who exists (R57).</summary>
    /// <param name="secret">As it was typed.</param>
    /// <param name="hash">Of the person; null: there is none.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    /// <param name="place">In the <see cref="WaitingRoom"/>, where the caller has asked for one before; the caller gives it back.</param>
    /// <exception cref="TooManyHashesException">The queue is full; never where there is a place.</exception>
    public Task<bool> VerifyAsync(string secret, string? hash, CancellationToken cancellationToken, WaitingRoom.Place? place = null) => OnACoreAsync(
        () =>
        {
            var (parameters, salt, expected) = Parse(hash ?? _dummy.Value);
            return CryptographicOperations.FixedTimeEquals(expected, Compute(parameters, secret, salt, expected.Length)) && hash is not null;
        },
        place,
        cancellationToken);

    /// <summary>Whether a hash was made with other parameters than today's: hash anew at the next sign-in.</summary>
    public static bool IsOutdated(string hash) => Parse(hash).Parameters != Present;

    /// <summary>Waits for what was begun or stands in the queue: a second at most.</summary>
    public void Dispose()
    {
        _work.End();
        foreach (var core in _cores) core.Join();
    }

    private async Task<T> OnACoreAsync<T>(Func<T> work, WaitingRoom.Place? place, CancellationToken cancellationToken)
    {
        using var own = place is null ? WaitingRoom.Enter() ?? throw new TooManyHashesException() : null;
        using var hashing = _telemetry?.Queue();
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var isTaken = 0; // by a core, or by whoever gave up before there was one
        await using var gaveUp = cancellationToken.Register(() =>
        {
            if (Interlocked.Exchange(ref isTaken, 1) is 0) result.TrySetCanceled(cancellationToken);
        });
        _work.Add(
            () =>
            {
                if (Interlocked.Exchange(ref isTaken, 1) is not 0) return;
                hashing?.Begin();
                try
                {
                    result.TrySetResult(work());
                }
#pragma warning disable CA1031 // it is the caller's, not this thread's
                catch (Exception fault)
#pragma warning restore CA1031
                {
                    result.TrySetException(fault);
                }
            });
        return await result.Task;
    }

    /// <summary>
    /// Threads of their own: the pool has as many as there are cores, and a few passwords at once would leave none for all other requests. And of lower priority, so that tokens and pages are
    /// answered first when everything is wanted at once; a thirtieth of an equal share is left to them even then. With a third of it an application waited five times as long for its token
    /// while a crowd stood at the password, and no more of the crowd got in (bench/README.md).
    /// </summary>
    private void Work()
    {
        if (OperatingSystem.IsLinux()) _ = LowerPriority(0, 0, 15);
        List<Action> one = [];
        for (; _work.Take(one, most: 1); one.Clear()) one[0]();
    }

    /// <summary>setpriority(2) with PRIO_PROCESS: on Linux the nice value belongs to a thread, and 0 is the one that calls. Where it may not, nothing changes.</summary>
    [DllImport("libc", EntryPoint = "setpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int LowerPriority(int which, uint who, int nice);

    private byte[] Compute(Parameters parameters, string secret, byte[] salt, int length)
    {
        Interlocked.Increment(ref _computed);
        var peppered = HMACSHA256.HashData(_pepper, Encoding.UTF8.GetBytes(secret));
        var argon2 = PasswordBasedKeyDerivationAlgorithm.Argon2id(new Argon2Parameters
        {
            MemorySize = parameters.MemoryKib,
            NumberOfPasses = parameters.Passes,
            DegreeOfParallelism = parameters.Lanes,
        });
        return argon2.DeriveBytes(peppered, salt, length);
    }

    private static string Format(Parameters parameters, byte[] salt, byte[] hash) => string.Create(
        CultureInfo.InvariantCulture,
        $"$argon2id$v=19$m={parameters.MemoryKib},t={parameters.Passes},p={parameters.Lanes}${Base64(salt)}${Base64(hash)}");

    private static (Parameters Parameters, byte[] Salt, byte[] Hash) Parse(string text)
    {
        var parts = text.Split('$');
        if (parts is not ["", "argon2id", "v=19", _, _, _]) throw new FormatException("Not a hash of ours.");
        var numbers = parts[3].Split(',').Select(part => int.Parse(part.AsSpan(2), CultureInfo.InvariantCulture)).ToArray();
        return (new Parameters(numbers[0], numbers[1], numbers[2]), FromBase64(parts[4]), FromBase64(parts[5]));
    }

    private static string Base64(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static byte[] FromBase64(string text) => Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));

    private sealed record Parameters(int MemoryKib, int Passes, int Lanes);
}
