using System.Net;

namespace Portvakt.Bench.Actors;

/// <summary>The server answered, and not as it should have.</summary>
/// <param name="what">Method and path.</param>
/// <param name="status">The answer's status.</param>
/// <param name="text">Its body.</param>
/// <param name="retryAfter">When to come back, if it says so.</param>
public sealed class UnexpectedAnswerException(string what, HttpStatusCode status, string text, TimeSpan? retryAfter = null) : Exception($"{what}: {(int)status}\n{text}")
{
    public HttpStatusCode Status => status;

    /// <summary>After this long the same request is welcome (<c>Retry-After</c>).</summary>
    public TimeSpan? RetryAfter => retryAfter;
}
