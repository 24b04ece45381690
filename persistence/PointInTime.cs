using System.Diagnostics;
using Iommufd.Core.Context;

namespace Iommufd.Persistence;

/// <summary>A context at a point of a journal.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Events">Its events up to there.</param>
/// <param name="Digest">The digest of its state; of a closed one, that just before the close.</param>
/// <param name="State">The context; null for a closed one, of which nothing is left.</param>
public sealed record ContextThen(int Number, long Events, ulong Digest, ReplayedContext? State);

/// <summary>The contexts of a journal as they were after one of its events.</summary>
/// <param name="Events">Events up to there, of the contexts that were asked for.</param>
/// <param name="Digest">The digest of the whole, as a run reports it; null when only one context was asked for.</param>
/// <param name="Contexts">In the order of their numbers.</param>
/// <param name="Applied">Events that were applied to get there.</param>
/// <param name="IndexWasBuilt">Whether the journal's index had to be made.</param>
/// <param name="Elapsed">How long it took, the making of the index included.</param>
public sealed record PointInTime(
    long Events,
    ulong? Digest,
    IReadOnlyList<ContextThen> Contexts,
    long Applied,
    bool IndexWasBuilt,
    TimeSpan Elapsed
)
{
    /// <summary>Restores the contexts of a journal.</summary>
    /// <param name="path">The journal.</param>
    /// <param name="at">The row of the file after which; null for the last.</param>
    /// <param name="only">The number of one context; null for all.</param>
    /// <exception cref="JournalFormatException">There is no such journal, or it is damaged or from a newer version.</exception>
    public static PointInTime Of(string path, long? at = null, int? only = null)
    {
        var clock = Stopwatch.StartNew();
        using var journal = IndexedJournal.Open(path);
        return journal.At(at, only) with { Elapsed = clock.Elapsed };
    }
}

/// <summary>A journal with its index: opened once, looked at in any number of points. Not thread-safe.</summary>
public sealed class IndexedJournal : IDisposable
{
    private readonly JournalRows _rows;
    private readonly JournalIndex _index;
    private readonly bool _indexWasBuilt;

    private IndexedJournal(JournalRows rows)
    {
        var clock = Stopwatch.StartNew();
        _rows = rows;
        _index = JournalIndex.Of(rows, out _indexWasBuilt);
        OpenedIn = clock.Elapsed;
    }

    /// <summary>How long it took to read the index, or to make it.</summary>
    public TimeSpan OpenedIn { get; }

    /// <summary>Opens a journal; its index is made when there is none.</summary>
    /// <exception cref="JournalFormatException">There is no such journal, or it is damaged or from a newer version.</exception>
    public static IndexedJournal Open(string path)
    {
        var rows = JournalRows.Open(path);
        try
        {
            return new IndexedJournal(rows);
        }
        catch
        {
            rows.Dispose();
            throw;
        }
    }

    /// <summary>Restores the contexts.</summary>
    /// <param name="at">The row of the file after which; null for the last.</param>
    /// <param name="only">The number of one context; null for all.</param>
    /// <exception cref="JournalFormatException">The journal is damaged.</exception>
    public PointInTime At(long? at, int? only = null)
    {
        var clock = Stopwatch.StartNew();
        var row = (uint)Math.Clamp(at ?? long.MaxValue, 0, EventGroups.Never - 1);
        var contexts = new List<ContextThen>();
        long applied = 0;
        foreach (var stream in _index.Streams)
        {
            if ((only is null || stream.Number == only) && stream.Rows[0] <= row)
            {
                contexts.Add(Restore(stream, row, ref applied));
            }
        }

        ulong? digest = only is null ? MachineDigest.Of(contexts.ToDictionary(c => c.Number, c => c.Digest)) : null;
        return new PointInTime(contexts.Sum(c => c.Events), digest, contexts, applied, _indexWasBuilt, clock.Elapsed);
    }

    /// <summary>
    /// The run that wrote the journal, without the names of its clients and barriers; null in journals of version 1, and in one that is
    /// empty.
    /// </summary>
    /// <exception cref="JournalFormatException">Its stream is damaged.</exception>
    public JournaledRun? ReadRun() =>
        _index.RunRows.Count == 0
            ? null
            : new JournaledRun(_index.RunRows.Select(r => _rows.EventAt(r)), _index.FinishedClients);

    /// <inheritdoc/>
    public void Dispose() => _rows.Dispose();

    private ContextThen Restore(IndexedStream stream, uint row, ref long applied)
    {
        if (stream.ClosedAt <= row)
        {
            return new ContextThen(stream.Number, stream.Rows.Length, stream.ClosedWith, null);
        }

        var events = stream.CountThrough(row);
        var live = stream.LiveAt(row);
        applied += live.Count;
        var state = new ReplayedContext(stream.Number) { IsPartial = live.Count < events };
        foreach (var one in live)
        {
            state.Apply(_rows.EventAt(one));
        }

        state.Applied = events;
        return new ContextThen(stream.Number, events, state.Digest, state);
    }
}
