using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Authenticators;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.WebPush;

namespace Portvakt.Server.Approvals;

/// <summary>
/// Rings the phones. Carries an opaque id and a neutral text, encrypted for the phone; everything else the phone fetches itself. A push that
/// fails costs a moment, not the sign-in: the open app asks by itself. A notice (R37) has no id: there is nothing to answer.
/// </summary>
public sealed class PushDelivery(IServiceScopeFactory scopes, Lookups lookups, Notices notices, Vault vault, TimeProvider clock, IOptions<PortvaktSettings> settings, Telemetry telemetry, ILogger<PushDelivery> log) : BackgroundService
{
    private const string Column = "phones.push";

    // Constant whatever the host name and language, so that the length tells nothing.
    private const int PayloadLength = 512;

    /// <summary>A phone that is switched off hears of a change when it is switched on again.</summary>
    private static readonly TimeSpan NoticeLifetime = TimeSpan.FromDays(7);

    // Bounded: when push services hang, the newest request matters and the oldest is over anyway.
    private readonly Channel<Errand> _errands = Channel.CreateBounded<Errand>(new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly Lock _gate = new();
    private PushSender? _sender;
    private VapidKey? _key;

    public async Task EnqueueAsync(ApprovalRequest request, string text, string language, CancellationToken cancellationToken) =>
        await _errands.Writer.WriteAsync(new Errand(request.Id, request.PersonId, request.OnlyPhoneId, null, request.ExpiresAt, text, language), cancellationToken);

    /// <summary>Fails when the contact or the key cannot be used: better now than at the first push.</summary>
    /// <exception cref="InvalidOperationException">The contact is not one that push services accept.</exception>
    public void CheckAtStart() => Sender();

    /// <summary>The key that browsers subscribe to, 65 bytes, base64url.</summary>
    public string ApplicationServerKey => Key().ApplicationServerKey;

    public byte[] Seal(Guid phoneId, PushSubscription subscription) => vault.Seal(
        JsonSerializer.SerializeToUtf8Bytes(new PushKeys(subscription.Endpoint.AbsoluteUri, Base64Url.EncodeToString(subscription.P256dh.Span), Base64Url.EncodeToString(subscription.Auth.Span))),
        Column,
        phoneId.ToString("N"));

    /// <summary>A subscription that may be used: valid keys (R87) at an allowed address (R86). Null otherwise.</summary>
    public PushSubscription? Accept(PushKeys? message) =>
        message is not null
        && PushSubscription.TryCreate(message.Endpoint, message.P256dh, message.Auth, out var subscription)
        && Policy().Check(subscription.Endpoint) is PushEndpointVerdict.Allowed
            ? subscription
            : null;

    public PushSubscription? Open(PhoneAuthenticator phone)
    {
        if (phone.SealedPush is not { } box) return null;
        var message = JsonSerializer.Deserialize<PushKeys>(vault.Open(box, Column, phone.Id.ToString("N")));
        return PushSubscription.TryCreate(message?.Endpoint, message?.P256dh, message?.Auth, out var subscription) ? subscription : null;
    }

    public override void Dispose()
    {
        _sender?.Dispose();
        _key?.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(TakeNoticesAsync(stoppingToken), RingAsync(stoppingToken));

    private async Task TakeNoticesAsync(CancellationToken stoppingToken)
    {
        await foreach (var notice in notices.Waiting.ReadAllAsync(stoppingToken))
            await _errands.Writer.WriteAsync(new Errand(null, notice.PersonId, null, notice.ExceptPhoneId, clock.GetUtcNow() + NoticeLifetime, notice.Text, notice.Language), stoppingToken);
    }

    private async Task RingAsync(CancellationToken stoppingToken)
    {
        // Many phones at once: one slow push service must not keep the others waiting.
        await Parallel.ForEachAsync(
            _errands.Reader.ReadAllAsync(stoppingToken),
            new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = stoppingToken },
            async (errand, cancellationToken) =>
            {
                try
                {
                    await DeliverAsync(errand, cancellationToken);
                }
#pragma warning disable CA1031 // one phone's trouble must not stop the delivery to all others; it is logged
                catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
                {
                    log.PushBroke(exception);
                }
            });
    }

    private async Task DeliverAsync(Errand errand, CancellationToken cancellationToken)
    {
        List<PhoneAuthenticator> phones = [];
        await using (var scope = scopes.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            await foreach (var phone in lookups.Ringing(db, errand.PersonId, errand.OnlyPhoneId, errand.ExceptPhoneId).WithCancellation(cancellationToken)) phones.Add(phone);
        }

        // All at once: a push service that hangs must not silence the person's other phones, nor one that fails.
        await Task.WhenAll(phones.Select(phone => RingAsync(phone, errand, cancellationToken)));
    }

    private async Task RingAsync(PhoneAuthenticator phone, Errand errand, CancellationToken cancellationToken)
    {
        if (Open(phone) is not { } subscription) return;
        var options = new PushOptions
        {
            Ttl = errand.ExpiresAt - clock.GetUtcNow() is { Ticks: > 0 } left ? left : TimeSpan.Zero,
            Urgency = errand.IsNotice ? PushUrgency.Normal : PushUrgency.High,
            PaddedLength = PayloadLength,
            Topic = TopicOf(phone.Id, errand.IsNotice), // a newer one takes the place of an older one of its kind
        };

        // One try for a notice: while it waited for its push service, requests would wait for it.
        switch (await telemetry.PushAsync(errand.IsNotice, () => errand.IsNotice ? Sender().SendAsync(subscription, Payload(errand), options, cancellationToken) : Sender().SendWithRetryAsync(subscription, Payload(errand), options, errand.ExpiresAt, cancellationToken)))
        {
            case PushOutcome.Delivered:
                break;
            case PushOutcome.Gone:
                log.SubscriptionGone(phone.Id);
                await using (var scope = scopes.CreateAsyncScope())
                {
                    await scope.ServiceProvider.GetRequiredService<PortvaktDb>().Phones.Where(row => row.Id == phone.Id && row.SealedPush == phone.SealedPush)
                        .ExecuteUpdateAsync(set => set.SetProperty(row => row.SealedPush, (byte[]?)null), cancellationToken);
                }

                break;
            case PushOutcome.Refused refused:
                log.PushRefused(phone.Id, refused.Detail);
                break;
            case var other:
                log.PushFailed(phone.Id, other.ToString());
                break;
        }
    }

    /// <summary>Apple's declarative form rides along: it is shown even if the worker fails.</summary>
    private byte[] Payload(Errand errand) => JsonSerializer.SerializeToUtf8Bytes(
        new PushPayload(8030, new PushNotification("Portvakt", errand.Text, $"{settings.Value.Origin}/phone/{(errand.IsNotice ? "" : "#r=" + errand.ApprovalId)}", errand.Language, Silent: false), errand.ApprovalId ?? ""), PhoneJson.Options);

    private static string TopicOf(Guid phoneId, bool isNotice) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(phoneId.ToString("N") + (isNotice ? "/notice" : ""))).AsSpan(0, 18));

    private PushEndpointPolicy Policy() =>
        new(settings.Value.PushHosts.Count is 0 ? PushEndpointPolicy.DefaultHosts : settings.Value.PushHosts, settings.Value.AllowLoopbackPush);

    private PushSender Sender()
    {
        lock (_gate)
        {
            if (_sender is not null) return _sender;
            var contact = VapidSubject.TryParse(settings.Value.PushContact, out var subject) ? subject : throw new InvalidOperationException("Portvakt:PushContact is not a usable contact.");
            return _sender = new PushSender(Policy(), Key(), contact, clock);
        }
    }

    private VapidKey Key()
    {
        lock (_gate)
        {
            return _key ??= VapidKey.FromPkcs8(ServerKeyStore.GetOrCreate(scopes, vault, clock, "vapid", static () =>
            {
                using var fresh = VapidKey.Create();
                return fresh.ExportPkcs8();
            }));
        }
    }

    private sealed record Errand(string? ApprovalId, Guid PersonId, Guid? OnlyPhoneId, Guid? ExceptPhoneId, DateTimeOffset ExpiresAt, string Text, string Language)
    {
        public bool IsNotice => ApprovalId is null;
    }
}
