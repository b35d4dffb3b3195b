namespace Portvakt.Server.Resources;

/// <summary>
/// The success criteria of WCAG 2.2, levels A and AA, by number and level ("1.4.3 AA"): WcagWords.resx (English), .nb, .nn. All of them stand here, and the accessibility statement says of
/// each what is known.
/// </summary>
public sealed class WcagWords;
