using System.Collections.Frozen;
using System.IO.Compression;
using Microsoft.Extensions.Options;
using Portvakt.Domain.People;

namespace Portvakt.Server.Hosting;

/// <summary>The rules for new passwords with this organisation's words and the list of common passwords (R55).</summary>
public sealed class PasswordPolicy(IOptions<PortvaktSettings> settings)
{
    private static readonly Lazy<FrozenSet<string>> Common = new(ReadList);

    /// <summary>How many passwords the list has.</summary>
    public static int CommonCount => Common.Value.Count;

    public PasswordProblem Judge(string typed, UserName userName, string displayName, bool withSecondFactor = true) => PasswordRules.Judge(
        typed,
        withSecondFactor,
        [userName.Value, .. displayName.Split(' '), .. settings.Value.Organisation.Split(' '), .. settings.Value.HouseWords, "portvakt"],
        Common.Value.Contains);

    /// <summary>The reason, for whoever chose the password.</summary>
    public static string Explain(PasswordProblem problem) => problem switch
    {
        PasswordProblem.TooShort => $"The password is too short: at least {PasswordRules.MinimumLength} characters.",
        PasswordProblem.TooLong => $"The password is too long: at most {PasswordRules.MaximumLength} characters.",
        PasswordProblem.Common => "The password is on the list of passwords that many people use.",
        PasswordProblem.Expected => "The password is built on a name that anybody would try first.",
        _ => "The password is not readable text.",
    };

    private static FrozenSet<string> ReadList()
    {
        using var resource = typeof(PasswordPolicy).Assembly.GetManifestResourceStream("common-passwords.br") ?? throw new InvalidOperationException("The list of common passwords is missing from the build.");
        using var reader = new StreamReader(new BrotliStream(resource, CompressionMode.Decompress));
        var passwords = new HashSet<string>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line) passwords.Add(line);
        return passwords.ToFrozenSet(StringComparer.Ordinal);
    }
}
