using System.Numerics;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

/// <summary>
/// A bitmap in user memory that dirty ranges are recorded in: bit n stands for the n-th page from a first IOVA. Bits are set, never
/// cleared. As the kernel does, it holds a window of at most 512 pages of the bitmap at a time; a window that cannot be written at
/// its first byte loses the range silently, and a range that reaches past the end of the bitmap may set bits up to the end of the
/// window's last page. For one thread.
/// </summary>
public sealed class DirtyBitmap
{
    private const ulong MostWindowPages = 512;
    private const ulong BitsPerPage = HostPage.Size * 8;

    private readonly IUserMemory _memory;
    private readonly ulong _data;
    private readonly IovaRange _range;
    private readonly int _shift;
    private readonly ulong _bytes;

    private ulong _windowPages;
    private ulong _windowIova;
    private ulong _windowLast;
    private ulong _windowAddress;

    /// <summary>Describes a bitmap; nothing is read or written yet.</summary>
    /// <param name="memory">Whose memory.</param>
    /// <param name="data">Address of the first byte; any alignment.</param>
    /// <param name="range">What the bitmap stands for.</param>
    /// <param name="pageSize">Bytes that a bit stands for; of a number that is no power of two the lowest bit counts.</param>
    public DirtyBitmap(IUserMemory memory, ulong data, IovaRange range, ulong pageSize)
    {
        ArgumentNullException.ThrowIfNull(memory);
        _memory = memory;
        _data = data;
        _range = range;
        _shift = BitOperations.TrailingZeroCount(pageSize);
        _bytes = ByteOf(range.Last - range.First) + 1;
    }

    /// <summary>Records a dirty range that starts inside the bitmap's.</summary>
    /// <param name="iova">First dirty IOVA.</param>
    /// <param name="length">Bytes, at least 1.</param>
    public void Set(ulong iova, ulong length)
    {
        while (true)
        {
            var last = unchecked(iova + (length - 1));
            var inside = _windowPages > 0 && iova >= _windowIova && last >= iova && last <= _windowLast;
            if (!inside && !TryMoveTo(iova))
            {
                return;
            }

            var firstBit = BitOf(iova - _windowIova);
            var lastBit = BitOf(unchecked(last - _windowIova));
            var windowBits = _windowPages * BitsPerPage;
            if (firstBit >= windowBits)
            {
                return;
            }

            SetBits(firstBit, Math.Min(lastBit, windowBits - 1));
            if (lastBit < windowBits)
            {
                return;
            }

            // The rest lies in the next window.
            var left = (lastBit - windowBits + 1) << _shift;
            iova = unchecked(iova + (length - left));
            length = left;
            _windowPages = 0;
        }
    }

    private ulong ByteOf(ulong offset) => (offset >> _shift) >> 3;

    // Counted from the first byte of the window's first page.
    private ulong BitOf(ulong offset) => (offset >> _shift) + ((_windowAddress & HostPage.OffsetMask) << 3);

    private bool TryMoveTo(ulong iova)
    {
        _windowPages = 0;
        var index = ByteOf(iova - _range.First);
        if (iova < _range.First || index >= _bytes)
        {
            return false;
        }

        _windowAddress = unchecked(_data + index);
        var offset = _windowAddress & HostPage.OffsetMask;
        var remaining = _bytes - index;
        var wanted = Math.Min(((remaining - 1) >> HostPage.Shift) + 1 + (offset == 0 ? 0ul : 1), MostWindowPages);
        _windowPages = WriteablePages(_windowAddress & ~HostPage.OffsetMask, wanted);
        if (_windowPages == 0)
        {
            return false;
        }

        _windowIova = unchecked(_range.First + (index << 3 << _shift));
        var covered = Math.Min(remaining, (_windowPages << HostPage.Shift) - offset);
        var bytes = covered << 3 << _shift;
        _windowLast = bytes - 1 >= _range.Last - _windowIova ? _range.Last : _windowIova + (bytes - 1);
        return true;
    }

    // What the kernel pins for writing: up to the first page that it may not write.
    private ulong WriteablePages(ulong address, ulong wanted)
    {
        Span<byte> probe = stackalloc byte[1];
        var pages = 0ul;
        while (pages < wanted && _memory.TryRead(address, probe) && _memory.TryWrite(address, probe))
        {
            pages++;
            address = unchecked(address + HostPage.Size);
        }

        return pages;
    }

    private void SetBits(ulong first, ulong last)
    {
        var page = _windowAddress & ~HostPage.OffsetMask;
        var at = first >> 3;
        var end = last >> 3;
        var bytes = new byte[end - at + 1];
        if (!_memory.TryRead(unchecked(page + at), bytes))
        {
            return;
        }

        for (var bit = first; bit <= last; )
        {
            if ((bit & 7) == 0 && last - bit >= 7)
            {
                bytes[(bit >> 3) - at] = 0xff;
                bit += 8;
            }
            else
            {
                bytes[(bit >> 3) - at] |= (byte)(1 << (int)(bit & 7));
                bit++;
            }
        }

        _memory.TryWrite(unchecked(page + at), bytes);
    }
}
