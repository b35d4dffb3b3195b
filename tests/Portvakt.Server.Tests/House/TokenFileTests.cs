using System.Text;
using Portvakt.Server.Administration;

namespace Portvakt.Server.Tests.House;

/// <summary>A maker's file of code generators, as makers and spreadsheets write it.</summary>
public sealed class TokenFileTests
{
    private const string Secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"; // 12345678901234567890

    private static readonly byte[] Seed = "12345678901234567890"u8.ToArray();

    [Theory]
    [InlineData("upn,serial number,secret key,time interval,manufacturer,model\nkari,ga-1,{0},30,Feitian,c200\n")]
    [InlineData("upn;serial number;secret key;time interval;manufacturer;model\r\nkari;GA-1;{0};30;Feitian;c200\r\n")]
    [InlineData("\uFEFFUPN,Serial Number,Secret Key,Time Interval,Manufacturer,Model\nKari , GA-1 ,\"{0}\",30,\"Feitian\",c200")]
    [InlineData("kari,GA-1,{0},30,Feitian,c200")]
    [InlineData("\uFEFFkari;GA-1;{0};30;Feitian;c200")]
    [InlineData("Modell;Serienummer;Secret key;UPN;Time interval;Produsent;Farge\nc200;GA-1;{0};kari;30;Feitian;blå\n")]
    public void Separators_marks_headers_and_their_order_are_found_out(string file)
    {
        foreach (var written in new[] { Secret, Secret.ToLowerInvariant(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", Secret + "======", "3132333435363738393031323334353637383930", "3132 3334 3536 3738 3930 3132 3334 3536 3738 3930" })
        {
            var (tokens, problems) = Read(string.Format(System.Globalization.CultureInfo.InvariantCulture, file, written));
            Assert.Empty(problems);
            var token = Assert.Single(tokens);
            Assert.Equal(("GA-1", 30, "Feitian c200", "kari"), (token.SerialNumber, token.Period, token.Model, token.UserName));
            Assert.Equal(Seed, token.Seed);
        }
    }

    [Fact]
    public void Every_line_that_brings_nothing_in_is_named_by_its_number_and_nothing_of_what_stood_there_is_kept()
    {
        var ambiguous = new string('A', 40); // twenty bytes in hexadecimal, twenty-five in Base32
        var (tokens, problems) = Read(string.Join('\n',
            "upn,serial number,secret key,time interval,manufacturer,model",
            $",GA-1,{Secret},60,,", // 2
            $",GA-1,{Secret},60,,", // 3: twice
            "", // 4: an empty line is nothing
            $"two words,GA-2,{Secret},30,,", // 5
            $",,{Secret},30,,", // 6
            $",=1+1,{Secret},30,,", // 7: a formula
            $",2.30801E+12,{Secret},30,,", // 8: rounded by a spreadsheet
            $",{new string('9', 41)},{Secret},30,,", // 9
            ",GA-3,,30,,", // 10
            ",GA-4,not a secret!,30,,", // 11
            ",GA-5,GEZDGNBVGY3TQOJQ,30,,", // 12: 80 bits
            $",GA-6,{ambiguous},30,,", // 13
            $",GA-7,{ambiguous}=,30,,", // 14: padded, so it is Base32
            $",GA-8,{Secret},45,,", // 15
            $",GA-9,{Secret},,,", // 16
            $",GA-10,{Secret},30,{new string('x', 81)},", // 17
            $",GA-11,{Secret},30,Evil\u202Egnp.exe,", // 18
            $",GA-12,{Secret},30", // 19: too few cells
            $",GA-13,\"{Secret[..20]}\"x,30,,", // 20
            $",{Secret},GA-14,30,,", // 21: the secret in the wrong column
            $",GA-15,{Secret},30,=cmd|' /C calc'!A0,<script>")); // 22: only a name
        Assert.Equal(
            [
                (3, TokenTrouble.SerialNumberTwice), (5, TokenTrouble.UserName), (6, TokenTrouble.SerialNumber), (7, TokenTrouble.SerialNumber), (8, TokenTrouble.SerialNumber), (9, TokenTrouble.SerialNumber),
                (10, TokenTrouble.Secret), (11, TokenTrouble.Secret), (12, TokenTrouble.SecretLength), (13, TokenTrouble.SecretUnclear), (15, TokenTrouble.Interval), (16, TokenTrouble.Interval), (17, TokenTrouble.Model),
                (18, TokenTrouble.Model), (19, TokenTrouble.Cells), (20, TokenTrouble.Quotes), (21, TokenTrouble.Secret),
            ],
            problems.OrderBy(problem => problem.Line).Select(problem => (problem.Line, problem.Trouble)));
        Assert.Equal([("GA-1", 60), ("GA-7", 30), ("GA-15", 30)], tokens.Select(token => (token.SerialNumber, token.Period)));
        Assert.Equal(25, tokens[1].Seed.Length);
        Assert.DoesNotContain(problems, problem => problem.ToString().Contains(Secret, StringComparison.Ordinal) || problem.ToString().Contains(ambiguous, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("serial number,model\nGA-1,c200\n", 1)]
    [InlineData("serial number,secret key\nGA-1,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n", 1)]
    [InlineData("serial,serial number,secret key,time interval\na,b,c,30\n", 1)]
    [InlineData("navn;brukernavn\nKari;kari\nOla;ola\n", 2)]
    [InlineData("\0\0\0\0\u0001\u0002", 1)]
    public void A_file_of_something_else_brings_nothing_in(string text, int wrong)
    {
        var (tokens, problems) = Read(text);
        Assert.Empty(tokens);
        Assert.True(problems.Count >= wrong, $"{problems.Count}");
    }

    [Fact]
    public void The_file_is_bounded()
    {
        var (tokens, problems) = Read(string.Join('\n', Enumerable.Range(1, TokenFile.MostLines + 10).Select(number => $",GA-{number},{Secret},30,,")));
        Assert.Equal(TokenFile.MostLines, tokens.Count);
        Assert.Equal((TokenFile.MostLines + 1, TokenTrouble.TooManyLines), Assert.Single(problems) is var problem ? (problem.Line, problem.Trouble) : default);
        (tokens, problems) = Read($",GA-1,{Secret},30,{new string('x', 20_000)},\n,GA-2,{Secret},30,,\n");
        Assert.Empty(tokens);
        Assert.NotEmpty(problems);
    }

    private static (List<ImportedToken> Tokens, List<TokenProblem> Problems) Read(string text)
    {
        var problems = new List<TokenProblem>();
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return ([.. TokenFile.Read(stream, problems.Add)], problems);
    }
}
