using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Persistence;

/// <summary>
/// The part of <see cref="EventCommands"/> that is about files, dma-bufs, dirty pages and VFIO's own calls. Keeps the files that the
/// journal names; not thread-safe.
/// </summary>
/// <param name="machine">The machine of the replay.</param>
internal sealed class MemoryEventCommands(HostMachine machine)
{
    private readonly Dictionary<uint, IMappableFile> _files = [];

    /// <summary>The command that applies an event, and the process that calls; null for an event of another kind.</summary>
    public (IoctlCommand Command, uint? ProcessId)? TryOf(ContextEvent change) =>
        change switch
        {
            FileMapped e => (
                new MapKnownFile(e.IoasId, FileOf(e), e.Start, e.Length, e.Iova, (IoasMapFlags)e.Flags),
                e.ProcessId
            ),
            DmabufRevoked e when _files.TryGetValue(e.FileNumber, out var buffer) => (
                new RevokeKnownDmabuf(buffer, e.Revoked),
                null
            ),
            DmabufRevoked => (new VfioGetApiVersion(), null),
            ProcessChanged e => (new IoasChangeProcess(), e.ProcessId),
            DirtyTrackingSet e => (
                new HwptSetDirtyTracking { HwptId = e.HwptId, Flags = e.Enabled ? HwptSetDirtyTracking.Enable : 0 },
                null
            ),
            DirtyCleared e => (Clear(e), null),
            PagesMarkedDirty e => (new MarkPagesDirty(e.HwptId, e.Iova, e.PageSize, e.Pages, e.Bits), null),
            CompatIoasSet e => (
                new VfioIoas { Op = e.IoasId == 0 ? VfioIoasOp.Clear : VfioIoasOp.Set, IoasId = e.IoasId },
                null
            ),
            VfioMapped e => (
                new VfioIommuMapDma
                {
                    ArgSz = 32,
                    Flags =
                        ((e.Permissions & 1) != 0 ? VfioMapFlags.Write : VfioMapFlags.None)
                        | ((e.Permissions & 2) != 0 ? VfioMapFlags.Read : VfioMapFlags.None),
                    Vaddr = e.UserVa,
                    Iova = e.Iova,
                    Size = e.Length,
                },
                e.ProcessId
            ),
            AreaCutInTwo e => (new CutAreaInTwo(e.IoasId, e.LastOfLeft), null),
            _ => null,
        };

    // A bitmap that cannot be written loses what was read, which is what a replay wants: the marks go.
    private static HwptGetDirtyBitmap Clear(DirtyCleared e) =>
        new()
        {
            HwptId = e.HwptId,
            Iova = e.First,
            Length = unchecked(e.Last - e.First + 1),
            PageSize = 1,
        };

    private IMappableFile FileOf(FileMapped e)
    {
        if (e.FileNumber != 0 && _files.TryGetValue(e.FileNumber, out var known))
        {
            return known;
        }

        IMappableFile made = e.FileKind switch
        {
            MappedFileKind.Dmabuf => new Dmabuf(
                machine.Physical,
                new PfnRun(new Pfn(e.FirstPfn), e.FileSize >> HostPage.Shift)
            )
            {
                Number = e.FileNumber,
            },
            _ => new MemoryFile(machine.Physical, MemoryFileKind.NotMemory, 0) { Number = e.FileNumber },
        };
        _files[e.FileNumber] = made;
        return made;
    }
}
