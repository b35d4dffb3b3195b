using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;

namespace Portvakt.Server.Sessions;

/// <summary>What tokens say of a session and of whose it is, and what decides whether there may be any.</summary>
public sealed record SessionHolder
{
    /// <summary><c>sid</c>.</summary>
    public required string SessionId { get; init; }

    public required Guid PersonId { get; init; }

    /// <summary>Null: the password alone.</summary>
    public required SecondFactorMethod? Method { get; init; }

    public required bool WithoutPassword { get; init; }

    /// <summary><c>auth_time</c>.</summary>
    public required DateTimeOffset AuthenticatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }
    public required DateTimeOffset? EndedAt { get; init; }
    public required PersonState State { get; init; }
    public required string DisplayName { get; init; }
    public required PersonAttributes Attributes { get; init; }

    /// <summary>Whether the organisation has policies of methods at all: most have none, and are spared a statement.</summary>
    public required bool AnyPolicy { get; init; }

    public AssuranceLevel Assurance => AuthenticationMethods.AssuranceOf(Method);

    public static SessionHolder Of(Session session, Person person, bool anyPolicy) => new()
    {
        SessionId = session.Id,
        PersonId = session.PersonId,
        Method = session.Method,
        WithoutPassword = session.WithoutPassword,
        AuthenticatedAt = session.AuthenticatedAt,
        ExpiresAt = session.ExpiresAt,
        EndedAt = session.EndedAt,
        State = person.State,
        DisplayName = person.DisplayName,
        Attributes = person.Attributes,
        AnyPolicy = anyPolicy,
    };
}
