using System.Text;
using Microsoft.AspNetCore.Html;
using QRCoder;

namespace Portvakt.Server.Shared;

/// <summary>A QR code as one SVG path: sharp at every size, no image request, dark on white in every colour scheme, because cameras want it so.</summary>
public static class QrPicture
{
    private const int QuietZone = 4;

    public static IHtmlContent Draw(string text, string description)
    {
        using var data = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var modules = data.ModuleMatrix; // has the quiet zone of four modules around it already
        var size = modules.Count;
        var path = new StringBuilder();
        for (var y = QuietZone; y < size - QuietZone; y++)
        {
            for (var x = QuietZone; x < size - QuietZone; x++)
            {
                if (!modules[y][x]) continue;
                var start = x;
                while (x + 1 < size && modules[y][x + 1]) x++;
                path.Append(System.Globalization.CultureInfo.InvariantCulture, $"M{start} {y}h{x - start + 1}v1h-{x - start + 1}z");
            }
        }

        var svg = new HtmlContentBuilder();
        svg.AppendHtml($"<svg class=\"pv-qr\" role=\"img\" viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\" aria-label=\"");
        svg.Append(description);
        svg.AppendHtml($"\"><rect width=\"{size}\" height=\"{size}\" fill=\"#fff\"/><path fill=\"#000\" d=\"{path}\"/></svg>");
        return svg;
    }
}
