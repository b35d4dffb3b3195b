using Microsoft.Extensions.Options;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Guides;

/// <summary>One guide, step by step, with pictures of what is on the screen.</summary>
public sealed class GuideModel(SignInJourney journey, PortvaktDb db, TimeProvider clock, IOptions<PortvaktSettings> settings, IWebHostEnvironment house)
    : GuidePage(journey, db, clock, settings, house)
{
    protected override GuideKind? Which() => GuideBook.All.Single(guide => string.Equals(guide.Address, (string?)RouteData.Values["which"], StringComparison.OrdinalIgnoreCase)).Kind;
}
