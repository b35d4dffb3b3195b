using System.Text.RegularExpressions;

namespace Portvakt.EndToEnd.Tests.Actors;

/// <summary>The screen of an ordinary telephone: the text messages that the demo's provider was given for its number, each read once.</summary>
/// <param name="house">Whose server sends them.</param>
/// <param name="number">Eight digits.</param>
public sealed partial class TextsTo(House house, string number)
{
    private int _read;

    public string Number => number;

    /// <summary>The code of the message that comes next.</summary>
    /// <exception cref="TimeoutException">None came within twenty seconds.</exception>
    public async Task<string> CodeAsync()
    {
        using var http = new HttpClient();
        for (var patience = 0; patience < 100; patience++)
        {
            var shown = await http.GetStringAsync(new Uri(house.Server + "/demo/telephone"));
            var codes = Message().Matches(shown).Where(match => match.Groups["number"].Value == number).Select(match => match.Groups["code"].Value).ToList(); // the newest first
            if (codes.Count > _read)
            {
                _read = codes.Count;
                return codes[0];
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None);
        }

        throw new TimeoutException($"No text to {number}.");
    }

    [GeneratedRegex(@"SMS  \+47(?<number>[0-9]{8})\n\s+(?<code>[0-9]{6})", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Message();
}
