using Iommufd.Messages;

namespace Iommufd.Core.Iova;

public sealed partial class IovaMap
{
    /// <summary>
    /// Cuts an area in two behind an IOVA, as a VFIO type 1 unmap does. The halves share the page set, the permissions and
    /// the storage domain; no IOPTE changes. Nothing is cut, and the answer is OK, where no area is, or where the IOVA is
    /// the area's first or last.
    /// </summary>
    /// <param name="lastByteOfLeft">Last IOVA of the left half.</param>
    /// <param name="leftKey">Key of the left half.</param>
    /// <param name="rightKey">Key of the right half.</param>
    /// <param name="left">The left half; null when nothing was cut.</param>
    /// <param name="right">The right half; null when nothing was cut.</param>
    /// <returns>
    /// In this order: EBUSY when the area is in transition or closed to accesses; EOPNOTSUPP for a dma-buf; EINVAL when the
    /// cut is not aligned, in IOVA or in the page set; EINVAL with access users; EINVAL when a domain holds the area while
    /// large pages are enabled.
    /// </returns>
    public Errno Cut(ulong lastByteOfLeft, ulong leftKey, ulong rightKey, out Area? left, out Area? right)
    {
        left = null;
        right = null;
        Area? area = At(lastByteOfLeft);
        if (area is null || lastByteOfLeft == area.Range.First || lastByteOfLeft == area.Range.Last)
        {
            return Errno.OK;
        }

        if (area.State != AreaState.Ready || area.PreventAccess)
        {
            return Errno.EBUSY;
        }

        if (area.IsDmaBuf)
        {
            return Errno.EOPNOTSUPP;
        }

        ulong cut = lastByteOfLeft + 1;
        bool usersOrLargePages = area.AccessUsers > 0 || (area.StorageHwpt != 0 && !LargePagesDisabled);
        if (!IsAligned(cut) || !IsAligned(area.StartByteOf(cut)) || usersOrLargePages)
        {
            return Errno.EINVAL;
        }

        left = Half(area, leftKey, new IovaRange(area.Range.First, lastByteOfLeft));
        right = Half(area, rightKey, new IovaRange(cut, area.Range.Last));
        Remove(area);
        Insert(left);
        Insert(right);
        return Errno.OK;
    }

    private static Area Half(Area area, ulong key, IovaRange range) =>
        new()
        {
            Key = key,
            Range = range,
            PageSet = area.PageSet,
            StartByte = area.StartByteOf(range.First),
            Permissions = area.Permissions,
            State = AreaState.Ready,
            StorageHwpt = area.StorageHwpt,
        };
}
