using Iommufd.Core.PageTables;
using Iommufd.Core.PageTables.Formats;

namespace Iommufd.Bench.Iopte;

/// <summary>The page tables' work, by the cases of the target table. VT-d second stage, 4 levels, unless the name says otherwise.</summary>
internal sealed class TableWork : IDisposable
{
    private const IoptePermissions Both = IoptePermissions.ReadWrite;
    private const ulong Page = 4096;
    private const ulong Large = 2UL << 20;
    private const ulong Physical = 1UL << 36;
    private const int Batch = 2048;

    private readonly PageTable<VtdSecondStage> _table = new();
    private readonly PageTable<AmdV1> _amd = new();
    private readonly PageTable<VtdSecondStage> _million = new();
    private readonly ulong[] _random = new ulong[Batch];
    private readonly ulong[] _addresses = new ulong[256];
    private readonly ulong[] _places = new ulong[256];
    private PageTable<VtdSecondStage>.Cursor _cursor;
    private ulong _sink;
    private ulong _next;

    internal TableWork()
    {
        var random = new Random(2);
        for (int i = 0; i < Batch; i++)
        {
            _random[i] = (ulong)random.Next(1 << 20) * Page;
        }

        // Two neighbours keep the tables of the small cases in place.
        _table.Map(0, Physical, Page, Both);
        _amd.Map(0, Physical, Page, Both);
        // A million pages whose frame numbers form one random cycle: a dependent walk has no order to guess.
        int[] order = [.. Enumerable.Range(0, 1 << 20)];
        random.Shuffle(order);
        for (int i = 0; i < order.Length; i++)
        {
            _million.Map((ulong)order[i] * Page, (ulong)order[(i + 1) % order.Length] * Page, Page, Both);
        }
    }

    internal PageTable<VtdSecondStage> Million => _million;

    public void Dispose()
    {
        _table.Dispose();
        _amd.Dispose();
        _million.Dispose();
        GC.KeepAlive(_sink);
    }

    internal Measured MapUnmapOne() =>
        new(
            "map / unmap one 4K, warm, each",
            2 * Batch,
            () =>
            {
                for (ulong i = 0; i < Batch; i++)
                {
                    ulong iova = ((i & 255) + 1) * Page;
                    _table.Map(iova, Physical + iova, Page, Both);
                    _table.Unmap(iova, Page);
                }
            }
        );

    internal Measured MapUnmapOneCursor() =>
        new(
            "map / unmap one 4K with a cursor, each",
            2 * Batch,
            () =>
            {
                for (ulong i = 0; i < Batch; i++)
                {
                    ulong iova = ((i & 255) + 1) * Page;
                    _table.Map(ref _cursor, iova, Physical + iova, Page, Both);
                    _table.Unmap(ref _cursor, iova, Page);
                }
            }
        );

    /// <summary>A span mapped, and unmapped, again and again, each half timed alone.</summary>
    internal HalfTimed Halves(
        string name,
        ulong iova,
        ulong length,
        ulong spread,
        ulong misalign = Page,
        int spans = 8
    ) =>
        new(
            name,
            spans,
            span => _table.Map(iova + ((ulong)span * spread), Physical + misalign, length, Both),
            span => _table.Unmap(iova + ((ulong)span * spread), length)
        );

    /// <summary>256 pages in one call, their length known to the compiler.</summary>
    internal HalfTimed HotRuns() =>
        new(
            "256 x 4K, hot",
            8,
            span => _table.Map((1UL << 38) + ((ulong)span * 256 * Page), Physical + Page, 256 * Page, Both),
            span => _table.Unmap((1UL << 38) + ((ulong)span * 256 * Page), 256 * Page)
        );

    /// <summary>The same through tables of 2 MiB in all.</summary>
    internal HalfTimed WalkingRuns() =>
        new(
            "256 x 4K through 1 GiB",
            1024,
            span => _table.Map((5UL << 38) + ((ulong)span * 256 * Page), Physical + Page, 256 * Page, Both),
            span => _table.Unmap((5UL << 38) + ((ulong)span * 256 * Page), 256 * Page)
        );

    /// <summary>The same with AMD v1's 1 MiB entries: one page in 256 items.</summary>
    internal HalfTimed Contiguous() =>
        new(
            "1 MiB contiguous, AMD v1",
            8,
            span => _amd.Map((1UL << 30) + ((ulong)span << 20), Physical + (1UL << 20), 1UL << 20, Both),
            span => _amd.Unmap((1UL << 30) + ((ulong)span << 20), 1UL << 20)
        );

    /// <summary>256 pages at a time through 4 GiB, and back.</summary>
    internal Measured Sweep() =>
        new(
            "map + unmap 256 x 4K, sweeping 4 GiB",
            4096,
            () =>
            {
                for (ulong at = 0; at < 4096; at++)
                {
                    _table.Map((1UL << 40) + (at << 20), Physical + Page + (at << 20), 256 * Page, Both);
                }

                for (ulong at = 0; at < 4096; at++)
                {
                    _table.Unmap((1UL << 40) + (at << 20), 256 * Page);
                }
            }
        );

    internal Measured TranslateHot() =>
        new(
            "translate hot",
            Batch,
            () =>
            {
                ulong sum = 0;
                for (ulong i = 0; i < Batch; i++)
                {
                    _million.TryTranslate((i & 63) * Page, out ulong physical);
                    sum += physical;
                }

                _sink += sum;
            }
        );

    internal Measured TranslateSequential() =>
        new(
            "translate sequential",
            Batch,
            () =>
            {
                ulong sum = 0;
                for (ulong i = 0; i < Batch; i++)
                {
                    _million.TryTranslate(_next, out ulong physical);
                    _next = (_next + Page) & ((1UL << 32) - 1);
                    sum += physical;
                }

                _sink += sum;
            }
        );

    internal Measured TranslateSequentialReader() =>
        new(
            "translate sequential, open reader",
            Batch,
            () =>
            {
                ulong sum = 0;
                ulong next = _next;
                using PageTable<VtdSecondStage>.Reader reader = _million.OpenReader();
                for (ulong i = 0; i < Batch; i++)
                {
                    reader.TryTranslate(next, out ulong physical);
                    next = (next + Page) & ((1UL << 32) - 1);
                    sum += physical;
                }

                _next = next;
                _sink += sum;
            }
        );

    internal Measured TranslateRandom() =>
        new(
            "translate random over 1M pages",
            Batch,
            () =>
            {
                ulong sum = 0;
                _next = (_next + (7919 * Page)) & ((1UL << 32) - 1);
                foreach (ulong iova in _random)
                {
                    _million.TryTranslate((iova + _next) & ((1UL << 32) - 1), out ulong physical);
                    sum += physical;
                }

                _sink += sum;
            },
            VisitMillion
        );

    internal Measured TranslateRandomEach() =>
        new(
            "translate random over 1M pages, 256 in a call, a page",
            Batch,
            () =>
            {
                _next = (_next + (7919 * Page)) & ((1UL << 32) - 1);
                for (int done = 0; done < Batch; done += _places.Length)
                {
                    for (int i = 0; i < _places.Length; i++)
                    {
                        _places[i] = (_random[done + i] + _next) & ((1UL << 32) - 1);
                    }

                    _sink += (ulong)_million.TranslateEach(_places, _addresses);
                }
            },
            VisitMillion
        );

    internal Measured TranslateDependent() =>
        new(
            "translate dependent random over 1M pages",
            Batch,
            () =>
            {
                ulong at = _sink & ((1UL << 32) - Page);
                for (int i = 0; i < Batch; i++)
                {
                    _million.TryTranslate(at, out at);
                }

                _sink = at;
            },
            VisitMillion
        );

    /// <summary>Reads all entries of the million once.</summary>
    private void VisitMillion()
    {
        for (ulong at = 0; at < 1 << 20; at += 256)
        {
            _million.TranslatePages(at * Page, Page, _addresses);
        }
    }

    internal Measured TranslateRange() =>
        new(
            "translate 256 pages in one call, a page",
            256 * 16,
            () =>
            {
                for (ulong i = 0; i < 16; i++)
                {
                    _million.TranslatePages(i << 20, Page, _addresses);
                }
            }
        );

    /// <summary>What entering and leaving a read section costs: the difference between single translations and an open reader's walks.</summary>
    internal Measured TranslateHotInSection() =>
        new(
            "translate hot in an open section",
            Batch,
            () =>
            {
                ulong sum = 0;
                using PageTable<VtdSecondStage>.Reader reader = _million.OpenReader();
                for (ulong i = 0; i < Batch; i++)
                {
                    reader.TryTranslate((i & 63) * Page, out ulong physical);
                    sum += physical;
                }

                _sink += sum;
            }
        );

    /// <summary>Bytes that a million map and unmap operations, ranges included, allocate on the managed heap, an operation.</summary>
    internal double AllocatedPerOperation()
    {
        Measured[] works = [MapUnmapOne(), MapUnmapOneCursor(), TranslateHot(), TranslateRange()];
        HalfTimed[] ranges =
        [
            Halves("", 1UL << 39, 512 * Page, 512 * Page),
            Halves("", 1UL << 39, Large, Large, misalign: Large),
        ];
        long operations = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Array.ForEach(works, work => work.Run());
        Array.ForEach(ranges, range => range.Round(TimeSpan.Zero));

        before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < works.Length; i++)
        {
            works[i].Run();
            operations += works[i].Operations;
        }

        for (int i = 0; i < ranges.Length; i++)
        {
            ranges[i].Round(TimeSpan.Zero);
            operations += 2 * 8 * 64;
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)operations;
    }
}
