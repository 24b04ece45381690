using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Sharing;

/// <summary>
/// A virtual machine's second-stage table, which the CPU fills when the guest touches memory, and which devices walk as their I/O
/// page table (docs/decisions/0006-kvm-shared-table.md). No page is pinned: instead, whoever takes a page away first begins an
/// invalidation (the entries go, and nothing is filled in there), has every device forget, and ends it; only then the page goes.
/// </summary>
/// <remarks>
/// Slots and entries are changed where the process's memory is changed, by one thread at a time. Devices come and go, and translate, on
/// any thread. An entry goes before the devices are counted, so a device that links later finds nothing to remember.
/// </remarks>
public sealed class SharedTable : IMemoryNotifier
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<ulong, GuestSlot> _slots = [];
    private readonly SortedDictionary<string, int> _devices = new(StringComparer.Ordinal);
    private readonly List<(uint Owner, IovaRange Range)> _reserved = [];
    private readonly List<TableInvalidation> _invalidating = [];
    private readonly Dictionary<ulong, Pfn> _lent = [];
    private int _references = 1;

    /// <summary>Makes the table of a virtual machine without memory; the caller, usually a descriptor, holds the first reference.</summary>
    /// <param name="memory">The process whose memory it is; null in a replay, where nothing is filled in.</param>
    /// <param name="format">What CPU and devices can walk.</param>
    public SharedTable(ProcessMemory? memory, IoPageTableFormat format)
    {
        Memory = memory;
        Table = IoPageTable.Create(format);
        memory?.AddNotifier(this);
    }

    /// <summary>The process's memory.</summary>
    public ProcessMemory? Memory { get; }

    /// <summary>The table: translation is safe from any thread.</summary>
    public IoPageTable Table { get; }

    /// <summary>Devices whose IOTLBs may hold entries, by name; a copy.</summary>
    public string[] Devices
    {
        get
        {
            lock (_gate)
            {
                return [.. _devices.Keys];
            }
        }
    }

    /// <summary>Whether an invalidation has begun and not ended.</summary>
    public bool IsInvalidating => _invalidating.Count > 0;

    /// <summary>Keeps the table.</summary>
    public void Acquire() => Interlocked.Increment(ref _references);

    /// <summary>Lets go of it; with the last reference it goes.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            Memory?.RemoveNotifier(this);
            foreach (var pfn in _lent.Values)
            {
                Memory!.Physical.TakeBack(pfn);
            }

            Table.Dispose();
        }
    }

    /// <summary>Gives the guest memory.</summary>
    /// <returns>
    /// EINVAL for what is not whole pages or not in the table's range; EEXIST for guest addresses in use; EADDRINUSE for those that a
    /// device cannot use.
    /// </returns>
    public Errno AddSlot(GuestSlot slot)
    {
        ArgumentNullException.ThrowIfNull(slot);
        var mask = HostPage.OffsetMask;
        if (
            slot.Length == 0
            || ((slot.Guest | slot.Address | slot.Length) & mask) != 0
            || slot.Guest > Table.InputRange.Last
            || slot.Length - 1 > Table.InputRange.Last - slot.Guest
            || slot.Length - 1 > ulong.MaxValue - slot.Address
        )
        {
            return Errno.EINVAL;
        }

        lock (_gate)
        {
            if (_slots.Values.Any(s => s.Range.Overlaps(slot.Range)))
            {
                return Errno.EEXIST;
            }

            if (_reserved.Exists(r => r.Range.Overlaps(slot.Range)))
            {
                return Errno.EADDRINUSE;
            }

            _slots.Add(slot.Guest, slot);
            return Errno.OK;
        }
    }

    /// <summary>
    /// Takes memory away from the guest: the slot is gone at once, and an invalidation of its addresses has begun. Null for no slot
    /// that begins there.
    /// </summary>
    public TableInvalidation? BeginRemove(ulong guest)
    {
        lock (_gate)
        {
            if (!_slots.Remove(guest, out var slot))
            {
                return null;
            }

            return Begin(slot.Range);
        }
    }

    /// <summary>
    /// Something happens to a range of the process's memory: its entries are taken away, and nothing is filled in until
    /// <see cref="End"/>.
    /// </summary>
    /// <returns>What devices must forget; nothing where the guest has nothing of the range.</returns>
    public IReadOnlyList<TableInvalidation> Begin(ulong first, ulong last)
    {
        lock (_gate)
        {
            return [.. _slots.Values.Select(s => s.GuestPartOf(first, last)).OfType<IovaRange>().Select(Begin)];
        }
    }

    /// <summary>Every device has forgotten: its DMA through the old entries is over, and would be a violation from now on.</summary>
    public void Forgotten(TableInvalidation begun)
    {
        ArgumentNullException.ThrowIfNull(begun);
        lock (_gate)
        {
            foreach (var pfn in begun.Frames)
            {
                Memory!.Physical.TakeBack(pfn);
            }

            begun.Frames.Clear();
        }
    }

    /// <summary>The pages are gone or changed: from here on they are filled in anew.</summary>
    public void End(TableInvalidation begun)
    {
        ArgumentNullException.ThrowIfNull(begun);
        Forgotten(begun);
        lock (_gate)
        {
            Invariant.Holds(_invalidating.Remove(begun), "an invalidation ends once");
        }
    }

    /// <summary>Who changes the memory without waiting for devices still leaves no entry behind.</summary>
    public void PagesGo(ulong first, ulong last)
    {
        foreach (var begun in Begin(first, last))
        {
            End(begun);
        }
    }

    /// <summary>Fills in entries, as an access by the guest or a page request of a device makes the CPU do.</summary>
    /// <param name="guest">The first guest address.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="write">Whether it is to be written.</param>
    /// <returns>
    /// EFAULT where the guest has no memory, the process has none behind it, or it may not be accessed so, or where it is a shared file's
    /// (nobody tells us when that shrinks); EAGAIN during an invalidation; EOVERFLOW. What was filled in before stays.
    /// </returns>
    public Errno Fill(ulong guest, ulong length, bool write)
    {
        if (!IovaRange.TryFromLength(guest, length, out var range))
        {
            return Errno.EOVERFLOW;
        }

        lock (_gate)
        {
            for (var at = range.First & ~HostPage.OffsetMask; ; at += HostPage.Size)
            {
                var errno = FillPage(at, write);
                if (errno != Errno.OK)
                {
                    return errno;
                }

                if (range.Last - at < HostPage.Size)
                {
                    return Errno.OK;
                }
            }
        }
    }

    /// <summary>A device translates through the table from now on.</summary>
    public void Link(string device)
    {
        lock (_gate)
        {
            _devices[device] = _devices.GetValueOrDefault(device) + 1;
        }
    }

    /// <summary>A device, or one PASID of it, translates through the table no more.</summary>
    public void Unlink(string device)
    {
        lock (_gate)
        {
            var left = _devices.GetValueOrDefault(device) - 1;
            if (left > 0)
            {
                _devices[device] = left;
            }
            else
            {
                _devices.Remove(device);
            }
        }
    }

    /// <summary>Keeps guest addresses free that a device cannot use. EADDRINUSE where the guest has memory there.</summary>
    public Errno Reserve(uint owner, IReadOnlyList<IovaRange> ranges)
    {
        lock (_gate)
        {
            if (ranges.Any(r => _slots.Values.Any(s => s.Range.Overlaps(r))))
            {
                return Errno.EADDRINUSE;
            }

            _reserved.AddRange(ranges.Select(r => (owner, r)));
            return Errno.OK;
        }
    }

    /// <summary>Gives an owner's ranges back.</summary>
    public void Unreserve(uint owner)
    {
        lock (_gate)
        {
            _reserved.RemoveAll(r => r.Owner == owner);
        }
    }

    private Errno FillPage(ulong guest, bool write)
    {
        if (_invalidating.Exists(r => r.Range.Contains(guest)))
        {
            return Errno.EAGAIN;
        }

        var slot = _slots.Values.FirstOrDefault(s => s.Range.Contains(guest));
        if (slot is null || (write && !slot.Writable) || Memory is null)
        {
            return Errno.EFAULT;
        }

        if (Table.TryTranslate(guest, out IopteTranslation there))
        {
            if (!write || there.Permissions.HasFlag(IoptePermissions.Write))
            {
                return Errno.OK;
            }

            // The same page, with more allowed: devices that hold the old entry fault, and walk again.
            Table.Unmap(guest, HostPage.Size, UnmapCut.Split);
        }

        if (!Memory.TryFault(slot.Address + (guest - slot.Guest), write, out var pfn, out var writable))
        {
            return Errno.EFAULT;
        }

        // Lent before it is mapped: a device may walk the entry the moment it is there.
        var lends = _lent.TryAdd(guest, pfn);
        if (lends)
        {
            Memory.Physical.Lend(pfn);
        }

        var permissions = slot.Writable && writable ? IoptePermissions.ReadWrite : IoptePermissions.Read;
        var errno = Table.Map(guest, pfn.Address, HostPage.Size, permissions);
        if (errno != Errno.OK && lends)
        {
            _lent.Remove(guest);
            Memory.Physical.TakeBack(pfn);
        }

        return errno;
    }

    private TableInvalidation Begin(IovaRange range)
    {
        var begun = new TableInvalidation(range);
        for (var at = range.First; ; at += HostPage.Size)
        {
            if (_lent.Remove(at, out var pfn))
            {
                Table.Unmap(at, HostPage.Size, UnmapCut.Split);
                begun.Frames.Add(pfn);
            }

            if (range.Last - at < HostPage.Size)
            {
                _invalidating.Add(begun);
                return begun;
            }
        }
    }
}
