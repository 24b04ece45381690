// How a whole journal is brought back: one thread reads the rows in the order of the file and hands them, a batch at a time, to the
// threads that apply them. JournalReplay says what comes of it.
using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text;

namespace Iommufd.Persistence;

/// <summary>The contexts of a journal while they are brought back. A stream belongs to one applier, which applies its events in order.</summary>
internal sealed class JournalRestore : IDisposable
{
    // Enough rows for a hand-over to cost nothing beside them, few enough for the cache.
    private const int BatchBytes = 64 << 10;
    private const int BatchesPerApplier = 4;
    private static readonly byte[] Prefix = Encoding.ASCII.GetBytes("iommufd-");

    private readonly string _path;
    private readonly RestoredStream?[] _dense = new RestoredStream?[1 << 16];
    private readonly Dictionary<string, RestoredStream> _others = new(StringComparer.Ordinal);
    private readonly List<RestoredStream> _streams = [];
    private readonly Applier[] _appliers;
    private readonly BlockingCollection<RowBatch> _free = [];

    /// <summary>Begins.</summary>
    /// <param name="path">The journal's, for what is wrong with it.</param>
    /// <param name="appliers">How many threads apply events; 0 to apply each as it is read.</param>
    public JournalRestore(string path, int appliers)
    {
        _path = path;
        _appliers = new Applier[appliers];
        for (var i = 0; i < appliers; i++)
        {
            _appliers[i] = new Applier(_free, i);
            for (var batch = 0; batch < BatchesPerApplier; batch++)
            {
                _free.Add(new RowBatch(BatchBytes));
            }
        }
    }

    /// <summary>Reads rows (sequence number, stream, payload), applies them, and waits until all are applied.</summary>
    /// <returns>The contexts, in the order of their streams' names.</returns>
    /// <exception cref="JournalFormatException">What is wrong with the first stream that something is wrong with.</exception>
    public IReadOnlyList<ReplayedContext> Run(Statement rows, CancellationToken cancellation)
    {
        try
        {
            while (rows.Step())
            {
                cancellation.ThrowIfCancellationRequested();
                Take(StreamOf(rows.Bytes(1)), rows.Int64(0), rows);
            }
        }
        finally
        {
            foreach (var applier in _appliers)
            {
                applier.Finish();
            }
        }

        foreach (var applier in _appliers)
        {
            applier.Bug?.Throw();
        }

        var inOrder = _streams.OrderBy(s => s.Name.Length).ThenBy(s => s.Name, StringComparer.Ordinal).ToList();
        inOrder.Find(s => s.Wrong is not null)?.Wrong!.Throw();
        return [.. inOrder.Select(s => s.Context).OfType<ReplayedContext>()];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var applier in _appliers)
        {
            applier.Dispose();
        }

        _free.Dispose();
    }

    private void Take(RestoredStream stream, long sequence, Statement rows)
    {
        // What is behind the first row that is wrong is not looked at.
        if (stream.IsCut)
        {
            return;
        }

        if (sequence != stream.Read + 1)
        {
            Cut(stream, FormattableString.Invariant($"event {stream.Read + 1} of {stream.Name} is not there"));
        }
        else if (rows.IsNull(2))
        {
            Cut(stream, "an event has no payload");
        }
        else
        {
            stream.Read++;
            if (stream.Applier is { } applier)
            {
                applier.Add(stream, rows.Bytes(2));
            }
            else
            {
                stream.Apply(rows.Bytes(2));
            }
        }
    }

    // The events before it may be wrong, too, and then it is they that are named: what is said here is the last word.
    private void Cut(RestoredStream stream, string what)
    {
        stream.IsCut = true;
        stream.CutWith = new JournalFormatException($"{_path}: the file is damaged: {what}");
    }

    private RestoredStream StreamOf(ReadOnlySpan<byte> name)
    {
        // iommufd-N, N without leading zeros: nearly always.
        var digits = name.StartsWith(Prefix) ? name[Prefix.Length..] : [];
        var number = 0;
        foreach (var digit in digits)
        {
            number = (uint)(digit - '0') <= 9 && number < _dense.Length ? (number * 10) + (digit - '0') : _dense.Length;
        }

        if (digits.IsEmpty || digits[0] == '0' || number >= _dense.Length)
        {
            var text = Encoding.UTF8.GetString(name);
            return _others.TryGetValue(text, out var known) ? known : _others[text] = Begin(text);
        }

        return _dense[number] ??= Begin("iommufd-" + number.ToString(CultureInfo.InvariantCulture));
    }

    private RestoredStream Begin(string name)
    {
        var stream = new RestoredStream(name) { Applier = _appliers.MinBy(a => a.Rows) };
        _streams.Add(stream);
        return stream;
    }
}

/// <summary>A stream while its context is brought back. The reading thread has the first half of it, the applying one the second.</summary>
/// <param name="name">Its persistence id.</param>
internal sealed class RestoredStream(string name)
{
    /// <summary>Its persistence id.</summary>
    public string Name => name;

    /// <summary>Who applies it; null for the reader itself.</summary>
    public Applier? Applier { get; init; }

    /// <summary>Rows read.</summary>
    public long Read { get; set; }

    /// <summary>Whether a row was met that does not belong there.</summary>
    public bool IsCut { get; set; }

    /// <summary>What was wrong with that row.</summary>
    public JournalFormatException? CutWith { get; set; }

    /// <summary>The context; null before its first event.</summary>
    public ReplayedContext? Context { get; private set; }

    /// <summary>What is wrong with the stream. Valid once nothing is applied any more.</summary>
    public ExceptionDispatchInfo? Wrong => _failed ?? (CutWith is null ? null : ExceptionDispatchInfo.Capture(CutWith));

    private ExceptionDispatchInfo? _failed;

    /// <summary>Applies the next event, unless one before it could not be.</summary>
    public void Apply(ReadOnlySpan<byte> payload)
    {
        if (_failed is not null)
        {
            return;
        }

        try
        {
            Context ??= new ReplayedContext(JournalReplay.NumberOf(name));
            Context.Apply(EventPayload.FromBytes(payload));
            if (Context.ClosedWith is not null)
            {
                Context.LetGo();
            }
        }
        catch (JournalFormatException wrong)
        {
            _failed = ExceptionDispatchInfo.Capture(wrong);
        }
    }
}

/// <summary>Rows on their way from the reader to an applier.</summary>
internal sealed class RowBatch(int capacity)
{
    private readonly List<(RestoredStream Stream, int Start, int Length)> _rows = [];
    private byte[] _bytes = new byte[capacity];
    private int _used;

    /// <summary>Adds a row; false when there is no room. An empty batch takes a row of any length.</summary>
    public bool TryAdd(RestoredStream stream, ReadOnlySpan<byte> payload)
    {
        if (payload.Length > _bytes.Length - _used)
        {
            if (_used > 0)
            {
                return false;
            }

            _bytes = new byte[payload.Length];
        }

        payload.CopyTo(_bytes.AsSpan(_used));
        _rows.Add((stream, _used, payload.Length));
        _used += payload.Length;
        return true;
    }

    /// <summary>Applies its rows, and is empty.</summary>
    public void Apply()
    {
        foreach (var (stream, start, length) in _rows)
        {
            stream.Apply(_bytes.AsSpan(start, length));
        }

        _rows.Clear();
        _used = 0;
    }
}

/// <summary>A thread that applies the events of some streams, in the order in which they come.</summary>
internal sealed class Applier : IDisposable
{
    private readonly BlockingCollection<RowBatch> _free;
    private readonly BlockingCollection<RowBatch> _full = [];
    private readonly Thread _thread;
    private RowBatch? _filling;
    private bool _isFinished;

    /// <summary>Starts it.</summary>
    /// <param name="free">Where batches come from and go back to: there are so many, and when all wait here the reader waits.</param>
    /// <param name="index">Its place.</param>
    public Applier(BlockingCollection<RowBatch> free, int index)
    {
        _free = free;
        _thread = new Thread(ApplyAll)
        {
            IsBackground = true,
            Name = FormattableString.Invariant($"journal-applier-{index}"),
        };
        _thread.Start();
    }

    /// <summary>Rows that it was given.</summary>
    public long Rows { get; private set; }

    /// <summary>What is no fault of the journal's. Valid after <see cref="Finish"/>.</summary>
    public ExceptionDispatchInfo? Bug { get; private set; }

    /// <summary>Gives it a row.</summary>
    public void Add(RestoredStream stream, ReadOnlySpan<byte> payload)
    {
        Rows++;
        _filling ??= _free.Take();
        if (!_filling.TryAdd(stream, payload))
        {
            _full.Add(_filling);
            _filling = _free.Take();
            _filling.TryAdd(stream, payload);
        }
    }

    /// <summary>Waits until it has applied all that it was given.</summary>
    public void Finish()
    {
        if (_isFinished)
        {
            return;
        }

        _isFinished = true;
        if (_filling is not null)
        {
            _full.Add(_filling);
        }

        _full.CompleteAdding();
        _thread.Join();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Finish();
        _full.Dispose();
    }

    private void ApplyAll()
    {
        foreach (var batch in _full.GetConsumingEnumerable())
        {
            try
            {
                if (Bug is null)
                {
                    batch.Apply();
                }
            }
            catch (Exception bug)
            {
                // The reader must find free batches until it comes to the end, where it hears of this.
                Bug = ExceptionDispatchInfo.Capture(bug);
            }

            _free.Add(batch);
        }
    }
}
