using System.Net;
using Microsoft.AspNetCore.HttpOverrides;

namespace Portvakt.Server.Hosting;

/// <summary>Forwarded headers count only from proxies that the operator named (R85).</summary>
public static class Proxies
{
    /// <summary>The framework's own switch puts a middleware of its own before everything, which believes anybody. Ours is the only one that may believe.</summary>
    public static void AddTrustedProxies(this IServiceCollection services) =>
        services.PostConfigure<ForwardedHeadersOptions>(framework => framework.ForwardedHeaders = ForwardedHeaders.None);

    public static void UseTrustedProxies(this WebApplication app, PortvaktSettings settings)
    {
        if (settings.TrustedProxies.Count is 0) return;

        // The host is never taken from a header: the public address is one setting (R84).
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var proxy in settings.TrustedProxies)
        {
            if (IPAddress.TryParse(proxy, out var address)) options.KnownProxies.Add(address);
            else options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(proxy));
        }

        app.UseForwardedHeaders(options);
    }

    /// <summary>The framework's own switch trusts everybody; with it set and no list, nobody could say who is calling.</summary>
    public static string? Problem(PortvaktSettings settings, IConfiguration configuration) =>
        configuration.GetValue<bool>("FORWARDEDHEADERS_ENABLED") && settings.TrustedProxies.Count is 0
            ? "ASPNETCORE_FORWARDEDHEADERS_ENABLED is set, but Portvakt:TrustedProxies names no proxy: anybody could then choose their own address."
            : null;
}
