using System.Runtime.InteropServices;

namespace Iommufd.Persistence;

/// <summary>
/// Sets of events that matter together: each has a number of things that are open, and is over when none is. Union-find with a
/// list of members. Events are numbered in the order in which they are added. Not thread-safe.
/// </summary>
internal sealed class EventGroups
{
    /// <summary>The death of an event that always matters.</summary>
    public const uint Never = uint.MaxValue;

    private const int None = -1;
    private readonly List<uint> _orderings = [];
    private readonly List<uint> _deaths = [];
    private readonly List<int> _parents = [];

    // Of a root: the last member, members, things open. Of any event: the next member of its set.
    private readonly List<int> _tails = [];
    private readonly List<int> _sizes = [];
    private readonly List<int> _open = [];
    private readonly List<int> _next = [];

    // Everything before this was anchored by AnchorAll.
    private int _anchoredThrough;

    /// <summary>Number of events.</summary>
    public int Count => _orderings.Count;

    /// <summary>Adds an event in a set of its own.</summary>
    public int Add(uint ordering)
    {
        var node = _orderings.Count;
        _orderings.Add(ordering);
        _deaths.Add(Never);
        _parents.Add(node);
        _tails.Add(node);
        _sizes.Add(1);
        _open.Add(0);
        _next.Add(None);
        return node;
    }

    /// <summary>Whether the event does not matter any more.</summary>
    public bool IsOver(int node) => _deaths[node] != Never;

    /// <summary>Something that keeps the event's set alive came into being.</summary>
    public void Open(int node) => CollectionsMarshal.AsSpan(_open)[Root(node)]++;

    /// <summary>Something that kept the event's set alive is gone.</summary>
    public void Close(int node) => CollectionsMarshal.AsSpan(_open)[Root(node)]--;

    /// <summary>The event's set matters for ever.</summary>
    public void Anchor(int node) => Open(node);

    /// <summary>Every set that is alive matters for ever.</summary>
    public void AnchorAll()
    {
        for (; _anchoredThrough < Count; _anchoredThrough++)
        {
            if (_deaths[_anchoredThrough] == Never)
            {
                Anchor(_anchoredThrough);
            }
        }
    }

    /// <summary>Makes one set of two.</summary>
    public void Join(int one, int other)
    {
        var left = Root(one);
        var right = Root(other);
        if (left == right)
        {
            return;
        }

        if (_sizes[left] < _sizes[right])
        {
            (left, right) = (right, left);
        }

        _parents[right] = left;
        _sizes[left] += _sizes[right];
        _open[left] += _open[right];
        _next[_tails[left]] = right;
        _tails[left] = _tails[right];
    }

    /// <summary>If nothing of the set of the newest event is open, all its events are over, from that event on.</summary>
    public void Settle(int newest)
    {
        var root = Root(newest);
        if (_open[root] != 0)
        {
            return;
        }

        var now = _orderings[newest];
        for (var member = root; member != None; member = _next[member])
        {
            _deaths[member] = now;
        }
    }

    /// <summary>The deaths, in the order of the events.</summary>
    public uint[] Deaths() => [.. _deaths];

    /// <summary>Rows of the events that are not over.</summary>
    public List<uint> LiveRows()
    {
        var rows = new List<uint>();
        for (var node = 0; node < Count; node++)
        {
            if (_deaths[node] == Never)
            {
                rows.Add(_orderings[node]);
            }
        }

        return rows;
    }

    private int Root(int node)
    {
        while (_parents[node] != node)
        {
            // Halves the way for the next one who asks.
            _parents[node] = _parents[_parents[node]];
            node = _parents[node];
        }

        return node;
    }
}

/// <summary>
/// Events that name something: as long as one of them matters, so do the events that made it. Those that are over are forgotten
/// from time to time.
/// </summary>
internal sealed class EventReferrers
{
    private const int Fewest = 16;
    private readonly List<int> _nodes = [];
    private int _prunedAt = Fewest;

    /// <summary>An event names it.</summary>
    public void Add(int node, EventGroups groups)
    {
        if (_nodes.Count >= _prunedAt)
        {
            _nodes.RemoveAll(groups.IsOver);
            _prunedAt = Math.Max(Fewest, _nodes.Count * 2);
        }

        _nodes.Add(node);
    }

    /// <summary>It is gone with an event: what still matters of those that name it keeps that event, and with it what made it.</summary>
    public void GoneWith(int node, EventGroups groups)
    {
        foreach (var referrer in _nodes)
        {
            if (!groups.IsOver(referrer))
            {
                groups.Join(node, referrer);
            }
        }
    }
}
