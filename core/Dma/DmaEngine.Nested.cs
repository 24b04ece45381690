using Iommufd.Core.Dma.Guest;
using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

public partial class DmaEngine
{
    /// <summary>
    /// A HWPT's table has changed: forgets what it gave. Where it is a second stage, the IOTLB knows its translations by the guest's
    /// addresses only, so everything of those address spaces goes.
    /// </summary>
    /// <param name="hwptId">The HWPT.</param>
    /// <param name="range">Addresses that its table translates.</param>
    public void InvalidateTable(uint hwptId, IovaRange range)
    {
        uint[] nested;
        bool guestPasids;
        lock (Iotlb.Gate)
        {
            nested = NestedOn(hwptId);
            guestPasids = nested.Contains(0u) && _own!.Guest is { Root.HasPasids: true };
        }

        Iotlb.Invalidate(range);
        if (guestPasids)
        {
            Iotlb.Invalidate(IovaRange.All);
            return;
        }

        foreach (uint pasid in nested)
        {
            Iotlb.Invalidate(IovaRange.All, pasid);
        }
    }

    private static bool IsOn(DmaTranslation translation, uint hwptId) =>
        translation.Guest is not null && translation.SecondStage == hwptId;

    /// <summary>The guest's tables, then ours. <paramref name="present"/> tells a missing page from a missing permission.</summary>
    private bool WalkNested(
        in Space space,
        GuestStage guest,
        uint pasid,
        ulong iova,
        IoptePermissions access,
        out IopteTranslation found,
        out bool present
    )
    {
        found = default;
        if (_memory is null)
        {
            throw new InvalidOperationException("a DMA engine without memory cannot read guest tables");
        }

        GuestWalk walk = guest.Walk(new GuestMemory(space.Translation!, _memory), pasid, iova, access);
        present = walk.End == GuestWalkEnd.Denied;
        if (walk.End != GuestWalkEnd.Found)
        {
            return false;
        }

        if (!space.Table!.TryAccess(walk.GuestPhysical, access, space.MarksDirty, out IopteTranslation second))
        {
            present = space.Table.TryTranslate(walk.GuestPhysical, out ulong _);
            return false;
        }

        // One IOTLB entry for both stages: as large as the smaller page, as permissive as the stricter stage. A write has marked
        // both stages; an entry that a read has filled is walked again for the first write.
        found = new IopteTranslation(
            second.Physical,
            Math.Min(walk.PageShift, second.PageShift),
            walk.Permissions & second.Permissions,
            Dirty: (access & IoptePermissions.Write) != 0
        );
        return true;
    }

    // Asked at every unmap, and nearly always there are none.
    private uint[] NestedOn(uint hwptId)
    {
        SortedSet<uint>? nested = null;
        if (_own is not null && IsOn(_own, hwptId))
        {
            nested = [0];
        }

        if (_translations is not null)
        {
            foreach ((uint pasid, DmaTranslation translation) in _translations)
            {
                if (IsOn(translation, hwptId))
                {
                    (nested ??= []).Add(pasid);
                }
            }
        }

        return nested is null ? [] : [.. nested];
    }
}
