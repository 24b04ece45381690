namespace Iommufd.Core.Pages;

/// <summary>
/// Intervals of page indexes that may overlap, both ends inclusive, sorted by first index and key. Finding one that
/// contains an index, and the start of the next one, takes logarithmic time.
/// </summary>
/// <remarks>
/// Each entry knows how far it and all entries before it reach. The first entry whose reach is at least i has its own
/// last index there; it starts after i only if no interval contains i, because all later ones start later still.
/// </remarks>
internal struct SpanIndex<T>
{
    /// <summary>Below this number of intervals a key is found by looking at all of them.</summary>
    private const int FewIntervals = 16;

    private Entry[]? _entries;

    /// <summary>First index by key; made when a key is looked up among many intervals, kept up to date from then on.</summary>
    private Dictionary<ulong, ulong>? _firstOfKey;

    /// <summary>Number of intervals.</summary>
    public int Count { get; private set; }

    /// <summary>First index of an interval.</summary>
    public readonly ulong FirstOf(int at) => _entries![at].First;

    /// <summary>Last index of an interval.</summary>
    public readonly ulong LastOf(int at) => _entries![at].Last;

    /// <summary>What is kept with an interval.</summary>
    public readonly ref T ValueOf(int at) => ref _entries![at].Value;

    /// <summary>Adds an interval.</summary>
    public void Add(ulong first, ulong last, ulong key, T value)
    {
        Entry[] entries = _entries ??= new Entry[1];
        if (Count == entries.Length)
        {
            Array.Resize(ref entries, entries.Length * 2);
            _entries = entries;
        }

        int at = Position(first, key);
        Array.Copy(entries, at, entries, at + 1, Count - at);
        Count++;
        entries[at] = new Entry(first, last, key, value);
        _firstOfKey?.Add(key, first);
        UpdateReach(at);
    }

    /// <summary>Place of the interval with a first index and a key; negative when there is none.</summary>
    public readonly int IndexOf(ulong first, ulong key)
    {
        int at = Position(first, key);
        return at < Count && _entries![at].First == first && _entries[at].Key == key ? at : -1;
    }

    /// <summary>
    /// Place of the interval with a key, whatever it spans; negative when there is none. Only where keys are unique.
    /// </summary>
    public int IndexOfKey(ulong key)
    {
        if (Count > FewIntervals && _firstOfKey is null)
        {
            _firstOfKey = new Dictionary<ulong, ulong>(Count * 2);
            for (int at = 0; at < Count; at++)
            {
                _firstOfKey.Add(_entries![at].Key, _entries[at].First);
            }
        }

        if (_firstOfKey is not null)
        {
            return _firstOfKey.TryGetValue(key, out ulong first) ? IndexOf(first, key) : -1;
        }

        for (int at = Count - 1; at >= 0; at--)
        {
            if (_entries![at].Key == key)
            {
                return at;
            }
        }

        return -1;
    }

    /// <summary>Removes an interval.</summary>
    public void RemoveAt(int at)
    {
        _firstOfKey?.Remove(_entries![at].Key);
        Count--;
        Array.Copy(_entries!, at + 1, _entries!, at, Count - at);
        _entries![Count] = default;
        UpdateReach(at);
    }

    /// <summary>Place of an interval that contains an index; negative when none does.</summary>
    public readonly int Containing(ulong index)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_entries![middle].Reach >= index)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low < Count && _entries![low].First <= index ? low : -1;
    }

    /// <summary>The lowest first index above an index; the largest number when there is none.</summary>
    public readonly ulong NextFirst(ulong index)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_entries![middle].First > index)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low < Count ? _entries![low].First : ulong.MaxValue;
    }

    /// <summary>Throws when the order or the reaches are wrong.</summary>
    public readonly void CheckInvariants()
    {
        ulong reach = 0;
        for (int at = 0; at < Count; at++)
        {
            ref Entry entry = ref _entries![at];
            reach = Math.Max(reach, entry.Last);
            bool sorted =
                at == 0
                || entry.First > _entries[at - 1].First
                || (entry.First == _entries[at - 1].First && entry.Key > _entries[at - 1].Key);
            if (!sorted || entry.Reach != reach || entry.First > entry.Last)
            {
                throw new InvalidOperationException($"interval {at} [{entry.First}..{entry.Last}] is out of order");
            }
        }
    }

    private readonly int Position(ulong first, ulong key)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            ref Entry entry = ref _entries![middle];
            if (entry.First < first || (entry.First == first && entry.Key < key))
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

    private readonly void UpdateReach(int from)
    {
        for (int at = from; at < Count; at++)
        {
            ref Entry entry = ref _entries![at];
            ulong reach = at == 0 ? entry.Last : Math.Max(entry.Last, _entries[at - 1].Reach);
            if (reach == entry.Reach)
            {
                // Everything behind depends on this value only, and was right with it.
                return;
            }

            entry.Reach = reach;
        }
    }

    private struct Entry(ulong first, ulong last, ulong key, T value)
    {
        public readonly ulong First = first;
        public readonly ulong Last = last;
        public readonly ulong Key = key;
        public ulong Reach;
        public T Value = value;
    }
}
