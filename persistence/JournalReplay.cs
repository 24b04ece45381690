using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Iommufd.Core.Context;
using Iommufd.Messages.Events;

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
    // Fewer events than these are not worth a second connection.
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
        var streams = journal.Streams();
        var restored = new ReplayedContext[streams.Count];
        if (streams.Count > 1 && Environment.ProcessorCount > 1 && journal.Count() >= WorthThreads)
        {
            RestoreAtOnce(journal.Path, streams, throughOrdering, restored, cancellation);
        }
        else
        {
            for (var i = 0; i < streams.Count; i++)
            {
                restored[i] = Restore(journal, streams[i], throughOrdering, cancellation);
            }
        }

        return Report(clock, restored);
    }

    // What is wrong with the first stream that something is wrong with is what is said, whichever was met first.
    private static void RestoreAtOnce(
        string path,
        IReadOnlyList<string> streams,
        long? throughOrdering,
        ReplayedContext[] restored,
        CancellationToken cancellation
    )
    {
        var wrong = new ExceptionDispatchInfo?[streams.Count];
        Parallel.For(
            0,
            streams.Count,
            new ParallelOptions
            {
                CancellationToken = cancellation,
                MaxDegreeOfParallelism = Environment.ProcessorCount,
            },
            () => JournalFile.Open(path),
            (i, _, own) =>
            {
                try
                {
                    restored[i] = Restore(own, streams[i], throughOrdering, cancellation);
                }
                catch (JournalFormatException e)
                {
                    wrong[i] = ExceptionDispatchInfo.Capture(e);
                }

                return own;
            },
            own => own.Dispose()
        );
        wrong.FirstOrDefault(w => w is not null)?.Throw();
    }

    private static ReplayedContext Restore(
        JournalFile journal,
        string stream,
        long? throughOrdering,
        CancellationToken cancellation
    )
    {
        var context = new ReplayedContext(NumberOf(stream));
        foreach (var journaled in journal.Read(stream, throughOrdering))
        {
            cancellation.ThrowIfCancellationRequested();
            if (journaled.SequenceNr != context.Applied + 1)
            {
                throw new JournalFormatException(
                    FormattableString.Invariant(
                        $"{journal.Path}: the file is damaged: event {context.Applied + 1} of {stream} is not there"
                    )
                );
            }

            context.Apply(journaled.Event);
        }

        return context;
    }

    private static ReplayReport Report(Stopwatch clock, ReplayedContext[] restored)
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
