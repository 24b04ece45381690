using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

// The maps that are cheap enough for their instructions to count; whatever they do not know goes to MapChecked.
public sealed unsafe partial class PageTable<TFormat>
{
    /// <summary>
    /// Everything that is not one page of the smallest size. Each case is a method of its own, so that each is compiled for itself.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Errno MapRun(ulong iova, ulong physical, ulong length, IoptePermissions permissions, MapOptions options) =>
        length < 1UL << LeafTableShift ? MapInTable(iova, physical, length, permissions, options)
        : length == 1UL << LeafTableShift ? MapLarge(iova, physical, length, permissions, options)
        : MapChecked(iova, physical, length, permissions, options);

    /// <summary>Smallest pages into one leaf table that is there, or whatever it is.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Errno MapInTable(ulong iova, ulong physical, ulong length, IoptePermissions permissions, MapOptions options)
    {
        ulong page = 1UL << TFormat.GranuleShift;
        ulong tableBytes = 1UL << LeafTableShift;
        ulong highest = physical | (physical + length);
        ulong wrong = ((iova | length | physical) & (page - 1)) | (highest >> TFormat.OutputBits);
        if (
            (TFormat.PageSizes & page) == 0
            || wrong != 0
            || length - 1 >= tableBytes
            || (iova & (tableBytes - 1)) + length > tableBytes
            || (uint)(permissions - 1) >= 3
            || TFormat.CheckPermissions(permissions) != Errno.OK
            || HasLargerPages(iova, physical, length, options)
        )
        {
            return MapChecked(iova, physical, length, permissions, options);
        }

        ulong* item = CachedPageItemOrNull(iova);
        if (item == null)
        {
            return MapChecked(iova, physical, length, permissions, options);
        }

        ulong word = TFormat.LeafWord(physical, 0, TFormat.GranuleShift, permissions);
        // Release: what the caller wrote before (the pages' contents, the pins) is visible before the entries. The fill's vector
        // stores are no releases themselves.
        Volatile.WriteBarrier();
        return ItemRuns.TryFillEmpty(item, (int)(length >> TFormat.GranuleShift), word, AddressStep(page))
            ? Errno.OK
            : Errno.EADDRINUSE;
    }

    /// <summary>One page of level 1 where nothing is below, or whatever it is.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Errno MapLarge(ulong iova, ulong physical, ulong length, IoptePermissions permissions, MapOptions options)
    {
        ulong page = 1UL << LeafTableShift;
        ulong badPhysical = (page - 1) | ~((1UL << TFormat.OutputBits) - 1);
        ulong wrong = (physical & badPhysical) | (iova & (page - 1)) | (length ^ page) | (ulong)options;
        if (
            (TFormat.PageSizes & page) == 0
            || wrong != 0
            || (uint)(permissions - 1) >= 3
            || TFormat.CheckPermissions(permissions) != Errno.OK
        )
        {
            return MapChecked(iova, physical, length, permissions, options);
        }

        ulong* table = CachedMiddleOrNull(iova);
        if (table == null || Volatile.Read(ref *ItemAt(table, iova, 1)) != 0)
        {
            return MapChecked(iova, physical, length, permissions, options);
        }

        // Release, as for a small page.
        Volatile.Write(ref *ItemAt(table, iova, 1), TFormat.LeafWord(physical, 1, LeafTableShift, permissions));
        return Errno.OK;
    }

    /// <summary>The offered sizes of several items of a leaf table.</summary>
    private static ulong SizesInLeafTable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.PageSizes & ((1UL << LeafTableShift) - 1) & ~(1UL << TFormat.GranuleShift);
    }

    /// <summary>Whether a run in one leaf table may be cut into pages larger than an item; to say yes too often costs time only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasLargerPages(ulong iova, ulong physical, ulong length, MapOptions options)
    {
        if (SizesInLeafTable == 0)
        {
            return false;
        }

        // A larger page needs IOVA and physical address alike up to its size.
        ulong alike = iova ^ physical;
        ulong larger = SizesFor(options) & SizesInLeafTable & (alike ^ (alike - 1));
        return larger != 0 && (larger & (0 - larger)) <= length;
    }

    /// <summary>
    /// Whether a map is one correct page of the smallest size, but for the input range; everything else takes the long path with
    /// its checks.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsSmallestPage(
        ulong iova,
        ulong physical,
        ulong length,
        IoptePermissions permissions,
        MapOptions options
    )
    {
        ulong page = 1UL << TFormat.GranuleShift;
        ulong badPhysical = (page - 1) | ~((1UL << TFormat.OutputBits) - 1);
        // One test for what is almost always right.
        ulong wrong = (physical & badPhysical) | (iova & (page - 1)) | (length ^ page) | (ulong)options;
        return (TFormat.PageSizes & page) != 0
            && wrong == 0
            && (uint)(permissions - 1) < 3
            && TFormat.CheckPermissions(permissions) == Errno.OK;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TrySetPage(ulong* item, ulong physical, IoptePermissions permissions)
    {
        if (Volatile.Read(ref *item) != 0)
        {
            return false;
        }

        // Release: what the caller wrote before (the page's contents, its pin) is visible before the entry.
        Volatile.Write(ref *item, TFormat.LeafWord(physical, 0, TFormat.GranuleShift, permissions));
        return true;
    }
}
