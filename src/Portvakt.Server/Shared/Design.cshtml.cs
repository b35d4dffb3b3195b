using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Options;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Shared;

/// <summary>Every part that pages are made of, in every state, on one page: for whoever changes the look, and for the pictures that <c>dev.cs looks</c> compares. In the demo only.</summary>
public sealed class DesignModel(IOptions<PortvaktSettings> settings) : PageModel
{
    public IActionResult OnGet() => settings.Value.Demo ? Page() : NotFound();
}
