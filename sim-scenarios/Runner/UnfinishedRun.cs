using Iommufd.Actors;
using Iommufd.Messages.Events;
using Iommufd.Persistence;

namespace Iommufd.Scenarios.Runner;

/// <summary>
/// What a run left when it was killed. Its contexts are restored from their events; those that were open are closed, as the kernel
/// closes the descriptors of a process that is killed.
/// </summary>
/// <param name="Run">What the journal says about the run.</param>
/// <param name="Interrupted">The contexts that were open, and the events that close them.</param>
/// <param name="Contexts">The digest of every context just before it was closed.</param>
public sealed record UnfinishedRun(
    JournaledRun Run,
    IReadOnlyList<InterruptedContext> Interrupted,
    IReadOnlyDictionary<int, ulong> Contexts
)
{
    /// <summary>Restores every context of a journal.</summary>
    /// <exception cref="JournalFormatException">It is damaged.</exception>
    public static UnfinishedRun Restore(JournalFile journal, JournaledRun run)
    {
        var interrupted = new List<InterruptedContext>();
        var digests = new Dictionary<int, ulong>();
        foreach (ReplayedContext context in JournalReplay.Run(journal).Contexts.Values)
        {
            if (context.ClosedWith is null)
            {
                IReadOnlyList<ContextEvent> closing = context.Close();
                if (closing.Count > 0)
                {
                    interrupted.Add(new InterruptedContext(context.Number, closing));
                }
            }

            digests.Add(context.Number, context.Digest);
        }

        return new UnfinishedRun(run, interrupted, digests);
    }
}
