namespace Portvakt.Server.Resources;

/// <summary>The words of administration: AdminWords.resx (English), AdminWords.nb.resx, AdminWords.nn.resx. A test holds the three together.</summary>
public sealed class AdminWords;
