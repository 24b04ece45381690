using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Core.Flows;

/// <summary>The flows of the commands on files, dma-bufs, dirty pages, processes and VFIO's own calls.</summary>
public static class MemoryCommandFlows
{
    /// <summary>Whether a command is one of these.</summary>
    public static bool Has(IoctlCommand command) =>
        command
            is IoasMapFile
                or TestDmabufGet
                or TestDmabufRevoke
                or IoasChangeProcess
                or HwptSetDirtyTracking
                or HwptGetDirtyBitmap
                or TestDirty
                or GetHwInfo
                or VfioIoas
                or VfioGetApiVersion
                or VfioCheckExtension
                or VfioSetIommu
                or VfioIommuGetInfo
                or VfioIommuMapDma
                or VfioIommuUnmapDma
                or VfioIommuDirtyPages;

    /// <summary>Makes the flow of a command; null for one that is not of these.</summary>
    public static Flow? TryCreate(ContextCore context, Caller caller, IoctlCommand command) =>
        command switch
        {
            IoasMapFile c => new MapFileFlow(context, caller, c),
            TestDmabufGet c => new DmabufGetFlow(context, caller, c),
            TestDmabufRevoke c => new DmabufRevokeFlow(context, caller, c),
            IoasChangeProcess c => new ChangeProcessFlow(context, caller, c),
            HwptSetDirtyTracking c => new SetDirtyTrackingFlow(context, caller, c),
            HwptGetDirtyBitmap c => new GetDirtyBitmapFlow(context, caller, c),
            TestDirty c => new MarkDirtyFlow(context, caller, c),
            GetHwInfo c => new HwInfoFlow(context, caller, c),
            VfioIoas c => new VfioIoasFlow(context, caller, c),
            VfioGetApiVersion => new RefusedFlow(context, caller, Errno.OK),
            VfioCheckExtension c => new VfioCheckExtensionFlow(context, caller, c),
            VfioSetIommu c => new VfioSetIommuFlow(context, caller, c),
            VfioIommuGetInfo c => new VfioInfoFlow(context, caller, c),
            VfioIommuMapDma c => new VfioMapFlow(context, caller, c),
            VfioIommuUnmapDma c => new VfioUnmapFlow(context, caller, c),
            VfioIommuDirtyPages => new RefusedFlow(context, caller, Errno.ENOTTY),
            MapKnownFile c => new MapFileFlow(context, caller, CommandOf(c), c.File),
            RevokeKnownDmabuf { Buffer: Dmabuf buffer } c => new DmabufRevokeFlow(
                context,
                caller,
                new TestDmabufRevoke { Revoked = c.Revoked ? 1u : 0 },
                buffer
            ),
            MarkPagesDirty c => new MarkPagesDirtyFlow(context, caller, c),
            CutAreaInTwo c => new CutAreaInTwoFlow(context, caller, c),
            _ => null,
        };

    private static IoasMapFile CommandOf(MapKnownFile c) =>
        new()
        {
            IoasId = c.IoasId,
            Start = c.Start,
            Length = c.Length,
            Iova = c.Iova,
            Flags = c.Flags | IoasMapFlags.FixedIova,
        };
}
