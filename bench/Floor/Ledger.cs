using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Portvakt.Bench.Floor;

/// <summary>What a code stands for.</summary>
internal sealed record CodeRow(string Hash, string Session, string Challenge, string RedirectUri, string Nonce, string Scope)
{
    public bool MayRefresh => Scope.Contains("offline_access", StringComparison.Ordinal);
}

/// <summary>
/// Codes and refresh tokens in SQLite, each an UPDATE that only one can win. One writer on one connection with prepared statements: it takes everything that
/// waits into one transaction and answers when that is on disk (group commit). A refresh token is one row, however often it is replaced.
/// </summary>
internal sealed class Ledger : IAsyncDisposable
{
    private readonly Channel<(Action Change, Action Answer)> _waiting = Channel.CreateUnbounded<(Action, Action)>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _begin;
    private readonly SqliteCommand _commit;
    private readonly SqliteCommand _addCode;
    private readonly SqliteCommand _useCode;
    private readonly SqliteCommand _addFamily;
    private readonly SqliteCommand _rotate;

    public Ledger(string file)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ConnectionString);
        _connection.Open();
        using var schema = Command("""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            CREATE TABLE codes (hash TEXT PRIMARY KEY, session TEXT NOT NULL, challenge TEXT NOT NULL, redirect_uri TEXT NOT NULL, nonce TEXT NOT NULL, scope TEXT NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
            CREATE TABLE families (id TEXT PRIMARY KEY, hash TEXT NOT NULL, session TEXT NOT NULL, generation INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
            """);
        schema.ExecuteNonQuery();
        _begin = Command("BEGIN IMMEDIATE");
        _commit = Command("COMMIT");
        _addCode = Command("INSERT INTO codes (hash, session, challenge, redirect_uri, nonce, scope, expires) VALUES ($hash, $session, $challenge, $redirect, $nonce, $scope, $expires)", "$hash", "$session", "$challenge", "$redirect", "$nonce", "$scope", "$expires");
        _useCode = Command("UPDATE codes SET used = 1 WHERE hash = $hash AND used = 0 AND expires > $now RETURNING session, challenge, redirect_uri, nonce, scope", "$hash", "$now");
        _addFamily = Command("INSERT INTO families (id, hash, session) VALUES ($id, $hash, $session)", "$id", "$hash", "$session");
        _rotate = Command("UPDATE families SET hash = $next, generation = generation + 1 WHERE id = $id AND hash = $old RETURNING session", "$id", "$next", "$old");
        Writing = Task.Run(WriteAsync);
    }

    /// <summary>Ends when nothing more is to be written, or because the database failed.</summary>
    public Task Writing { get; }

    /// <summary>Answers when the change is on disk.</summary>
    public Task<T> CommitAsync<T>(Func<Ledger, T> change)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        T result = default!;
        _waiting.Writer.TryWrite((() => result = change(this), () => done.SetResult(result)));
        return done.Task;
    }

    public bool AddCode(CodeRow row, long expires) => Set(_addCode, row.Hash, row.Session, row.Challenge, row.RedirectUri, row.Nonce, row.Scope, expires).ExecuteNonQuery() is 1;

    public CodeRow? UseCode(string hash, long now, string familyId, string refreshHash)
    {
        CodeRow row;
        using (var reader = Set(_useCode, hash, now).ExecuteReader())
        {
            if (!reader.Read()) return null;
            row = new CodeRow(hash, reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetString(4));
        }

        if (row.MayRefresh) Set(_addFamily, familyId, refreshHash, row.Session).ExecuteNonQuery();
        return row;
    }

    public string? Rotate(string id, string old, string next) => (string?)Set(_rotate, id, next, old).ExecuteScalar();

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.Complete();
        await Writing;
        foreach (var command in (SqliteCommand[])[_begin, _commit, _addCode, _useCode, _addFamily, _rotate]) await command.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private async Task WriteAsync()
    {
        var answers = new List<Action>();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            _begin.ExecuteNonQuery();
            while (_waiting.Reader.TryRead(out var work))
            {
                work.Change();
                answers.Add(work.Answer);
            }

            _commit.ExecuteNonQuery();
            foreach (var answer in answers) answer();
            answers.Clear();
        }
    }

    private SqliteCommand Command(string text, params ReadOnlySpan<string> parameters)
    {
        var command = _connection.CreateCommand();
#pragma warning disable CA2100 // the texts stand above
        command.CommandText = text;
#pragma warning restore CA2100
        foreach (var name in parameters) command.Parameters.Add(new SqliteParameter { ParameterName = name });
        return command;
    }

    private static SqliteCommand Set(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var at = 0; at < values.Length; at++) command.Parameters[at].Value = values[at];
        return command;
    }
}
