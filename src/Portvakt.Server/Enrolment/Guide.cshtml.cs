using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Portvakt.Server.Enrolment;

/// <summary>What to do on the phone, for whoever wants it written down.</summary>
public sealed class GuideModel : PageModel
{
    [FromRoute(Name = "phone")]
    public string Phone { get; set; } = "";

    public bool IsIphone => string.Equals(Phone, "iphone", StringComparison.OrdinalIgnoreCase);

    public void OnGet()
    {
        // The same for everybody.
    }
}
