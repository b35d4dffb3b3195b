namespace Portvakt.Server.Resources;

/// <summary>The words of the pages: Words.resx (English), Words.nb.resx, Words.nn.resx. A test holds the three together.</summary>
public sealed class Words;
