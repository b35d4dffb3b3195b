using Microsoft.Extensions.Options;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Guides;

/// <summary>One sheet for the wall: what, until when, and the QR code of the guides.</summary>
public sealed class PosterModel(SignInJourney journey, PortvaktDb db, TimeProvider clock, IOptions<PortvaktSettings> settings, IWebHostEnvironment house)
    : GuidePage(journey, db, clock, settings, house)
{
    protected override GuideKind? Which() => null;
}
