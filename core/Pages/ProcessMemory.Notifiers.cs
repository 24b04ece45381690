using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Core.Pages;

// Who uses the pages of the process without pinning them, and how they are told that pages go.
public sealed partial class ProcessMemory
{
    private volatile IMemoryNotifier[] _notifiers = [];

    /// <summary>Whether somebody has to be told before a page goes: a table that devices share with the process.</summary>
    public bool IsShared => _notifiers.Length > 0;

    /// <summary>Tells somebody from now on. Safe from any thread.</summary>
    public void AddNotifier(IMemoryNotifier notifier) => Change(n => [.. n, notifier]);

    /// <summary>Tells somebody no more. Safe from any thread.</summary>
    public void RemoveNotifier(IMemoryNotifier notifier) =>
        Change(n => [.. n.Where(o => !ReferenceEquals(o, notifier))]);

    /// <summary>
    /// Gives back the pages of a range (madvise: MADV_DONTNEED); the mappings stay and read as zeros, or as their file. Pinned frames
    /// stay with who pinned them.
    /// </summary>
    /// <returns>EINVAL for a misaligned address or a cut through a huge page; ENOMEM for holes.</returns>
    public Errno Discard(ulong address, ulong length)
    {
        if (!TryWholePages(address, length, out ulong end) || CutsHugePage(address, end))
        {
            return Errno.EINVAL;
        }

        if (!IsMappedWhole(address, end))
        {
            return Errno.ENOMEM;
        }

        Tell(address, end);
        foreach (Mapping mapping in _mappings)
        {
            ulong first = Math.Max(address, mapping.Start);
            ulong last = Math.Min(end, mapping.End);
            if (first < last && mapping.OwnsPages)
            {
                mapping.Backing.Drop(mapping.PageOf(first), (last - first) >> HostPage.Shift);
            }
        }

        return Errno.OK;
    }

    /// <summary>
    /// The frame behind an address, as a fault by the CPU finds or makes it. No pin is taken: a notifier tells when it goes.
    /// </summary>
    /// <param name="address">Any address in the page.</param>
    /// <param name="write">Whether it is to be written.</param>
    /// <param name="pfn">The frame.</param>
    /// <param name="writable">Whether it may be written.</param>
    /// <returns>False for a hole, no permission, a process that is gone, or a shared file's page.</returns>
    public bool TryFault(ulong address, bool write, out Pfn pfn, out bool writable)
    {
        Mapping[] mappings = _mappings;
        int at = AddressSpace.Find(mappings, address);
        pfn = default;
        writable = false;
        if (_exited || at < 0 || !mappings[at].OwnsPages || !mappings[at].Allows(address, write))
        {
            return false;
        }

        writable = (mappings[at].Protection & MemoryProtection.Write) != 0;
        return mappings[at].Backing.TryGet(mappings[at].PageOf(address), allocate: true, out pfn);
    }

    private bool IsMappedWhole(ulong address, ulong end)
    {
        for (ulong reached = address; reached < end; )
        {
            int found = AddressSpace.Find(_mappings, reached);
            if (found < 0)
            {
                return false;
            }

            reached = _mappings[found].End;
        }

        return true;
    }

    private void Tell(ulong start, ulong end)
    {
        if (start >= end)
        {
            return;
        }

        foreach (IMemoryNotifier notifier in _notifiers)
        {
            notifier.PagesGo(start, end - 1);
        }
    }

    private void Change(Func<IMemoryNotifier[], IMemoryNotifier[]> change)
    {
        while (true)
        {
            IMemoryNotifier[] seen = _notifiers;
            IMemoryNotifier[] changed = change(seen);
#pragma warning disable CS0420 // The compare-and-swap is the volatile access.
            if (ReferenceEquals(Interlocked.CompareExchange(ref _notifiers, changed, seen), seen))
#pragma warning restore CS0420
            {
                return;
            }
        }
    }
}
