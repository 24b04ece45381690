using System.Diagnostics;
using System.Globalization;
using Iommufd.Core.Context;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>What a replay found.</summary>
/// <param name="Events">Events applied.</param>
/// <param name="Digest">Digest of the state, as the run reported it.</param>
/// <param name="Verified">Recorded digests that were found again.</param>
/// <param name="Mismatches">Recorded digests that differ: the stream, the event's number, what was recorded and what was found.</param>
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
/// <param name="Stream">The context's stream.</param>
/// <param name="SequenceNr">The event's number in the stream.</param>
/// <param name="Recorded">What the run recorded.</param>
/// <param name="Found">What the replay computed.</param>
public sealed record DigestMismatch(string Stream, long SequenceNr, ulong Recorded, ulong Found);

/// <summary>Brings the contexts of a journal back.</summary>
public static class JournalReplay
{
    /// <summary>Applies a journal's events, context after context: contexts share nothing that an event does not name.</summary>
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
        var contexts = new SortedDictionary<int, ReplayedContext>();
        var mismatches = new List<DigestMismatch>();
        foreach (var stream in journal.Streams())
        {
            var context = new ReplayedContext(NumberOf(stream));
            foreach (var journaled in journal.Read(stream, throughOrdering))
            {
                cancellation.ThrowIfCancellationRequested();
                context.Apply(journaled.Event);
            }

            if (context.Applied == 0)
            {
                continue;
            }

            if (!contexts.TryAdd(context.Number, context))
            {
                throw new JournalFormatException(
                    FormattableString.Invariant(
                        $"{stream} is the second stream of context {context.Number}: a name is damaged"
                    )
                );
            }

            foreach (var (number, recorded, found) in context.Mismatches)
            {
                mismatches.Add(new DigestMismatch(stream, number, recorded, found));
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
