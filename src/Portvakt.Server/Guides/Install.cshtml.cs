using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Options;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Guides;

/// <summary>How the app gets on the phone that is held: the steps of exactly this browser, or on a computer how to bring this page to the phone. It asks the database nothing.</summary>
public sealed class InstallModel(IOptions<PortvaktSettings> settings) : PageModel
{
    public InstallPlace Place { get; private set; }

    /// <summary>Address of this page, as it is typed.</summary>
    public string Address => $"{settings.Value.PublicUri.Authority}/phone/get";

    /// <summary>Address of this page, as it is scanned and pasted.</summary>
    public string Link => $"{settings.Value.Origin}/phone/get";

    /// <summary>Whether the place was named in the address: then nobody is sent elsewhere.</summary>
    public bool IsChosen { get; private set; }

    public void OnGet(string? on)
    {
        var chosen = InstallBook.All.FirstOrDefault(known => string.Equals(known.Address, on, StringComparison.Ordinal));
        IsChosen = chosen.Address is not null;
        Place = IsChosen ? chosen.Place : InstallBook.Of(Request.Headers.UserAgent.ToString());
    }
}
