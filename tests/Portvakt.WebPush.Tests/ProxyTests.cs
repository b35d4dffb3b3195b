using System.Net;
using System.Net.Sockets;

namespace Portvakt.WebPush.Tests;

/// <summary>The proxy is a setting of the whole process, so nothing else may run beside.</summary>
[CollectionDefinition(nameof(ProxyTests), DisableParallelization = true)]
[Collection(nameof(ProxyTests))]
public sealed class ProxyTests
{
    [Fact]
    public async Task A_proxy_named_in_the_environment_is_ignored()
    {
        using var proxy = new TcpListener(IPAddress.Loopback, 0);
        proxy.Start();
        var address = $"http://{proxy.LocalEndpoint}";
        string[] variables = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
        var before = variables.ToDictionary(name => name, Environment.GetEnvironmentVariable, StringComparer.Ordinal);
        var defaultBefore = HttpClient.DefaultProxy;
        await using var scene = await Scene.SetAsync();
        try
        {
            foreach (var name in variables)
                Environment.SetEnvironmentVariable(name, address);
            HttpClient.DefaultProxy = new WebProxy(address); // what .NET makes of the variables, once per process

            Assert.Equal(new PushOutcome.Delivered(), await scene.SendAsync(scene.Service.Subscribe()));
            Assert.False(proxy.Pending());

            // The trap works: an ordinary client walks into it.
            using var ordinary = new HttpClient();
            var asking = ordinary.GetAsync(scene.Service.Address);
            using var caught = await proxy.AcceptTcpClientAsync().WaitAsync(TimeSpan.FromSeconds(20));
            await caught.GetStream().WriteAsync("HTTP/1.1 418 Trap\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
            using var answer = await asking;
            Assert.Equal(418, (int)answer.StatusCode);
        }
        finally
        {
            HttpClient.DefaultProxy = defaultBefore;
            foreach (var (name, value) in before)
                Environment.SetEnvironmentVariable(name, value);
        }
    }
}
