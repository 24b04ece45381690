using Iommufd.Messages.Events;
using Iommufd.Scenarios.Conformance.Kernel;

namespace Iommufd.Scenarios.Conformance;

/// <summary>What became of a trace that was played to make a journal.</summary>
/// <param name="Report">Whether the answers were those that were recorded.</param>
/// <param name="Contexts">The events of each context, by its number.</param>
public sealed record PlayedTrace(TraceReport Report, IReadOnlyDictionary<int, IReadOnlyList<ContextEvent>> Contexts);

/// <summary>A recorded trace as a journal: it is played, and what the contexts did is what they journalled.</summary>
public static class TraceJournal
{
    /// <summary>Plays a trace to its end, and closes what it left open.</summary>
    public static async Task<PlayedTrace> PlayAsync(Trace trace)
    {
        var recorded = new SortedDictionary<int, List<ContextEvent>>();
        SimulatedKernel kernel = SimulatedKernel.Recording(
            (context, change) =>
            {
                if (!recorded.TryGetValue(context, out List<ContextEvent>? events))
                {
                    recorded.Add(context, events = []);
                }

                events.Add(change);
            }
        );
        await using (kernel.ConfigureAwait(false))
        {
            var player = new TracePlayer(TracePlayerOptions.Default with { KeepGoing = true });
            TraceReport report = await player.PlayAsync(trace, kernel).ConfigureAwait(false);
            await kernel.EndAsync().ConfigureAwait(false);
            return new PlayedTrace(
                report,
                recorded.ToDictionary(r => r.Key, r => (IReadOnlyList<ContextEvent>)r.Value)
            );
        }
    }
}
