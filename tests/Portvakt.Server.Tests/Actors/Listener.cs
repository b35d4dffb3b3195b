using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Tests.Actors;

/// <summary>One measurement or one span, with its labels as <c>name=value</c>.</summary>
public sealed record Heard(string Name, double Value, IReadOnlyList<string> Labels);

/// <summary>Hears what one server tells of its work, from the moment it is there; other servers of this process are not heard.</summary>
public sealed class Listener : IDisposable
{
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _spans;
    private readonly ConcurrentQueue<Heard> _measured = new();
    private readonly ConcurrentQueue<Instrument> _instruments = new();
    private readonly ConcurrentQueue<Activity> _told = new();

    public Listener(PortvaktServer server)
    {
        var factory = server.Services.GetRequiredService<IMeterFactory>();
        var source = server.Services.GetRequiredService<Telemetry>().Source;
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == factory && instrument.Meter.Name is Telemetry.Name) _instruments.Enqueue(instrument);
            if (instrument.Meter.Scope == factory && (instrument.Meter.Name is Telemetry.Name or "Microsoft.AspNetCore.Hosting")) listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<long>((instrument, value, labels, _) => Hear(instrument, value, labels));
        _meters.SetMeasurementEventCallback<int>((instrument, value, labels, _) => Hear(instrument, value, labels));
        _meters.SetMeasurementEventCallback<double>((instrument, value, labels, _) => Hear(instrument, value, labels));
        _meters.Start();
        _spans = new ActivityListener
        {
            ShouldListenTo = candidate => ReferenceEquals(candidate, source),
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _told.Enqueue,
        };
        ActivitySource.AddActivityListener(_spans);
    }

    public IReadOnlyList<Heard> Measured => [.. _measured];

    /// <summary>Our own ones, heard of or not.</summary>
    public IReadOnlyList<Instrument> Instruments => [.. _instruments];

    public IReadOnlyList<Activity> Spans => [.. _told];

    /// <summary>How often each row of labels of a counter was counted.</summary>
    public IReadOnlyDictionary<string, double> Counted(string instrument) => _measured.Where(one => one.Name == instrument)
        .GroupBy(one => string.Join(' ', one.Labels), StringComparer.Ordinal).ToDictionary(row => row.Key, row => row.Sum(one => one.Value), StringComparer.Ordinal);

    /// <summary>What is so at this moment, of what is not counted but looked at.</summary>
    public double Now(string instrument, string labels = "")
    {
        _meters.RecordObservableInstruments();
        return _measured.Last(one => one.Name == instrument && string.Join(' ', one.Labels) == labels).Value;
    }

    public void Dispose()
    {
        _meters.Dispose();
        _spans.Dispose();
    }

    private void Hear(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        List<string> words = [];
        foreach (var (name, label) in labels) words.Add($"{name}={label}");
        _measured.Enqueue(new Heard(instrument.Name, value, words));
    }
}
