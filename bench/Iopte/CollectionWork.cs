using System.Collections.Concurrent;
using Iommufd.Core.PageTables;
using Iommufd.Core.PageTables.Formats;

namespace Iommufd.Bench.Iopte;

/// <summary>
/// The same million mappings in a page table, in a ConcurrentDictionary and in a SortedDictionary behind a lock: the same keys in the
/// same order through the same loop.
/// </summary>
internal sealed class CollectionWork : IDisposable
{
    private const int Pages = 1 << 20;
    private const int Batch = 1024;
    private const ulong Page = 4096;

    private readonly ConcurrentDictionary<ulong, ulong> _concurrent = new();
    private readonly SortedDictionary<ulong, ulong> _sorted = [];
    private readonly Lock _gate = new();
    private readonly PageTable<VtdSecondStage> _table = new();
    private readonly ulong[] _places = new ulong[Batch];
    private ulong _sink;

    internal CollectionWork()
    {
        var random = new Random(3);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (ulong i = 0; i < Pages; i++)
        {
            _concurrent[i] = i;
        }

        ConcurrentBytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Pages;
        for (ulong i = 0; i < Pages; i++)
        {
            _sorted[i] = i;
            _table.Map(i * Page, i * Page, Page, IoptePermissions.ReadWrite);
        }

        for (int i = 0; i < Batch; i++)
        {
            _places[i] = (ulong)random.Next(Pages);
        }

        TableGet = new Measured("translate, random over 1M pages", Batch, GetTable, VisitTable);
        TableSet = new Measured("map + unmap 4K, random over 1M pages", Batch, SetTable, VisitTable);
        ConcurrentGet = new Measured("ConcurrentDictionary get", Batch, GetConcurrent, VisitConcurrent);
        ConcurrentSet = new Measured("ConcurrentDictionary remove + add", Batch, SetConcurrent, VisitConcurrent);
        SortedGet = new Measured("locked SortedDictionary get", Batch, GetSorted);
        SortedSet = new Measured("locked SortedDictionary remove + add", Batch, SetSorted);
    }

    internal double ConcurrentBytes { get; }

    internal Measured ConcurrentGet { get; }

    internal Measured ConcurrentSet { get; }

    internal Measured SortedGet { get; }

    internal Measured SortedSet { get; }

    internal Measured TableGet { get; }

    internal Measured TableSet { get; }

    public void Dispose()
    {
        _table.Dispose();
        GC.KeepAlive(_sink);
    }

    /// <summary>Other places each time, so that none of the collections stays in the cache.</summary>
    private void Move() => _sink += 7919;

    private void GetTable()
    {
        Move();
        ulong sum = 0;
        foreach (ulong place in _places)
        {
            _table.TryTranslate(((place + _sink) & (Pages - 1)) * Page, out ulong found);
            sum += found;
        }

        _sink += sum & 1;
    }

    private void SetTable()
    {
        Move();
        foreach (ulong place in _places)
        {
            ulong iova = ((place + _sink) & (Pages - 1)) * Page;
            _table.Unmap(iova, Page);
            _table.Map(iova, place * Page, Page, IoptePermissions.ReadWrite);
        }
    }

    private void VisitTable()
    {
        for (ulong i = 0; i < Pages; i++)
        {
            _table.TryTranslate(i * Page, out ulong found);
            _sink += found & 1;
        }
    }

    private void VisitConcurrent()
    {
        for (ulong i = 0; i < Pages; i++)
        {
            _concurrent.TryGetValue(i, out ulong found);
            _sink += found & 1;
        }
    }

    private void GetConcurrent()
    {
        Move();
        ulong sum = 0;
        foreach (ulong place in _places)
        {
            _concurrent.TryGetValue((place + _sink) & (Pages - 1), out ulong found);
            sum += found;
        }

        _sink += sum & 1;
    }

    private void SetConcurrent()
    {
        Move();
        foreach (ulong place in _places)
        {
            ulong key = (place + _sink) & (Pages - 1);
            _concurrent.TryRemove(key, out _);
            _concurrent[key] = place;
        }
    }

    private void GetSorted()
    {
        Move();
        ulong sum = 0;
        foreach (ulong place in _places)
        {
            lock (_gate)
            {
                _sorted.TryGetValue((place + _sink) & (Pages - 1), out ulong found);
                sum += found;
            }
        }

        _sink += sum & 1;
    }

    private void SetSorted()
    {
        Move();
        foreach (ulong place in _places)
        {
            ulong key = (place + _sink) & (Pages - 1);
            lock (_gate)
            {
                _sorted.Remove(key);
                _sorted[key] = place;
            }
        }
    }
}
