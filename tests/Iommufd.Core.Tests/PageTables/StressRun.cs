using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>
/// Devices translate and mark dirty while mappers map, unmap, split and merge, each its own slots; an oracle knows every legal
/// answer at every moment.
/// </summary>
/// <remarks>
/// A slot counts versions: odd while mapped, even while not. The mapper publishes Begun before it changes the table and Done
/// after. A device reads Done, then the table, then Begun: what it saw must belong to a version between the two. The physical
/// address names slot and version, so an address from a mapping whose unmap had finished, or from another slot, is told apart.
/// </remarks>
internal sealed class StressRun<TFormat>(int devices, int mappers)
    where TFormat : struct, IIopteFormat
{
    private const ulong Page = 4096;
    private const ulong Large = 2UL << 20;

    /// <summary>Slots of one page each, neighbours belonging to different mappers: disjoint ranges inside one leaf table.</summary>
    private const int SmallSlots = 32;

    /// <summary>Slots of 2 MiB: whole leaf tables come and go.</summary>
    private const int LargeSlots = 12;

    /// <summary>Slots of 1 GiB, in turns one page and 512 pages: level-1 tables come and go.</summary>
    private const int HugeSlots = 4;

    private const int FirstHuge = SmallSlots + LargeSlots;
    private const int Slots = FirstHuge + HugeSlots;
    private const ulong LargeBase = 1UL << 30;
    private const ulong Huge = 1UL << 30;

    /// <summary>Some of these share a slot of the walker's cache with the others, some do not.</summary>
    private const ulong HugeBase = (1UL << 37) - (2 * Huge);

    private readonly PageTable<TFormat> _table = new();
    private readonly Slot[] _slots = [.. Enumerable.Range(0, Slots).Select(_ => new Slot())];
    private long _operations;
    private long _translations;
    private string? _violation;
    private volatile bool _stop;

    /// <summary>The large slot that a mapper is at work in: devices go there more often.</summary>
    private volatile int _hot = SmallSlots;

    /// <summary>Maps, unmaps, splits and merges done.</summary>
    internal long Operations => _operations;

    /// <summary>Translations and accesses checked.</summary>
    internal long Translations => _translations;

    /// <summary>Runs until the time is over or something illegal was seen; gives back what, or null.</summary>
    internal string? Run(TimeSpan time)
    {
        List<Thread> threads = [];
        using var over = new ManualResetEventSlim();
        for (int i = 0; i < devices; i++)
        {
            int seed = i + 1;
            threads.Add(new Thread(() => Guarded(over, () => Device(seed))));
        }

        for (int i = 0; i < mappers; i++)
        {
            int me = i;
            threads.Add(new Thread(() => Guarded(over, () => Mapper(me))));
        }

        threads.Add(new Thread(() => Guarded(over, Tracker)));
        threads.ForEach(thread => thread.Start());
        over.Wait(time);
        _stop = true;
        threads.ForEach(thread => thread.Join());
        if (_violation is null)
        {
            Finish();
        }

        _table.Dispose();
        return _violation;
    }

    private void Guarded(ManualResetEventSlim over, Action work)
    {
        try
        {
            work();
        }
        catch (InvalidOperationException broken)
        {
            Violated(broken.Message);
        }
        finally
        {
            if (_violation is not null)
            {
                _stop = true;
                over.Set();
            }
        }
    }

    private void Violated(string what)
    {
        Interlocked.CompareExchange(ref _violation, what, null);
        _stop = true;
    }

    private static ulong IovaOf(int slot) =>
        slot < SmallSlots ? (ulong)slot * Page
        : slot < FirstHuge ? LargeBase + ((ulong)(slot - SmallSlots) * Large)
        : HugeBase + ((ulong)(slot - FirstHuge) * Huge);

    private static ulong LengthOf(int slot) =>
        slot < SmallSlots ? Page
        : slot < FirstHuge ? Large
        : Huge;

    /// <summary>
    /// The physical address names slot and version; 2 MiB apart (large slots) or 2 GiB (huge ones), below 2^52. Every second
    /// version of a huge slot is not aligned to 1 GiB.
    /// </summary>
    private static ulong PhysicalOf(int slot, ulong version) =>
        slot < FirstHuge
            ? ((version & 0xFFFFF) << 30) | ((ulong)slot << 21)
            : (1UL << 51)
                | ((version & 0x1FFFF) << 33)
                | ((ulong)(slot - FirstHuge) << 31)
                | ((version & 2) * Page * 256);

    private void Mapper(int me)
    {
        var random = new Random(1000 + me);
        long operations = 0;
        while (!_stop)
        {
            int slot = (random.Next(Slots / mappers) * mappers) + me;
            Toggle(slot, random);
            operations++;
        }

        for (int slot = me; slot < Slots; slot += mappers)
        {
            if ((_slots[slot].Done & 1) != 0)
            {
                Toggle(slot, random);
            }
        }

        Interlocked.Add(ref _operations, operations);
    }

    private void Toggle(int slot, Random random)
    {
        Slot state = _slots[slot];
        ulong version = state.Done + 1;
        ulong iova = IovaOf(slot);
        ulong length = LengthOf(slot);
        if ((version & 1) != 0)
        {
            Volatile.Write(ref state.Begun, version);
            bool small = slot < SmallSlots || random.Next(2) == 0;
            MapOptions options = small && slot < FirstHuge ? MapOptions.PageByPage : MapOptions.None;
            Errno mapped = _table.Map(iova, PhysicalOf(slot, version), length, IoptePermissions.ReadWrite, options);
            Expect(mapped == Errno.OK, $"map of slot {slot} gave {mapped}: an unmapped entry came back");
            Volatile.Write(ref state.Done, version);
            return;
        }

        Resize(slot, version - 1, random);
        CheckDirty(slot, version - 1);
        Volatile.Write(ref state.Begun, version);
        ulong unmapped = _table.Unmap(iova, length);
        Expect(unmapped == length, $"unmap of slot {slot} gave {unmapped:x}");
        // Tables are used again as soon as the protocol allows, so that one who still reads them is caught.
        TableReclamation.ThreadTables.Current.Reclaim();
        Volatile.Write(ref state.Done, version);
    }

    /// <summary>Splits and merges a mapped 2 MiB slot while devices use it.</summary>
    private void Resize(int slot, ulong version, Random random)
    {
        _hot = slot < SmallSlots ? _hot : slot;
        if (slot is < SmallSlots or >= FirstHuge)
        {
            return;
        }

        ulong iova = IovaOf(slot);
        for (int i = random.Next(4); i > 0; i--)
        {
            ClearDirty(slot);
            Errno merged = _table.Merge(iova, Large);
            Expect(merged == Errno.OK, $"merge of slot {slot} gave {merged}");
            // Time for a device that was about to mark the old entry to do so, and to say that it has.
            Thread.SpinWait(random.Next(2000));
            CheckDirty(slot, version);
            ClearDirty(slot);
            Errno split =
                random.Next(3) == 0
                    ? Errno.OK
                    : _table.Split(new IovaRange(iova, iova + Large - 1), random.Next(2) == 0 ? Page : 16 * Page);
            Expect(split == Errno.OK, $"split of slot {slot} gave {split}");
            CheckDirty(slot, version);
        }
    }

    private void ClearDirty(int slot)
    {
        var range = new IovaRange(IovaOf(slot), IovaOf(slot) + LengthOf(slot) - 1);
        _table.ReadAndClearDirty(range, new DirtySpans());
        // After the clearing: a write that reads the new count begins after it.
        Volatile.Write(ref _slots[slot].Cleared, _slots[slot].Cleared + 1);
    }

    /// <summary>A write that a device began after the last clearing, and finished, must have left a mark.</summary>
    private void CheckDirty(int slot, ulong version)
    {
        ulong wrote = Volatile.Read(ref _slots[slot].Wrote);
        if (
            slot is < SmallSlots or >= FirstHuge
            || wrote >> 25 != version
            || (wrote & 0xFFFF) != (_slots[slot].Cleared & 0xFFFF)
        )
        {
            return;
        }

        var spans = new DirtySpans();
        ulong iova = IovaOf(slot);
        var range = new IovaRange(iova, iova + Large - 1);
        _table.ReadAndClearDirty(range, spans, DirtyReadOptions.NoClear | DirtyReadOptions.WholeEntries);
        ulong at = iova + (((wrote >> 16) & 511) * Page);
        bool marked = spans.Spans.Any(span => at - span.Iova < span.Length);
        Expect(marked, $"the mark of a write to slot {slot} is lost");
    }

    private void Device(int seed)
    {
        var random = new Random(seed);
        long translations = 0;
        while (!_stop)
        {
            PageTable<TFormat>.Reader reader = _table.OpenReader();
            try
            {
                // One slot for long, so that the reader's cache is used; freed tables wait for its end.
                int slot = SmallSlots + random.Next(LargeSlots + HugeSlots);
                for (int i = 0; i < 24 && !_stop; i++)
                {
                    Check(slot, random, ref reader, cached: true);
                }
            }
            finally
            {
                reader.Dispose();
            }

            for (int i = 0; i < 64 && !_stop; i++)
            {
                int slot = random.Next(2) == 0 ? random.Next(Slots) : _hot;
                Check(slot, random, ref reader, cached: false);
            }

            translations += 88;
        }

        Interlocked.Add(ref _translations, translations);
    }

    private void Check(int slot, Random random, ref PageTable<TFormat>.Reader reader, bool cached)
    {
        Slot state = _slots[slot];
        ulong offset = (ulong)random.Next((int)(LengthOf(slot) / Page)) * Page;
        ulong iova = IovaOf(slot) + offset;
        bool write = !cached && random.Next(4) == 0;
        ulong cleared = Volatile.Read(ref state.Cleared);
        ulong before = Volatile.Read(ref state.Done);
        bool found;
        ulong physical;
        if (cached)
        {
            found = reader.TryTranslate(iova, out physical);
        }
        else if (write)
        {
            found = _table.TryAccess(iova, IoptePermissions.Write, markDirty: true, out IopteTranslation translation);
            physical = translation.Physical;
        }
        else
        {
            found = _table.TryTranslate(iova, out physical);
        }

        // Acquire, so that Begun is not older than the translation.
        Volatile.ReadBarrier();
        ulong after = Volatile.Read(ref state.Begun);
        if (!found)
        {
            Expect((before & 1) == 0 || after > before, $"slot {slot} did not translate while mapped");
            return;
        }

        bool legal = false;
        ulong version = before;
        for (; version <= after && !legal; version++)
        {
            legal = (version & 1) != 0 && physical == PhysicalOf(slot, version) + offset;
        }

        Expect(legal, $"slot {slot}, versions {before} to {after}: translated to 0x{physical:x}");
        if (write && slot is >= SmallSlots and < FirstHuge)
        {
            Volatile.Write(ref state.Wrote, ((version - 1) << 25) | ((offset / Page) << 16) | (cleared & 0xFFFF));
        }
    }

    /// <summary>Reads and clears the marks of the small slots.</summary>
    private void Tracker()
    {
        var spans = new DirtySpans();
        while (!_stop)
        {
            spans.Spans.Clear();
            _table.ReadAndClearDirty(new IovaRange(0, (SmallSlots * Page) - 1), spans, DirtyReadOptions.WholeEntries);
        }
    }

    private void Finish()
    {
        try
        {
            _table.CheckInvariants();
            long entries = _table.GetStatistics().Entries;
            Expect(entries == 0, $"{entries} entries are left after everything was unmapped");
        }
        catch (InvalidOperationException broken)
        {
            Violated(broken.Message);
        }
    }

    private static void Expect(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }

    /// <summary>One slot's state, written by its mapper; Wrote by devices.</summary>
    private sealed class Slot
    {
        internal ulong Begun;
        internal ulong Done;

        /// <summary>How often the mapper has cleared the slot's marks.</summary>
        internal ulong Cleared;

        /// <summary>
        /// The version in which a device last finished a write (from bit 25), the page in the slot (9 bits), and Cleared as it was
        /// before the write (16 bits): one word.
        /// </summary>
        internal ulong Wrote;
    }
}
