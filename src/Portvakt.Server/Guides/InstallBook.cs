using System.Globalization;
using Portvakt.Server.Shared;

namespace Portvakt.Server.Guides;

/// <summary>What somebody holds who opens the install page. Each has steps of its own.</summary>
public enum InstallPlace
{
    /// <summary>Safari 26 or later on an iPhone: the Share button is behind ⋯.</summary>
    IphoneSafari,

    /// <summary>Safari before 26 on an iPhone: the Share button is in the bar at the bottom.</summary>
    IphoneEarlierSafari,

    Ipad,

    /// <summary>Another browser on an iPhone or iPad. Few of them put an app on the Home Screen, and none says whether it does.</summary>
    IphoneOther,

    /// <summary>Inside another app on an iPhone or iPad, where nothing can be put on the Home Screen.</summary>
    IphoneApp,

    /// <summary>Chrome on Android and whatever is made of it.</summary>
    AndroidChrome,
    AndroidSamsung,
    AndroidFirefox,

    /// <summary>Inside another app on Android.</summary>
    AndroidApp,

    Computer,
}

/// <summary>One thing to do.</summary>
/// <param name="Words">Beginning of its words: with <c>Text</c>, and with <c>Alt</c> what its picture shows.</param>
/// <param name="Scene">What its picture shows; null where there is nothing to see.</param>
/// <param name="Copies">Whether this is the step where the address is copied.</param>
public sealed record InstallStep(string Words, InstallScene? Scene, bool Copies = false);

/// <summary>How the app is put on each kind of phone. Apple's and Google's menus are theirs: what they are called stands in <c>GuideWords</c> under <c>Menu</c>.</summary>
public static class InstallBook
{
    private static readonly InstallStep AddHome = new("InstallAddHome", InstallScene.AddHome), Confirm = new("InstallConfirm", InstallScene.Confirm), Home = new("InstallHome", InstallScene.HomeScreen);
    private static readonly InstallStep HomeAndroid = new("InstallHomeAndroid", InstallScene.HomeScreen); // Apple's has a name of its own
    private static readonly InstallStep Copy = new("InstallCopy", InstallScene.Copy, Copies: true);
    private static readonly InstallStep[] ToSafari = [Copy, new("InstallSafari", InstallScene.Safari), new("InstallPaste", InstallScene.PasteIphone)];

    /// <summary>Every place, with how it is named in an address: <c>/phone/get?on=ipad</c>.</summary>
    public static IReadOnlyList<(InstallPlace Place, string Address)> All { get; } =
    [
        (InstallPlace.IphoneSafari, "iphone-safari"),
        (InstallPlace.IphoneEarlierSafari, "iphone-earlier-safari"),
        (InstallPlace.Ipad, "ipad"),
        (InstallPlace.IphoneOther, "iphone-other"),
        (InstallPlace.IphoneApp, "iphone-app"),
        (InstallPlace.AndroidChrome, "android-chrome"),
        (InstallPlace.AndroidSamsung, "android-samsung"),
        (InstallPlace.AndroidFirefox, "android-firefox"),
        (InstallPlace.AndroidApp, "android-app"),
        (InstallPlace.Computer, "computer"),
    ];

    /// <summary>
    /// Where a browser runs, from what it calls itself. An iPad with Safari calls itself a Macintosh: that page asks by script whether it has fingers.
    /// A sheet of Safari inside another app calls itself Safari: the steps say what to do when the menu is not there.
    /// </summary>
    public static InstallPlace Of(string agent)
    {
        bool Says(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                if (agent.Contains(name, StringComparison.OrdinalIgnoreCase)) return true;
            }

            return false;
        }

        // Other browsers for Apple's phones say so even where they call an iPad a Macintosh.
        var isOther = Says("CriOS/", "FxiOS/", "EdgiOS/", "OPiOS/", "OPT/", "DuckDuckGo/", "Ddg/", "Brave/", "YaBrowser/", "Focus/", "Ecosia");
        var isInApp = Says("FBAN/", "FBAV/", "FB_IAB", "Instagram", "LinkedInApp", "Snapchat", "TikTok", "musical_ly", "Teams", "Outlook", "GSA/", "Gmail", "Line/", "MicroMessenger", "Slack", "WhatsApp", "Pinterest", "Twitter for");
        if (Says("iPhone", "iPad", "iPod") || (isOther && Says("Macintosh")))
        {
            if (isInApp || !Says("Safari/")) return InstallPlace.IphoneApp; // a view inside an app leaves "Safari" out
            if (isOther) return InstallPlace.IphoneOther;
            if (Says("iPad")) return InstallPlace.Ipad;

            // The version of the system stays at 18 for ever; that of Safari counts on.
            return SafariOf(agent) < 26 ? InstallPlace.IphoneEarlierSafari : InstallPlace.IphoneSafari;
        }

        if (!Says("Android")) return InstallPlace.Computer;
        if (isInApp || Says("; wv)")) return InstallPlace.AndroidApp;
        return Says("SamsungBrowser/") ? InstallPlace.AndroidSamsung : Says("Firefox/") ? InstallPlace.AndroidFirefox : InstallPlace.AndroidChrome;
    }

    public static IReadOnlyList<InstallStep> StepsOf(InstallPlace place) => place switch
    {
        InstallPlace.IphoneSafari => [new("InstallShareMenu", InstallScene.ShareMenu), AddHome, Confirm, Home],
        InstallPlace.IphoneEarlierSafari => [new("InstallShareBar", InstallScene.ShareBar), AddHome, Confirm, Home],
        InstallPlace.Ipad => [new("InstallShareIpad", InstallScene.ShareIpad), AddHome, Confirm, Home],
        InstallPlace.IphoneOther => ToSafari,
        InstallPlace.IphoneApp => [new("InstallLeaveIphone", InstallScene.LeaveIphone), .. ToSafari],
        InstallPlace.AndroidChrome => [new("InstallMenu", InstallScene.Menu), new("InstallAddStart", InstallScene.AddStart), new("InstallInstall", InstallScene.Install), HomeAndroid],
        InstallPlace.AndroidSamsung => [new("InstallSamsungMenu", InstallScene.SamsungMenu), new("InstallSamsungPage", InstallScene.SamsungPage), new("InstallSamsungHome", InstallScene.SamsungHome), HomeAndroid],
        InstallPlace.AndroidFirefox => [new("InstallMenu", InstallScene.Menu), new("InstallFirefoxAdd", InstallScene.FirefoxAdd), new("InstallFirefoxConfirm", InstallScene.FirefoxConfirm), HomeAndroid],
        InstallPlace.AndroidApp => [new("InstallLeaveAndroid", InstallScene.LeaveAndroid), Copy, new("InstallChrome", InstallScene.PasteAndroid)],
        InstallPlace.Computer => [new("InstallCamera", null), new("InstallFollow", null), new("InstallBack", null)],
        _ => throw new ArgumentOutOfRangeException(nameof(place)),
    };

    /// <summary>The major version of Safari; the newest where it does not say.</summary>
    private static int SafariOf(string agent)
    {
        const string Name = "Version/";
        if (agent.IndexOf(Name, StringComparison.Ordinal) is not (>= 0 and var at)) return int.MaxValue;
        var version = agent.AsSpan(at + Name.Length);
        return int.TryParse(version[..Math.Max(0, version.IndexOf('.'))], NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : int.MaxValue;
    }
}
