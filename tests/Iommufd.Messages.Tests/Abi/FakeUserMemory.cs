namespace Iommufd.Messages.Tests.Abi;

/// <summary>User memory of a few pages; each may be readable, writeable, both or neither.</summary>
internal sealed class FakeUserMemory : IUserMemory
{
    private readonly Dictionary<ulong, Page> pages = [];

    /// <summary>Number of reads and writes asked for, also of those that failed.</summary>
    public int Touches { get; private set; }

    public FakeUserMemory Map(ulong address, int pageCount = 1, bool readable = true, bool writeable = true)
    {
        for (ulong i = 0; i < (ulong)pageCount; i++)
        {
            pages[(address >> HostPage.Shift) + i] = new Page(new byte[HostPage.Size], readable, writeable);
        }

        return this;
    }

    public FakeUserMemory Put(ulong address, ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            At(address + (uint)i, p => p is not null) = bytes[i];
        }

        return this;
    }

    public byte[] Get(ulong address, int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = At(address + (uint)i, p => p is not null);
        }

        return bytes;
    }

    public bool TryRead(ulong address, Span<byte> destination)
    {
        Touches++;
        for (int i = 0; i < destination.Length; i++)
        {
            if (!Has(address + (uint)i, p => p.Readable))
            {
                return false;
            }

            destination[i] = At(address + (uint)i, p => p.Readable);
        }

        return true;
    }

    public bool TryWrite(ulong address, ReadOnlySpan<byte> source)
    {
        Touches++;
        for (int i = 0; i < source.Length; i++)
        {
            if (!Has(address + (uint)i, p => p.Writeable))
            {
                return false;
            }

            At(address + (uint)i, p => p.Writeable) = source[i];
        }

        return true;
    }

    private bool Has(ulong address, Func<Page, bool> allowed) =>
        pages.TryGetValue(address >> HostPage.Shift, out Page? page) && allowed(page);

    private ref byte At(ulong address, Func<Page, bool> allowed)
    {
        Page page = pages[address >> HostPage.Shift];
        if (!allowed(page))
        {
            throw new InvalidOperationException($"No access at 0x{address:x}.");
        }

        return ref page.Bytes[address & HostPage.OffsetMask];
    }

    private sealed record Page(byte[] Bytes, bool Readable, bool Writeable);
}
