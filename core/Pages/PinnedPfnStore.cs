using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// The pinned-PFN store of a page set: frames of the pages that an access covers, as sorted runs. Costs nothing while it
/// is empty.
/// </summary>
internal struct PinnedPfnStore
{
    private List<Piece>? _pieces;

    /// <summary>Pages in the store.</summary>
    public readonly ulong PageCount
    {
        get
        {
            ulong pages = 0;
            for (int i = 0; i < (_pieces?.Count ?? 0); i++)
            {
                pages += _pieces![i].Count;
            }

            return pages;
        }
    }

    /// <summary>Puts pages into the store; none of them may be there.</summary>
    /// <param name="first">First page.</param>
    /// <param name="last">Last page.</param>
    /// <param name="frames">Where their frames are taken from.</param>
    public void Insert(ulong first, ulong last, ref RunCursor frames)
    {
        List<Piece> pieces = _pieces ??= [];
        int at = Position(first);
        if (at < pieces.Count && pieces[at].First <= last)
        {
            throw new InvalidOperationException($"page {pieces[at].First} is in the store already");
        }

        if (at == pieces.Count)
        {
            for (ulong index = first; index <= last; )
            {
                PfnRun run = frames.Take(last - index + 1);
                pieces.Add(new Piece(index, run));
                index += run.Count;
            }

            return;
        }

        // In the middle: one move of what is behind, however many pieces come in.
        var inserted = new List<Piece>();
        for (ulong index = first; index <= last; )
        {
            PfnRun run = frames.Take(last - index + 1);
            inserted.Add(new Piece(index, run));
            index += run.Count;
        }

        pieces.InsertRange(at, inserted);
    }

    /// <summary>Appends the frames of pages, all of which are in the store.</summary>
    public readonly void Read(ulong first, ulong last, List<PfnRun> runs, int from)
    {
        int at = Position(first);
        for (ulong index = first; index <= last; at++)
        {
            if (_pieces is null || at >= _pieces.Count || _pieces[at].First > index)
            {
                throw new InvalidOperationException($"page {index} is not in the store");
            }

            Piece piece = _pieces[at];
            ulong count = Math.Min(last, piece.Last) - index + 1;
            PfnRuns.Append(runs, from, new PfnRun(new Pfn(piece.Pfn.Value + (index - piece.First)), count));
            index += count;
        }
    }

    /// <summary>Takes pages out of the store, all of which are there.</summary>
    public readonly void Remove(ulong first, ulong last)
    {
        List<Piece> pieces = _pieces ?? throw new InvalidOperationException("the store is empty");
        int at = Position(first);
        int end = at;
        ulong covered = first;
        while (end < pieces.Count && pieces[end].First <= last)
        {
            if (pieces[end].First > covered)
            {
                break;
            }

            covered = pieces[end].Last + 1;
            end++;
        }

        if (covered <= last)
        {
            throw new InvalidOperationException($"page {covered} is not in the store");
        }

        Piece head = pieces[at];
        Piece tail = pieces[end - 1];
        pieces.RemoveRange(at, end - at);
        if (tail.Last > last)
        {
            pieces.Insert(at, tail.From(last + 1));
        }

        if (head.First < first)
        {
            pieces.Insert(at, new Piece(head.First, new PfnRun(head.Pfn, first - head.First)));
        }
    }

    /// <summary>Index in the list of the first piece that ends at or behind a page.</summary>
    private readonly int Position(ulong index)
    {
        int low = 0;
        int high = _pieces?.Count ?? 0;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_pieces![middle].Last < index)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private readonly record struct Piece(ulong First, Pfn Pfn, ulong Count)
    {
        public Piece(ulong first, PfnRun run)
            : this(first, run.First, run.Count) { }

        public ulong Last => First + Count - 1;

        public Piece From(ulong index) => new(index, new Pfn(Pfn.Value + (index - First)), Last - index + 1);
    }
}
