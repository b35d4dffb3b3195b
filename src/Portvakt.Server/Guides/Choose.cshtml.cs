using Microsoft.Extensions.Options;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Guides;

/// <summary>Where every link without a phone in it leads: on a phone its own guide, on a computer all of them.</summary>
public sealed class ChooseModel(SignInJourney journey, PortvaktDb db, TimeProvider clock, IOptions<PortvaktSettings> settings, IWebHostEnvironment house)
    : GuidePage(journey, db, clock, settings, house)
{
    protected override GuideKind? Which() => InstallBook.Of(Request.Headers.UserAgent.ToString()) switch
    {
        InstallPlace.Computer => null,
        InstallPlace.AndroidChrome or InstallPlace.AndroidSamsung or InstallPlace.AndroidFirefox or InstallPlace.AndroidApp => GuideKind.Android,
        _ => GuideKind.Iphone,
    };
}
