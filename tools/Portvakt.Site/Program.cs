using Portvakt.Site;

if (args is not [var root, var folder, .. var rest] || rest.Length > 1)
{
    await Console.Error.WriteLineAsync("ROOT FOLDER [GUIDES]");
    return 2;
}

var site = Website.Read(root, rest is [var guides] ? guides : null);
foreach (var problem in site.Problems) await Console.Error.WriteLineAsync(problem);
if (site.Problems.Count > 0) return 1;
site.Write(folder);
Console.WriteLine($"{site.Pages.Count} pages");
return 0;
