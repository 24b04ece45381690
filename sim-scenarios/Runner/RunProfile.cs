using System.Collections.Concurrent;
using System.Diagnostics;
using Iommufd.Core.Participants;
using Iommufd.Messages.Flows;

namespace Iommufd.Scenarios.Runner;

/// <summary>
/// Where a run spends its time and its allocations: measured around every step of a flow, by the kind of actor that does it. What
/// contexts, clients and the journal do between steps is not in it. Thread-safe.
/// </summary>
public sealed class RunProfile : IStepHook
{
    private readonly ConcurrentDictionary<(ParticipantKind Actor, Type Step), Sum> _sums = new();

    [ThreadStatic]
    private static (long Ticks, long Bytes) s_begun;

    /// <summary>The steps, the one that took the most time first.</summary>
    public IReadOnlyList<ProfiledStep> Steps =>
        [
            .. _sums
                .Select(s => new ProfiledStep(
                    s.Key.Actor.ToString(),
                    s.Key.Step.Name,
                    Interlocked.Read(ref s.Value.Count),
                    TimeSpan.FromSeconds((double)Interlocked.Read(ref s.Value.Ticks) / Stopwatch.Frequency),
                    Interlocked.Read(ref s.Value.Bytes)
                ))
                .OrderByDescending(s => s.Time)
                .ThenBy(s => s.Step, StringComparer.Ordinal),
        ];

    /// <inheritdoc/>
    public void Before(Participant participant, FlowStep step) =>
        s_begun = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());

    /// <inheritdoc/>
    public void After(Participant participant, FlowStep step)
    {
        long ticks = Stopwatch.GetTimestamp() - s_begun.Ticks;
        long bytes = GC.GetAllocatedBytesForCurrentThread() - s_begun.Bytes;
        Sum sum = _sums.GetOrAdd((participant.Kind, step.Request.GetType()), static _ => new Sum());
        Interlocked.Increment(ref sum.Count);
        Interlocked.Add(ref sum.Ticks, ticks);
        Interlocked.Add(ref sum.Bytes, bytes);
    }

    private sealed class Sum
    {
        public long Count;
        public long Ticks;
        public long Bytes;
    }
}

/// <summary>What one kind of step cost in a run.</summary>
/// <param name="Actor">The kind of actor that does it.</param>
/// <param name="Step">The step.</param>
/// <param name="Count">How often.</param>
/// <param name="Time">All of them together, on whatever core.</param>
/// <param name="Bytes">Managed memory allocated by all of them.</param>
public sealed record ProfiledStep(string Actor, string Step, long Count, TimeSpan Time, long Bytes);
