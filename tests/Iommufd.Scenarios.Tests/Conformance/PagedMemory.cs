using Iommufd.Messages;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>User memory by pages, with protection.</summary>
internal sealed class PagedMemory : IUserMemory
{
    private readonly Dictionary<ulong, Page> pages = [];

    public void Map(ulong address, ulong size)
    {
        for (ulong page = address >> HostPage.Shift; page < (address + size) >> HostPage.Shift; page++)
        {
            pages[page] = new Page();
        }
    }

    public void Unmap(ulong address, ulong size)
    {
        for (ulong page = address >> HostPage.Shift; page < (address + size) >> HostPage.Shift; page++)
        {
            pages.Remove(page);
        }
    }

    public void MakeReadOnly(ulong address, ulong size)
    {
        for (ulong page = address >> HostPage.Shift; page < (address + size) >> HostPage.Shift; page++)
        {
            pages[page].Writeable = false;
        }
    }

    public bool TryRead(ulong address, Span<byte> destination)
    {
        for (int done = 0; done < destination.Length; )
        {
            if (!Find(address + (uint)done, out Page page, out int offset))
            {
                return false;
            }

            int count = Math.Min(destination.Length - done, (int)HostPage.Size - offset);
            page.Bytes.AsSpan(offset, count).CopyTo(destination[done..]);
            done += count;
        }

        return true;
    }

    public bool TryWrite(ulong address, ReadOnlySpan<byte> source)
    {
        for (int done = 0; done < source.Length; )
        {
            if (!Find(address + (uint)done, out Page page, out int offset) || !page.Writeable)
            {
                return false;
            }

            int count = Math.Min(source.Length - done, (int)HostPage.Size - offset);
            source.Slice(done, count).CopyTo(page.Bytes.AsSpan(offset));
            done += count;
        }

        return true;
    }

    private bool Find(ulong address, out Page page, out int offset)
    {
        offset = (int)(address & HostPage.OffsetMask);
        return pages.TryGetValue(address >> HostPage.Shift, out page!);
    }

    private sealed class Page
    {
        private byte[]? bytes;

        public byte[] Bytes => bytes ??= new byte[HostPage.Size];

        public bool Writeable { get; set; } = true;
    }
}
