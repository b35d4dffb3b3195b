namespace Portvakt.Server.OpenIdConnect;

/// <summary>Loads the signing keys before the first request and looks every hour for new or outgrown ones; a key made on one node is known on all.</summary>
internal sealed class KeyKeeper(SigningKeys keys, RelyingParties relyingParties, TimeProvider clock, ILogger<KeyKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Rhythm = TimeSpan.FromHours(1);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await keys.LoadAsync(cancellationToken);
        foreach (var warning in relyingParties.Warnings) logger.RelyingPartyWarning(warning);
        logger.ProviderReady(relyingParties.All.Count(), keys.Current.Id);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(Rhythm, clock, stoppingToken);
            try
            {
                await keys.LoadAsync(stoppingToken);
            }
#pragma warning disable CA1031 // a database that is away for a minute must not end this for good
            catch (Exception problem) when (problem is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                logger.KeysNotReloaded(problem);
            }
        }
    }
}
