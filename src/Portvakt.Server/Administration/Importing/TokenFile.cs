using System.Globalization;
using System.Text;
using CsvHelper;
using Portvakt.Domain;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;

namespace Portvakt.Server.Administration;

/// <summary>Why a line of a maker's file brings nothing in.</summary>
public enum TokenTrouble
{
    /// <summary>The first line names columns, and not all that are needed.</summary>
    Header,

    /// <summary>Two columns with the same meaning.</summary>
    HeaderTwice,

    /// <summary>More or fewer cells than there should be.</summary>
    Cells,

    /// <summary>Quotes that do not match.</summary>
    Quotes,
    UserName,
    SerialNumber,

    /// <summary>The same serial number stands on an earlier line.</summary>
    SerialNumberTwice,

    /// <summary>Neither Base32 nor hexadecimal.</summary>
    Secret,

    /// <summary>Under 160 bits (R49), or longer than any generator has.</summary>
    SecretLength,

    /// <summary>Both Base32 and hexadecimal would do, and only one can be right.</summary>
    SecretUnclear,

    /// <summary>Neither 30 nor 60 seconds.</summary>
    Interval,

    /// <summary>Manufacturer or model is too long or hides something.</summary>
    Model,
    TooManyLines,

    /// <summary>Nobody has the user name.</summary>
    NoSuchPerson,

    /// <summary>The serial number is known with another secret or interval.</summary>
    OtherSecret,

    /// <summary>It is somebody else's already.</summary>
    Taken,

    /// <summary>The person has as many as anybody may have.</summary>
    TooMany,
}

/// <summary>A line that brings nothing in. Nothing of what stood there is kept: it may be the secret, in the wrong column.</summary>
/// <param name="Line">Of the file, from 1.</param>
/// <param name="Trouble">Why.</param>
/// <param name="SerialNumber">Known only of a line that could be read as a whole.</param>
public sealed record TokenProblem(int Line, TokenTrouble Trouble, string? SerialNumber = null);

/// <summary>A code generator as a line of the file has it.</summary>
public sealed record ImportedToken(int Line, string SerialNumber, byte[] Seed, int Period, string? Model, string? UserName);

/// <summary>
/// A maker's file of code generators: <c>upn,serial number,secret key,time interval,manufacturer,model</c>, in UTF-8, separated by commas, semicolons or tabs. The
/// first line may name the columns; then they may stand in any order.
/// </summary>
public static class TokenFile
{
    public const int MostLines = 5000;

    private const int LongestSeed = 64; // the block of the hash: nobody makes a longer one
    private static readonly string[] Order = ["Upn", "Serial", "Secret", "Interval", "Manufacturer", "Model"];
    private static readonly string[] Needed = ["Serial", "Secret", "Interval"];
    private static readonly Dictionary<string, string> Columns = new(StringComparer.Ordinal)
    {
        ["upn"] = "Upn",
        ["userprincipalname"] = "Upn",
        ["username"] = "Upn",
        ["brukernavn"] = "Upn",
        ["brukarnamn"] = "Upn",
        ["serialnumber"] = "Serial",
        ["serial"] = "Serial",
        ["serienummer"] = "Serial",
        ["secretkey"] = "Secret",
        ["secret"] = "Secret",
        ["seed"] = "Secret",
        ["timeinterval"] = "Interval",
        ["interval"] = "Interval",
        ["manufacturer"] = "Manufacturer",
        ["produsent"] = "Manufacturer",
        ["model"] = "Model",
        ["modell"] = "Model",
    };

    /// <summary>Reads the file once.</summary>
    /// <param name="file">The file.</param>
    /// <param name="onProblem">Told of every line that brings nothing in.</param>
    public static IEnumerable<ImportedToken> Read(Stream file, Action<TokenProblem> onProblem)
    {
        using var reader = CsvReader.Create(file, new CsvReaderOptions
        {
            Encoding = Encoding.UTF8,
            TrackLineNumbers = true,
            TrimWhitespace = true,
            AllowLineBreaksInQuotes = false, // one quote that is never closed costs its line, not the rest of the file
            MalformedData = CsvMalformedDataHandling.Skip,
            OnMalformedRecord = record => onProblem(new TokenProblem((int)record.LineNumber, TokenTrouble.Quotes)),
            MaxRecordSize = 16 * 1024,
            HasHeader = false, // ours: it need not be there
        }, leaveOpen: true);
        var lineOf = new Dictionary<string, int>(StringComparer.Ordinal);
        Dictionary<string, int>? columns = null;
        var (lines, cells) = (0, 0);
        while (Next(reader, onProblem))
        {
            var line = (int)reader.LineNumber;
            string[] row = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetString)];
            if (row.Length > 0) row[0] = row[0].TrimStart('\uFEFF');
            if (row.All(cell => cell.Length is 0)) continue; // a spreadsheet's empty rows
            if (columns is null)
            {
                var (named, wrong) = Header(row);
                if (wrong is { } trouble)
                {
                    onProblem(new TokenProblem(line, trouble));
                    yield break;
                }

                columns = named ?? Order.Index().ToDictionary(pair => pair.Item, pair => pair.Index, StringComparer.Ordinal);
                cells = named is null ? 0 : row.Length;
                if (named is not null) continue;
            }

            if (++lines > MostLines)
            {
                onProblem(new TokenProblem(line, TokenTrouble.TooManyLines));
                yield break;
            }

            if (cells > 0 ? row.Length != cells : row.Length is < 4 or > 6)
            {
                onProblem(new TokenProblem(line, TokenTrouble.Cells));
                continue;
            }

            var (token, problem) = Token(row, columns, line);
            if (token is null) onProblem(new TokenProblem(line, problem));
            else if (!lineOf.TryAdd(token.SerialNumber, line)) onProblem(new TokenProblem(line, TokenTrouble.SerialNumberTwice, token.SerialNumber));
            else yield return token;
        }
    }

    private static bool Next(CsvReader reader, Action<TokenProblem> onProblem)
    {
        try
        {
            return reader.Read();
        }
        catch (CsvFormatException wrong)
        {
            onProblem(new TokenProblem((int)wrong.LineNumber, TokenTrouble.Quotes)); // a line too long for any generator: nothing after it can be trusted
            return false;
        }
    }

    /// <summary>Where which column is; null when the first line is no header but a generator.</summary>
    private static (Dictionary<string, int>? Columns, TokenTrouble? Trouble) Header(string[] row)
    {
        var columns = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var index = 0; index < row.Length; index++)
        {
            var key = string.Concat(row[index].ToLowerInvariant().Where(char.IsLetter));
            if (Columns.TryGetValue(key, out var meaning) && !columns.TryAdd(meaning, index)) return (null, TokenTrouble.HeaderTwice);
        }

        if (!columns.ContainsKey("Serial") && !columns.ContainsKey("Secret")) return (null, null);
        return Needed.All(columns.ContainsKey) ? (columns, null) : (null, TokenTrouble.Header);
    }

    private static (ImportedToken? Token, TokenTrouble Trouble) Token(string[] row, Dictionary<string, int> columns, int line)
    {
        UserName? userName = null;
        if (Cell("Upn") is { Length: > 0 } upn && !UserName.TryParse(upn, out userName)) return (null, TokenTrouble.UserName);
        var serial = Cell("Serial").ToUpperInvariant();
        if (!IsSerialNumber(serial)) return (null, TokenTrouble.SerialNumber);
        var (seed, trouble) = SeedOf(Cell("Secret"));
        if (seed is null) return (null, trouble);
        if (!int.TryParse(Cell("Interval"), NumberStyles.None, CultureInfo.InvariantCulture, out var period) || period is not (30 or 60)) return (null, TokenTrouble.Interval);
        var model = $"{Cell("Manufacturer")} {Cell("Model")}".Trim();
        if (model.Length > TotpAuthenticator.LongestModel || !PeopleFile.HidesNothing(model)) return (null, TokenTrouble.Model);
        return (new ImportedToken(line, serial, seed, period, model.Length > 0 ? model : null, userName?.Value), default);

        string Cell(string meaning) => columns.TryGetValue(meaning, out var index) && index < row.Length ? row[index] : "";
    }

    /// <summary>Letters, digits and a little between them: what is printed on plastic, and never a number that a spreadsheet has rounded (2.3E+12) or a formula.</summary>
    private static bool IsSerialNumber(string text) =>
        text.Length is > 0 and <= TotpAuthenticator.LongestSerialNumber && char.IsAsciiLetterOrDigit(text[0]) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or '_' or '/');

    /// <summary>Base32, with or without spaces, dashes and padding; or hexadecimal, where it cannot be Base32 of a length that a generator has.</summary>
    private static (byte[]? Seed, TokenTrouble Trouble) SeedOf(string written)
    {
        var isPadded = written.Contains('=', StringComparison.Ordinal);
        var text = string.Concat(written.TrimEnd('=', ' ').Where(letter => letter is not (' ' or '-' or '\u00a0')).Select(char.ToUpperInvariant));
        var base32 = Base32.Decode(text);
        var hexadecimal = !isPadded && text.Length % 2 is 0 && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : null;
        return (base32, hexadecimal) switch
        {
            (null or { Length: 0 }, null or { Length: 0 }) => (null, TokenTrouble.Secret),
            _ => (Fits(base32), Fits(hexadecimal)) switch
            {
                (true, true) => (null, TokenTrouble.SecretUnclear),
                (true, false) => (base32, default),
                (false, true) => (hexadecimal, default),
                _ => (null, TokenTrouble.SecretLength),
            },
        };

        static bool Fits(byte[]? seed) => seed is { Length: >= Totp.SeedLength and <= LongestSeed };
    }
}
