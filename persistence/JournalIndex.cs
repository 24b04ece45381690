// Time travel in three files: JournalIndex says which events make up a context at a point of a journal, JournalIndexFile keeps it
// beside the journal, PointInTime brings the contexts back.
using System.Runtime.InteropServices;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>What the index knows of one context's stream.</summary>
/// <param name="Number">The context's number.</param>
/// <param name="RowBytes">The rows of its events in the file, ascending, four bytes each.</param>
/// <param name="DeathBytes">For each event the row from which on it does not matter any more; see <see cref="EventLifetimes"/>.</param>
/// <param name="ClosedAt">The row of the close; null while it is open.</param>
/// <param name="ClosedWith">The digest just before the close; 0 while it is open.</param>
public sealed record IndexedStream(
    int Number,
    ReadOnlyMemory<byte> RowBytes,
    ReadOnlyMemory<byte> DeathBytes,
    uint? ClosedAt,
    ulong ClosedWith
)
{
    /// <summary>The rows of its events in the file, ascending.</summary>
    public ReadOnlySpan<uint> Rows => MemoryMarshal.Cast<byte, uint>(RowBytes.Span);

    /// <summary>For each event the row from which on it does not matter any more.</summary>
    public ReadOnlySpan<uint> Deaths => MemoryMarshal.Cast<byte, uint>(DeathBytes.Span);

    /// <summary>How many of its events are in the file up to a row, that one included.</summary>
    public int CountThrough(uint row)
    {
        var found = Rows.BinarySearch(row);
        return found >= 0 ? found + 1 : ~found;
    }

    /// <summary>The rows whose events make up its state after a row, in order.</summary>
    public List<uint> LiveAt(uint row)
    {
        var rows = Rows[..CountThrough(row)];
        var deaths = Deaths;
        var live = new List<uint>();
        for (var i = 0; i < rows.Length; i++)
        {
            if (deaths[i] > row)
            {
                live.Add(rows[i]);
            }
        }

        return live;
    }
}

/// <summary>
/// For every event of a journal, from when to when it matters. With it the state at any point is restored from the few events that
/// make it up then, however long the journal is. Immutable.
/// </summary>
/// <param name="Identity">Tells whether the index belongs to a journal as it is now.</param>
/// <param name="Streams">The contexts, in the order of their numbers.</param>
/// <param name="RunRows">The rows of the run's stream that say what was run and how it ended: of clients and barriers there are thousands.</param>
/// <param name="FinishedClients">How many clients have done all their steps.</param>
public sealed record JournalIndex(
    JournalIdentity Identity,
    IReadOnlyList<IndexedStream> Streams,
    IReadOnlyList<uint> RunRows,
    int FinishedClients
)
{
    /// <summary>The index of a journal: the one beside it, or a new one, which is put there if that is possible.</summary>
    /// <param name="rows">The journal.</param>
    /// <param name="wasBuilt">Whether it had to be made.</param>
    /// <exception cref="JournalFormatException">The journal is damaged or from a newer version.</exception>
    public static JournalIndex Of(JournalRows rows, out bool wasBuilt)
    {
        var identity = JournalIdentity.Of(rows);
        var file = JournalIndexFile.PathFor(rows.Path);
        if (JournalIndexFile.TryRead(file, identity) is { } found)
        {
            wasBuilt = false;
            return found;
        }

        wasBuilt = true;
        var index = Build(rows, identity);
        JournalIndexFile.TryWrite(file, index);
        return index;
    }

    /// <summary>Makes the index of a journal: reads every event once.</summary>
    /// <exception cref="JournalFormatException">The journal is damaged or from a newer version.</exception>
    public static JournalIndex Build(JournalRows rows, JournalIdentity identity)
    {
        var streams = new Dictionary<string, IndexBuilder>(StringComparer.Ordinal);
        var runRows = new List<uint>();
        var clients = new HashSet<long>();
        foreach (var row in rows.All())
        {
            if (row.Ordering is < 1 or >= EventGroups.Never)
            {
                throw new JournalFormatException(
                    FormattableString.Invariant($"{rows.Path}: event {row.Ordering} cannot be indexed")
                );
            }

            var change = EventPayload.FromBytes(row.Payload);
            if (JournalReplay.IsRunStream(row.Stream))
            {
                if (change is ClientFinished client)
                {
                    clients.Add(client.Client);
                }
                else if (change is not BarrierOpened)
                {
                    runRows.Add((uint)row.Ordering);
                }

                continue;
            }

            if (!streams.TryGetValue(row.Stream, out var stream))
            {
                stream = new IndexBuilder(row.Stream, rows);
                streams.Add(row.Stream, stream);
            }

            stream.Add(row, change);
        }

        var indexed = streams.Values.Select(s => s.ToStream()).OrderBy(s => s.Number).ToList();
        for (var i = 1; i < indexed.Count; i++)
        {
            if (indexed[i].Number == indexed[i - 1].Number)
            {
                throw new JournalFormatException(
                    FormattableString.Invariant($"{rows.Path}: two streams are those of context {indexed[i].Number}")
                );
            }
        }

        return new JournalIndex(identity, indexed, runRows, clients.Count);
    }
}

/// <summary>Tells journals apart: the last row, and the content of the first and the last.</summary>
/// <param name="LastRow">Its number; 0 for none.</param>
/// <param name="Ends">A hash of both.</param>
public readonly record struct JournalIdentity(long LastRow, ulong Ends)
{
    /// <summary>The identity of a journal as it is now.</summary>
    public static JournalIdentity Of(JournalRows rows)
    {
        if (rows.Ends() is not var (first, last))
        {
            return default;
        }

        var hash = Core.Participants.Fnv1a.Empty;
        foreach (var row in new[] { first, last })
        {
            hash = hash.Add((ulong)row.Timestamp).Add((ulong)row.SequenceNr).Add((ulong)row.Payload.Length);
            foreach (var one in row.Payload)
            {
                hash = hash.Add((ulong)one);
            }
        }

        return new JournalIdentity(last.Ordering, hash.Value);
    }
}

/// <summary>The index of one stream while it is made.</summary>
internal sealed class IndexBuilder(string stream, JournalRows rows)
{
    private readonly EventLifetimes _lifetimes = new();
    private readonly List<uint> _orderings = [];
    private long _restored;
    private bool _keepsAll;
    private ulong? _lastDigest;
    private uint? _closedAt;
    private ulong _closedWith;

    /// <summary>Takes the next row of the stream.</summary>
    public void Add(JournalRow row, ContextEvent change)
    {
        if (row.SequenceNr != _orderings.Count + 1)
        {
            throw new JournalFormatException(
                FormattableString.Invariant(
                    $"{rows.Path}: the file is damaged: event {_orderings.Count + 1} of {stream} is not there"
                )
            );
        }

        var ordering = (uint)row.Ordering;
        switch (change)
        {
            case DigestRecorded recorded:
                Check(recorded.Digest);
                _lastDigest = recorded.Digest;
                break;
            case ContextClosed:
                _closedAt = ordering;
                _closedWith = _lastDigest ?? Restore().Digest;
                break;
            default:
                _lastDigest = null;
                break;
        }

        _orderings.Add(ordering);
        _lifetimes.Add(ordering, change);
    }

    /// <summary>What was found out.</summary>
    public IndexedStream ToStream()
    {
        var deaths = _lifetimes.Deaths();
        if (_keepsAll)
        {
            Array.Fill(deaths, EventGroups.Never);
        }

        return new IndexedStream(
            JournalReplay.NumberOf(stream),
            MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_orderings)).ToArray(),
            MemoryMarshal.AsBytes(deaths.AsSpan()).ToArray(),
            _closedAt,
            _closedWith
        );
    }

    // The rules of EventLifetimes are checked against what the run itself recorded, as long as that costs no more than a replay.
    // Where they do not lead to the same digest, nothing of the stream is left out.
    private void Check(ulong recorded)
    {
        var live = _lifetimes.LiveRows().Count;
        if (_keepsAll || _restored + live > _orderings.Count)
        {
            return;
        }

        _restored += live;
        try
        {
            _keepsAll = Restore().Digest != recorded;
        }
        catch (JournalFormatException)
        {
            _keepsAll = true;
        }
    }

    private ReplayedContext Restore()
    {
        var context = new ReplayedContext(JournalReplay.NumberOf(stream)) { IsPartial = true };
        foreach (var live in _keepsAll ? _orderings : _lifetimes.LiveRows())
        {
            context.Apply(rows.EventAt(live));
        }

        return context;
    }
}
