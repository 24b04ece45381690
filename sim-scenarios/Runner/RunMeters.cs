using System.Diagnostics;
using System.Diagnostics.Metrics;
using Iommufd.Actors;
using Iommufd.Core.PageTables;

namespace Iommufd.Scenarios.Runner;

/// <summary>
/// A run's figures as System.Diagnostics.Metrics, under the meter <see cref="Name"/>: dotnet-counters and OpenTelemetry read them. They
/// cost nothing while nobody listens; counters are read from the run when a listener asks. Thread-safe.
/// </summary>
internal sealed class RunMeters : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "Iommufd";

    private readonly Meter _meter = new(Name);
    private readonly Histogram<double> _duration;

    /// <summary>Publishes a run's figures until disposed.</summary>
    public RunMeters(RunMetrics metrics, IRunHost host)
    {
        _meter.CreateObservableCounter(
            "iommufd.operations",
            () => Operations(metrics),
            "{operation}",
            "Ioctls and driver calls."
        );
        _meter.CreateObservableCounter("iommufd.contexts", () => metrics.Contexts, "{context}", "Contexts opened.");
        _meter.CreateObservableUpDownCounter(
            "iommufd.contexts.open",
            () => metrics.Contexts - metrics.ClosedContexts,
            "{context}",
            "Contexts that are open."
        );
        _meter.CreateObservableCounter(
            "iommufd.dma.translations",
            () => (long)metrics.Dma.Translations,
            "{translation}",
            "Addresses translated for DMA."
        );
        _meter.CreateObservableCounter("iommufd.dma.faults", () => (long)metrics.Dma.Faults, "{fault}", "DMA refused.");
        _meter.CreateObservableCounter(
            "iommufd.dma.violations",
            () => (long)metrics.Dma.Violations,
            "{violation}",
            "DMA checks that failed."
        );
        _meter.CreateObservableCounter(
            "iommufd.invariants",
            () => Invariants(metrics),
            "{check}",
            "Invariants checked, by whether they held."
        );
        _meter.CreateObservableUpDownCounter("iommufd.pins", () => host.Pins, "{page}", "Pages pinned.");
        _meter.CreateObservableUpDownCounter("iommufd.tables", () => host.Tables, "{table}", "Page tables.");
        _meter.CreateObservableUpDownCounter(
            "iommufd.tables.reserved",
            () => IoPageTable.ArenaBytes,
            "By",
            "Memory taken for page tables."
        );
        _meter.CreateObservableGauge(
            "iommufd.journal.lag",
            () => host.JournalLag,
            "{event}",
            "Events that contexts wrote and that are not durable yet."
        );
        _meter.CreateObservableUpDownCounter(
            "iommufd.mailbox.messages",
            () => Mailboxes(host, m => m.All),
            "{message}",
            "Messages that wait, by the kind of actor that they wait for."
        );
        _meter.CreateObservableGauge(
            "iommufd.mailbox.longest",
            () => Mailboxes(host, m => m.Longest),
            "{message}",
            "Messages in the longest mailbox of each kind of actor."
        );
        _duration = _meter.CreateHistogram<double>(
            "iommufd.operation.duration",
            "s",
            "From the client's call to its answer, on the run's clock."
        );
        metrics.Answered = OnAnswered;
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private void OnAnswered(string operation, long nanoseconds)
    {
        if (_duration.Enabled)
        {
            _duration.Record(nanoseconds / 1e9, new TagList { { "operation", operation } });
        }
    }

    private static IEnumerable<Measurement<long>> Operations(RunMetrics metrics)
    {
        foreach (StepMetrics step in metrics.Steps)
        {
            var tag = new KeyValuePair<string, object?>("operation", step.Name);
            yield return new Measurement<long>(step.Count - step.Failed, tag, new("ok", true));
            yield return new Measurement<long>(step.Failed, tag, new("ok", false));
        }
    }

    private static IEnumerable<Measurement<long>> Mailboxes(IRunHost host, Func<MailboxDepth, long> figure) =>
        host.Mailboxes.Select(m => new Measurement<long>(figure(m), new KeyValuePair<string, object?>("kind", m.Kind)));

    private static IEnumerable<Measurement<long>> Invariants(RunMetrics metrics)
    {
        long violated = metrics.InvariantsViolated;
        yield return new Measurement<long>(
            metrics.InvariantsChecked - violated,
            new KeyValuePair<string, object?>("held", true)
        );
        yield return new Measurement<long>(violated, new KeyValuePair<string, object?>("held", false));
    }
}
