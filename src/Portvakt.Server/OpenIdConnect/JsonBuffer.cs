using System.Buffers;
using System.Text.Json;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>Where a thread writes JSON of some hundred bytes before it is signed or sent: always the same bytes, for one at a time.</summary>
internal static class JsonBuffer
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _bytes;

    [ThreadStatic]
    private static Utf8JsonWriter? _json;

    /// <summary>Writes an object. What comes back is good until this thread writes the next one: nobody may wait in between.</summary>
    /// <param name="members">Writes them.</param>
    /// <param name="state">For <paramref name="members"/>, so that they need not be made anew each time.</param>
    public static ReadOnlySpan<byte> Write<T>(T state, Action<Utf8JsonWriter, T> members)
    {
        var bytes = _bytes ??= new ArrayBufferWriter<byte>(4096);
        bytes.ResetWrittenCount();
        var json = _json ??= new Utf8JsonWriter(bytes);
        json.Reset(bytes);
        json.WriteStartObject();
        members(json, state);
        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenSpan;
    }
}
