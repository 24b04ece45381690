using Iommufd.Messages;

namespace Iommufd.Core.Pages;

// Copying to and from the process, and pinning its pages. All of it reads the published array of mappings once.
public sealed partial class ProcessMemory
{
    /// <summary>Pages that the kernel pins at once: an end of 2^64 is noticed only in the last portion.</summary>
    private const ulong PagesPerPin = 8192;

    /// <inheritdoc/>
    public bool TryRead(ulong address, Span<byte> destination)
    {
        Mapping[] mappings = _mappings;
        while (destination.Length > 0)
        {
            int at = AddressSpace.Find(mappings, address);
            if (at < 0 || !mappings[at].Allows(address, write: false))
            {
                return false;
            }

            int inPage = (int)(address & HostPage.OffsetMask);
            int count = Math.Min(destination.Length, (int)HostPage.Size - inPage);
            if (mappings[at].Backing.TryGet(mappings[at].PageOf(address), allocate: false, out Pfn pfn))
            {
                _physical.Read(pfn, inPage, destination[..count]);
            }
            else
            {
                destination[..count].Clear();
            }

            destination = destination[count..];
            address += (ulong)count;
        }

        return true;
    }

    /// <inheritdoc/>
    public bool TryWrite(ulong address, ReadOnlySpan<byte> source)
    {
        Mapping[] mappings = _mappings;
        while (source.Length > 0)
        {
            int at = AddressSpace.Find(mappings, address);
            if (at < 0 || !mappings[at].Allows(address, write: true))
            {
                return false;
            }

            int inPage = (int)(address & HostPage.OffsetMask);
            int count = Math.Min(source.Length, (int)HostPage.Size - inPage);
            mappings[at].Backing.TryGet(mappings[at].PageOf(address), allocate: true, out Pfn pfn);
            _physical.Write(pfn, inPage, source[..count]);
            DropIfUnmapped(mappings, mappings[at], address);
            source = source[count..];
            address += (ulong)count;
        }

        return true;
    }

    /// <summary>Pins the page that holds an address for the long term.</summary>
    /// <param name="address">Any address in the page.</param>
    /// <param name="write">Whether the page will be written.</param>
    /// <param name="pfn">Its frame, which now has one more pin.</param>
    /// <returns>EFAULT for a hole, a missing permission, or a process that is gone.</returns>
    public Errno PinPage(ulong address, bool write, out Pfn pfn)
    {
        Errno pinned = PinRun(address & ~HostPage.OffsetMask, 1, write, out PfnRun run);
        pfn = run.First;
        return pinned;
    }

    /// <summary>Pins pages from an address on, as far as they are physically consecutive.</summary>
    /// <param name="address">The first page's address.</param>
    /// <param name="pages">How many pages are wanted, at least 1.</param>
    /// <param name="write">Whether the pages will be written.</param>
    /// <param name="run">The frames, which now have one more pin each: at least 1, at most as many as wanted.</param>
    /// <returns>EOVERFLOW when the last page is the address space's last; else EFAULT when the first page cannot be pinned.</returns>
    public Errno PinRun(ulong address, ulong pages, bool write, out PfnRun run)
    {
        run = default;
        if (RecordedPins is { } recorded)
        {
            run = recorded.Take(address, pages);
            _physical.PinRun(run);
            return Errno.OK;
        }

        if (PinFault is { } fault && fault(address, pages) is var injected && injected != Errno.OK)
        {
            return injected;
        }

        if (pages <= PagesPerPin && address > ulong.MaxValue - (pages << HostPage.Shift))
        {
            return Errno.EOVERFLOW;
        }

        Mapping[] mappings = _mappings;
        int at = AddressSpace.Find(mappings, address);
        if (_exited || at < 0)
        {
            return Errno.EFAULT;
        }

        Mapping mapping = mappings[at];
        if (!mapping.Allows(address, write))
        {
            return Errno.EFAULT;
        }

        ulong count = Math.Min(pages, (mapping.End - address) >> HostPage.Shift);
        count = mapping.Backing.PinRun(mapping.PageOf(address), count, out Pfn first);
        DropIfUnmapped(mappings, mapping, address);
        run = new PfnRun(first, count);
        return Errno.OK;
    }

    /// <summary>
    /// The frame that the process sees at an address; an absent page is allocated, as reading it through the page tables
    /// would. No pin is taken. False for a hole or no permission.
    /// </summary>
    public bool TryGetPfn(ulong address, out Pfn pfn)
    {
        Mapping[] mappings = _mappings;
        int at = AddressSpace.Find(mappings, address);
        if (at < 0 || !mappings[at].Allows(address, write: false))
        {
            pfn = default;
            return false;
        }

        bool found = mappings[at].Backing.TryGet(mappings[at].PageOf(address), allocate: true, out pfn);
        DropIfUnmapped(mappings, mappings[at], address);
        return found;
    }

    /// <summary>Whether an address lies in a huge page.</summary>
    public bool IsCompound(ulong address)
    {
        Mapping[] mappings = _mappings;
        int at = AddressSpace.Find(mappings, address);
        return at >= 0 && mappings[at].Backing.IsHuge;
    }
}
