using System.Diagnostics;
using System.Globalization;
using Iommufd.Core.Context;
using Iommufd.Messages.Events;
using Microsoft.Data.Sqlite;

namespace Iommufd.Persistence;

/// <summary>What a replay found.</summary>
/// <param name="Events">Events applied.</param>
/// <param name="Digest">Digest of the state, as the run reported it.</param>
/// <param name="Verified">Recorded digests that were found again.</param>
/// <param name="Mismatches">Recorded digests that differ: the context, the event's number, what was recorded and what was found.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Contexts">The contexts, by number.</param>
public sealed record ReplayReport(
    long Events,
    ulong Digest,
    int Verified,
    IReadOnlyList<DigestMismatch> Mismatches,
    TimeSpan Elapsed,
    IReadOnlyDictionary<int, ReplayedContext> Contexts
);

/// <summary>A recorded digest that a replay did not find again.</summary>
/// <param name="Context">The context's number.</param>
/// <param name="SequenceNr">The event's number in the context's stream.</param>
/// <param name="Recorded">What the run recorded.</param>
/// <param name="Found">What the replay computed.</param>
public sealed record DigestMismatch(int Context, long SequenceNr, ulong Recorded, ulong Found);

/// <summary>Brings the contexts of a journal back.</summary>
public static class JournalReplay
{
    // Fewer events than these are not worth threads.
    private const long WorthThreads = 20_000;

    /// <summary>
    /// Applies a journal's events, each context's in their order; contexts share nothing that an event does not name, so several
    /// are restored at the same time when there is enough to do.
    /// </summary>
    /// <param name="journal">The journal.</param>
    /// <param name="throughOrdering">The last row of the file to apply; null applies all.</param>
    /// <param name="cancellation">Stops between two events.</param>
    /// <exception cref="JournalFormatException">The journal is damaged or from a newer version.</exception>
    public static ReplayReport Run(
        JournalFile journal,
        long? throughOrdering = null,
        CancellationToken cancellation = default
    )
    {
        var clock = Stopwatch.StartNew();
        using var rows = journal.ContextRows(throughOrdering ?? long.MaxValue);
        if (rows is null)
        {
            return Report(clock, []);
        }

        var isLong = Environment.ProcessorCount > 1 && journal.LastRow() >= WorthThreads;
        using var restore = new JournalRestore(journal.Path, isLong ? Environment.ProcessorCount : 0);
        try
        {
            return Report(clock, restore.Run(rows, cancellation));
        }
        catch (SqliteException e)
        {
            throw JournalFile.Unreadable(journal.Path, e);
        }
    }

    private static ReplayReport Report(Stopwatch clock, IReadOnlyList<ReplayedContext> restored)
    {
        var contexts = new SortedDictionary<int, ReplayedContext>();
        var mismatches = new List<DigestMismatch>();
        foreach (var context in restored.Where(c => c.Applied > 0))
        {
            if (!contexts.TryAdd(context.Number, context))
            {
                throw new JournalFormatException(
                    FormattableString.Invariant($"two streams are those of context {context.Number}")
                );
            }

            foreach (var (number, recorded, found) in context.Mismatches)
            {
                mismatches.Add(new DigestMismatch(context.Number, number, recorded, found));
            }
        }

        var digests = contexts.ToDictionary(c => c.Key, c => c.Value.Digest);
        return new ReplayReport(
            contexts.Values.Sum(c => c.Applied),
            MachineDigest.Of(digests),
            contexts.Values.Sum(c => c.DigestsVerified),
            mismatches,
            clock.Elapsed,
            contexts
        );
    }

    /// <summary>Whether a stream is the run's own, which is no context.</summary>
    public static bool IsRunStream(string stream) =>
        string.Equals(stream, RunStream.PersistenceId, StringComparison.Ordinal);

    /// <summary>The context's number in its stream's name.</summary>
    /// <exception cref="JournalFormatException">The stream is not a context's.</exception>
    public static int NumberOf(string stream)
    {
        var dash = stream.LastIndexOf('-');
        return
            dash >= 0
            && int.TryParse(stream.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new JournalFormatException($"{stream}: not the stream of a context");
    }
}
