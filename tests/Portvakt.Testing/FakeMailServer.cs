using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Portvakt.Testing;

/// <summary>How the mail server treats the next mail.</summary>
public enum FakeMailAnswer
{
    /// <summary>250: it has it.</summary>
    Taken,

    /// <summary>550 to the recipient.</summary>
    NoSuchMailbox,

    /// <summary>451 to the recipient: try again later.</summary>
    Busy,

    /// <summary>554 to the text.</summary>
    NotThisText,

    /// <summary>Hangs up at MAIL, before any text.</summary>
    GoneBefore,

    /// <summary>Has the text, and hangs up without a word.</summary>
    GoneAfter,

    /// <summary>Has the text, and says nothing until <see cref="FakeMailServer.LetGo"/>.</summary>
    Silent,
}

/// <summary>A mail as it came over the wire.</summary>
public sealed record FakeMail(string From, string Recipient, string Content);

/// <summary>A mail server on loopback (RFC 5321: EHLO, AUTH PLAIN, MAIL, RCPT, DATA, RSET, QUIT) that keeps what it was given.</summary>
public sealed class FakeMailServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private readonly ConcurrentQueue<FakeMailAnswer> _next = new();
    private readonly ConcurrentQueue<FakeMail> _mails = new();
    private readonly Channel<FakeMail> _arrivals = Channel.CreateUnbounded<FakeMail>();
    private readonly TaskCompletionSource _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _listening = Task.CompletedTask;

    private FakeMailServer()
    {
        // Made by StartAsync.
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Every mail whose text it has, also those it did not confirm.</summary>
    public IReadOnlyList<FakeMail> Mails => [.. _mails];

    /// <summary>How often somebody connected.</summary>
    public int Connections { get; private set; }

    /// <summary>User and password of the last AUTH PLAIN.</summary>
    public string? Credentials { get; private set; }

    public static FakeMailServer Start()
    {
        var server = new FakeMailServer();
        server._listener.Start();
        server._listening = server.ListenAsync();
        return server;
    }

    /// <summary>Treats the next mails in this way, one after the other; then it takes them.</summary>
    public void AnswerNext(params ReadOnlySpan<FakeMailAnswer> answers)
    {
        foreach (var answer in answers) _next.Enqueue(answer);
    }

    /// <summary>Waits until the next text has arrived.</summary>
    public async Task<FakeMail> NextArrivalAsync() => await _arrivals.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Ends the silence of <see cref="FakeMailAnswer.Silent"/>, without an answer.</summary>
    public void LetGo() => _letGo.TrySetResult();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        LetGo();
        await _closing.CancelAsync();
        _listener.Dispose();
        await _listening;
        _closing.Dispose();
    }

    private async Task ListenAsync()
    {
        var conversations = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_closing.Token);
                Connections++;
                conversations.Add(ConverseAsync(client));
            }
        }
        catch (Exception closed) when (closed is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(conversations);
        }
    }

    private async Task ConverseAsync(TcpClient client)
    {
        using var connection = client;
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var (answer, from, recipient) = (FakeMailAnswer.Taken, "", "");
        try
        {
            await SayAsync("220 mail.test ready");
            while (await reader.ReadLineAsync(_closing.Token) is { } line)
            {
                switch (line.Split(' ', ':')[0].ToUpperInvariant())
                {
                    case "EHLO":
                        await SayAsync("250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN");
                        break;
                    case "AUTH":
                        Credentials = Encoding.UTF8.GetString(Convert.FromBase64String(line.Split(' ')[2])).TrimStart('\0').Replace('\0', ':');
                        await SayAsync("235 welcome");
                        break;
                    case "MAIL":
                        answer = _next.TryDequeue(out var next) ? next : FakeMailAnswer.Taken;
                        if (answer is FakeMailAnswer.GoneBefore) return;
                        from = Between(line);
                        await SayAsync("250 ok");
                        break;
                    case "RCPT":
                        recipient = Between(line);
                        await SayAsync(answer switch { FakeMailAnswer.NoSuchMailbox => $"550 5.1.1 <{recipient}> unknown", FakeMailAnswer.Busy => "451 4.3.0 later", _ => "250 ok" });
                        break;
                    case "DATA":
                        await SayAsync("354 go on");
                        var mail = new FakeMail(from, recipient, await ReadTextAsync(reader));
                        if (answer is not FakeMailAnswer.NotThisText) _mails.Enqueue(mail);
                        _arrivals.Writer.TryWrite(mail);
                        if (answer is FakeMailAnswer.Silent) await _letGo.Task;
                        if (answer is FakeMailAnswer.Silent or FakeMailAnswer.GoneAfter) return;
                        await SayAsync(answer is FakeMailAnswer.NotThisText ? "554 5.7.1 no" : "250 ok");
                        break;
                    case "QUIT":
                        await SayAsync("221 bye");
                        return;
                    default:
                        await SayAsync("250 ok");
                        break;
                }
            }
        }
        catch (Exception closed) when (closed is OperationCanceledException or IOException)
        {
            // The other side has gone, or the test is over.
        }

        async Task SayAsync(string reply) => await stream.WriteAsync(Encoding.ASCII.GetBytes(reply + "\r\n"), _closing.Token);
    }

    private async Task<string> ReadTextAsync(StreamReader reader)
    {
        var text = new StringBuilder();
        while (await reader.ReadLineAsync(_closing.Token) is { } line && line is not ".") text.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
        return text.ToString();
    }

    private static string Between(string line) => line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..line.IndexOf('>', StringComparison.Ordinal)];
}
