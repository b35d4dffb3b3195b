using System.Globalization;
using System.Net.Mail;
using System.Text;
using CsvHelper;
using Portvakt.Domain.People;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Administration;

/// <summary>Why a line of the file brings nobody in.</summary>
public enum ImportTrouble
{
    /// <summary>No line with the names of the columns, or one without user name and name.</summary>
    Header,

    /// <summary>Two columns with the same meaning.</summary>
    HeaderTwice,

    /// <summary>More or fewer cells than the header has.</summary>
    Cells,

    /// <summary>Quotes that do not match.</summary>
    Quotes,
    UserName,

    /// <summary>The same user name stands on an earlier line.</summary>
    UserNameTwice,
    Name,
    Mail,
    Phone,
    Unit,
    Manager,
    Language,
    LastUsed,
    TooManyLines,
}

/// <summary>A line that brings nobody in.</summary>
/// <param name="Line">Of the file, from 1, the header included.</param>
/// <param name="Trouble">Why.</param>
/// <param name="Text">What stood there, cut short; for <see cref="ImportTrouble.UserNameTwice"/> the number of the first line.</param>
public sealed record ImportProblem(int Line, ImportTrouble Trouble, string Text);

/// <summary>A person as a line of the file has it. Null: the file has no such column, or, of language and last use, the cell is empty.</summary>
public sealed record ImportedPerson(int Line, string UserName, string Name, string? Mail, string? Phone, string? Unit, string? Manager, string? OfficePhone, string? Language, DateTimeOffset? LastUsed);

/// <summary>
/// A file of people, read line by line: UTF-8 or Windows-1252, separated by semicolons, commas or tabs, columns in any order under names in Norwegian or English.
/// </summary>
public sealed class PeopleFile
{
    /// <summary>More lines than the largest organisation has people.</summary>
    public const int MostLines = 500_000;

    private const int LongestCell = 200;
    private static readonly Dictionary<string, string> Columns = new(StringComparer.Ordinal)
    {
        ["name"] = "Name",
        ["fullname"] = "Name",
        ["displayname"] = "Name",
        ["navn"] = "Name",
        ["namn"] = "Name",
        ["fulltnavn"] = "Name",
        ["fulltnamn"] = "Name",
        ["username"] = "UserName",
        ["brukernavn"] = "UserName",
        ["brukarnamn"] = "UserName",
        ["user"] = "UserName",
        ["bruker"] = "UserName",
        ["brukar"] = "UserName",
        ["mail"] = "Mail",
        ["email"] = "Mail",
        ["epost"] = "Mail",
        ["epostadresse"] = "Mail",
        ["mailaddress"] = "Mail",
        ["emailaddress"] = "Mail",
        ["phone"] = "Phone",
        ["mobile"] = "Phone",
        ["mobilephone"] = "Phone",
        ["telefon"] = "Phone",
        ["mobil"] = "Phone",
        ["mobiltelefon"] = "Phone",
        ["unit"] = "Unit",
        ["department"] = "Unit",
        ["enhet"] = "Unit",
        ["eining"] = "Unit",
        ["avdeling"] = "Unit",
        ["manager"] = "Manager",
        ["leder"] = "Manager",
        ["leiar"] = "Manager",
        ["nærmesteleder"] = "Manager",
        ["nærmasteleiar"] = "Manager",
        ["officephone"] = "OfficePhone",
        ["kontortelefon"] = "OfficePhone",
        ["fasttelefon"] = "OfficePhone",
        ["language"] = "Language",
        ["språk"] = "Language",
        ["målform"] = "Language",
        ["lastused"] = "LastUsed",
        ["lastusedat"] = "LastUsed",
        ["lastsignin"] = "LastUsed",
        ["lastsigninat"] = "LastUsed",
        ["sistbrukt"] = "LastUsed",
        ["sistpålogget"] = "LastUsed",
        ["sistpålogga"] = "LastUsed",
    };

    private readonly Dictionary<string, int> _lineOf = new(StringComparer.Ordinal);
    private readonly DateTimeOffset _now;
    private readonly TimeZoneInfo _zone;
    private Dictionary<string, int> _columns = [];

    private PeopleFile(DateTimeOffset now, TimeZoneInfo zone) => (_now, _zone) = (now, zone);

    /// <summary>Reads the file once, holding one line and the user names in memory.</summary>
    /// <param name="file">The file; must be one that can be read twice, since its letters are looked at first.</param>
    /// <param name="now">Nobody was seen later than this.</param>
    /// <param name="zone">Where days begin, for a last use without a time.</param>
    /// <param name="onProblem">Told of every line that brings nobody in.</param>
    public static IEnumerable<ImportedPerson> Read(Stream file, DateTimeOffset now, TimeZoneInfo zone, Action<ImportProblem> onProblem)
    {
        var encoding = EncodingOf(file);
        file.Position = 0;
        return new PeopleFile(now, zone).Read(CsvReader.Create(file, new CsvReaderOptions
        {
            Encoding = encoding,
            TrackLineNumbers = true,
            TrimWhitespace = true,
            AllowLineBreaksInQuotes = false, // one quote that is never closed costs its line, not the rest of the file
            MalformedData = CsvMalformedDataHandling.Skip,
            OnMalformedRecord = record => onProblem(new ImportProblem((int)record.LineNumber, ImportTrouble.Quotes, "")),
            MaxRecordSize = 64 * 1024,
            HasHeader = false, // ours: what it says is matched below, and told by line
        }, leaveOpen: true), onProblem);
    }

    /// <summary>UTF-8 when all of it is, with or without a mark; else what Norwegian spreadsheets write.</summary>
    private static Encoding EncodingOf(Stream file)
    {
        file.Position = 0;
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true).GetDecoder();
        var bytes = new byte[64 * 1024];
        var letters = new char[bytes.Length + 8];
        try
        {
            for (int count; (count = file.Read(bytes)) > 0;) strict.GetChars(bytes.AsSpan(0, count), letters, flush: false);
            strict.GetChars([], letters, flush: true);
            return Encoding.UTF8;
        }
        catch (DecoderFallbackException)
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(1252)!;
        }
    }

    private IEnumerable<ImportedPerson> Read(CsvReader reader, Action<ImportProblem> onProblem)
    {
        using (reader)
        {
            var (lines, cells) = (0, 0);
            while (Next(reader, onProblem))
            {
                var line = (int)reader.LineNumber;
                if (lines++ is 0)
                {
                    if (Header(reader, line) is { } wrong)
                    {
                        onProblem(wrong);
                        yield break;
                    }

                    cells = reader.FieldCount;
                    continue;
                }

                if (lines > MostLines + 1)
                {
                    onProblem(new ImportProblem(line, ImportTrouble.TooManyLines, MostLines.ToString(CultureInfo.InvariantCulture)));
                    yield break;
                }

                if (Enumerable.Range(0, reader.FieldCount).All(reader.IsEmpty)) continue; // a spreadsheet's empty rows
                if (reader.FieldCount != cells) onProblem(new ImportProblem(line, ImportTrouble.Cells, $"{reader.FieldCount} / {cells}"));
                else if (Person(reader, line, onProblem) is { } person) yield return person;
            }

            if (lines is 0) onProblem(new ImportProblem(1, ImportTrouble.Header, ""));
        }
    }

    private static bool Next(CsvReader reader, Action<ImportProblem> onProblem)
    {
        try
        {
            return reader.Read();
        }
        catch (CsvFormatException wrong)
        {
            onProblem(new ImportProblem((int)wrong.LineNumber, ImportTrouble.Quotes, "")); // a line of more than 64 KB: nothing after it can be trusted
            return false;
        }
    }

    private ImportProblem? Header(CsvReader reader, int line)
    {
        _columns = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var index = 0; index < reader.FieldCount; index++)
        {
            var written = reader.GetString(index).TrimStart('\uFEFF');
            var key = string.Concat(written.Normalize(NormalizationForm.FormC).ToLowerInvariant().Where(char.IsLetter));
            if (!Columns.TryGetValue(key, out var meaning)) continue; // a column of which we know nothing is left alone
            if (!_columns.TryAdd(meaning, index)) return new ImportProblem(line, ImportTrouble.HeaderTwice, Short(written));
        }

        return _columns.ContainsKey("UserName") && _columns.ContainsKey("Name") ? null : new ImportProblem(line, ImportTrouble.Header, Short(string.Join(' ', Enumerable.Range(0, reader.FieldCount).Select(reader.GetString))));
    }

    private ImportedPerson? Person(CsvReader reader, int line, Action<ImportProblem> onProblem)
    {
        ImportTrouble? trouble = null;
        var wrong = "";
        if (!UserName.TryParse(Cell("UserName"), out var userName)) Refuse(ImportTrouble.UserName, Cell("UserName"));
        var name = Plain("Name", ImportTrouble.Name);
        if (name is "") Refuse(ImportTrouble.Name, "");
        var mail = Plain("Mail", ImportTrouble.Mail);
        if (mail is { Length: > 0 } && (mail.Contains(' ', StringComparison.Ordinal) || !MailAddress.TryCreate(mail, out var address) || address.Address != mail)) Refuse(ImportTrouble.Mail, mail);
        var phone = Number("Phone");
        var office = Number("OfficePhone");
        var unit = Plain("Unit", ImportTrouble.Unit) is { } path ? string.Join('/', path.Split('/', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)) : null;
        var manager = Cell("Manager");
        if (manager is { Length: > 0 })
        {
            if (UserName.TryParse(manager, out var parsed)) manager = parsed.Value.Value;
            else Refuse(ImportTrouble.Manager, manager);
        }

        var language = Cell("Language") is { Length: > 0 } code ? code.ToLowerInvariant() : null;
        if (language is not null && !Localisation.IsKnown(language)) Refuse(ImportTrouble.Language, language);
        DateTimeOffset? lastUsed = null;
        if (Cell("LastUsed") is { Length: > 0 } when)
        {
            if (Instant(when) is { } at && at <= _now) lastUsed = at;
            else Refuse(ImportTrouble.LastUsed, when);
        }

        if (trouble is null && !_lineOf.TryAdd(userName!.Value.Value, line)) Refuse(ImportTrouble.UserNameTwice, _lineOf[userName.Value.Value].ToString(CultureInfo.InvariantCulture));
        if (trouble is null) return new ImportedPerson(line, userName!.Value.Value, name!, mail, phone, unit, manager, office, language, lastUsed);
        onProblem(new ImportProblem(line, trouble.Value, Short(wrong)));
        return null;

        string? Cell(string meaning) => _columns.TryGetValue(meaning, out var index) ? reader.GetString(index) : null;

        string? Plain(string meaning, ImportTrouble problem)
        {
            var text = Cell(meaning);
            if (text is not null && !IsPlain(text)) Refuse(problem, text);
            return text;
        }

        string? Number(string meaning)
        {
            var text = Plain(meaning, ImportTrouble.Phone);
            if (text is { Length: > 0 } && (text.Length > 32 || !text.Any(char.IsAsciiDigit) || text.Any(letter => !char.IsAsciiDigit(letter) && !"+ ()-.".Contains(letter, StringComparison.Ordinal)))) Refuse(ImportTrouble.Phone, text);
            return text;
        }

        void Refuse(ImportTrouble problem, string? text)
        {
            if (trouble is null) (trouble, wrong) = (problem, text ?? "");
        }
    }

    private static bool IsPlain(string text) => text.Length <= LongestCell && HidesNothing(text);

    /// <summary>Without letters that steer a screen instead of standing on it: a name must not turn the text around it.</summary>
    internal static bool HidesNothing(string text) =>
        text.EnumerateRunes().All(letter => letter != Rune.ReplacementChar && Rune.GetUnicodeCategory(letter) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned));

    private DateTimeOffset? Instant(string text)
    {
        if (DateOnly.TryParseExact(text, ["yyyy-MM-dd", "dd.MM.yyyy", "d.M.yyyy"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)) return Domain.Rollout.EnrolmentRule.StartOf(day, _zone);
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at.ToUniversalTime() : null;
    }

    private static string Short(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
