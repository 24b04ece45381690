using System.Numerics;
using Iommufd.Messages;

namespace Iommufd.Core.Iova;

// Where a mapping goes. Both ways check the length first; whether a page offset fits the alignment is asked afterwards,
// piece by piece, with IsAligned.
public sealed partial class IovaMap
{
    /// <summary>Automatic IOVAs are not aligned beyond the size of a transparent huge page.</summary>
    private const ulong LargestAutomaticAlignment = 2 << 20;

    /// <summary>Automatic IOVAs stay clear of the first and the last page of the space.</summary>
    private static IovaRange AutomaticWindow => new(HostPage.Size, ulong.MaxValue - HostPage.Size);

    /// <summary>Checks an IOVA that the user chose. The allowed list plays no part.</summary>
    /// <param name="iova">First IOVA.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="range">The IOVAs, when OK.</param>
    /// <returns>
    /// In this order: EINVAL when the length, then the IOVA, is not a multiple of the alignment; EOVERFLOW when the range
    /// passes 2^64 - 1; EINVAL when it overlaps a reserved range; EEXIST when it overlaps an area in any state.
    /// </returns>
    public Errno PlaceFixed(ulong iova, ulong length, out IovaRange range)
    {
        range = default;
        if (length == 0 || !IsAligned(length) || !IsAligned(iova))
        {
            return Errno.EINVAL;
        }

        if (!IovaRange.TryFromLength(iova, length, out IovaRange wanted))
        {
            return Errno.EOVERFLOW;
        }

        if (_reserved.Overlaps(wanted))
        {
            return Errno.EINVAL;
        }

        if (_occupied.FirstArea(wanted) is not null)
        {
            return Errno.EEXIST;
        }

        range = wanted;
        return Errno.OK;
    }

    /// <summary>
    /// Chooses the lowest IOVA whose alignment suits the length and the memory behind it: a power of two that covers the
    /// length, at most the hint's lowest set bit, at most 2 MiB; the hint's offset in its page is kept.
    /// </summary>
    /// <param name="length">Bytes.</param>
    /// <param name="hint">Byte address of the memory, or its offset in the file; 0 does not limit the alignment.</param>
    /// <param name="range">The IOVAs, when OK.</param>
    /// <returns>
    /// In this order: EINVAL when the length is not a multiple of the alignment; EOVERFLOW for a length of 0 or of
    /// 2^63 - 1 and more; EINVAL when the alignment found is below the required one; ENOSPC when no gap takes it.
    /// </returns>
    public Errno PlaceAutomatic(ulong length, ulong hint, out IovaRange range)
    {
        range = default;
        if (!IsAligned(length))
        {
            return Errno.EINVAL;
        }

        if (length == 0 || length >= ulong.MaxValue / 2)
        {
            return Errno.EOVERFLOW;
        }

        ulong alignment = BitOperations.RoundUpToPowerOf2(length);
        if (hint != 0)
        {
            alignment = Math.Min(alignment, hint & (~hint + 1));
        }

        alignment = Math.Min(alignment, LargestAutomaticAlignment);
        if (alignment < Alignment)
        {
            return Errno.EINVAL;
        }

        ulong offset = hint & HostPage.OffsetMask;
        if (!TryFindStart(length, alignment, offset, out ulong start))
        {
            return Errno.ENOSPC;
        }

        range = new IovaRange(start, start + (length - 1));
        return Errno.OK;
    }

    private bool TryFindStart(ulong length, ulong alignment, ulong offset, out ulong start)
    {
        if (_allowed.Length == 0)
        {
            return TryFindIn(new FitRequest(AutomaticWindow, length, alignment, offset), out start);
        }

        foreach (IovaRange window in _windows)
        {
            if (TryFindIn(new FitRequest(window, length, alignment, offset), out start))
            {
                return true;
            }
        }

        start = 0;
        return false;
    }

    // The search begins at the window's first suitable start, not at its first address: that decides which offset bits
    // the first gap gets when the offset has more bits than the alignment leaves free.
    private bool TryFindIn(in FitRequest window, out ulong start) =>
        window.TryFit(window.First, window.Last, out start) && _occupied.TryLowestFit(window.From(start), out start);
}
