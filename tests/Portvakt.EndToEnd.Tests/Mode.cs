namespace Portvakt.EndToEnd.Tests;

/// <summary>A way in which somebody uses a page: what they see of it, and what they press.</summary>
public enum Mode
{
    /// <summary>As it comes, with a screen reader: axe, names and roles, the size of what is pressed.</summary>
    Light,

    Dark,

    /// <summary>The system chooses the colours, as those of a high-contrast theme do.</summary>
    Forced,

    /// <summary>320 CSS pixels wide.</summary>
    Narrow,

    /// <summary>A window of 1280 × 1024 at 400 %: as narrow, and 256 pixels high. What stays in its place covers most of it; hence with the keyboard.</summary>
    Zoomed,

    /// <summary>A reader's own distances between lines, words and letters (WCAG 2.2, 1.4.12).</summary>
    Spaced,

    /// <summary>Less motion was asked for.</summary>
    Still,

    /// <summary>No pointer.</summary>
    Keyboard,
}
