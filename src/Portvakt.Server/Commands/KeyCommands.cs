using System.CommandLine;
using Portvakt.Server.Hosting;
using Portvakt.Server.OpenIdConnect;

namespace Portvakt.Server.Commands;

/// <summary><c>portvakt keys rotate</c>.</summary>
public static class KeyCommands
{
    public static Command Keys(string[] settings)
    {
        var rotate = new Command("rotate", "Make a new key that signs tokens. It is shown for 24 hours before it signs, the old one for 24 hours after; servers go on running.");
        rotate.SetAction(async (_, cancellationToken) =>
        {
            await using var app = PortvaktHost.Build(settings);
            await Database.CheckAsync(app.Services, cancellationToken);
            var keys = app.Services.GetRequiredService<SigningKeys>();
            var id = await keys.RotateAsync(cancellationToken);
            var made = keys.Find(id)!;
            Console.WriteLine(keys.Current.Id == id ? $"Key {id} is made, and signs: there is no other." : FormattableString.Invariant($"Key {id} is made, and signs from {made.CreatedAt + SigningKeys.Overlap:u}. Until then {keys.Current.Id} goes on."));
            return 0;
        });
        return new Command("keys", "The keys that sign tokens.") { rotate };
    }
}
