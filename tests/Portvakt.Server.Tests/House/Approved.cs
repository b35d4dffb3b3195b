using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>A text that people have approved: it lies in <c>tests/</c>, and changing it is visible in review.</summary>
internal static class Approved
{
    public static void Holds(string name, IEnumerable<string> lines)
    {
        var approved = Path.Combine(PortvaktServer.Repository(), "tests", $"{name}.approved.txt");
        var received = Path.ChangeExtension(Path.ChangeExtension(approved, null), ".received.txt");
        var now = string.Join('\n', lines) + "\n";
        var before = File.Exists(approved) ? File.ReadAllText(approved).ReplaceLineEndings("\n") : "";
        if (before == now)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, now);
        var (was, is_) = (before.Split('\n'), now.Split('\n'));
        var changes = was.Except(is_).Select(line => $"- {line}").Concat(is_.Except(was).Select(line => $"+ {line}"));
        Assert.Fail($"tests/{name}.approved.txt is not what the server has:\n{string.Join('\n', changes)}\nIf that is meant: mv tests/{name}.received.txt tests/{name}.approved.txt, and say why in the commit.");
    }
}
