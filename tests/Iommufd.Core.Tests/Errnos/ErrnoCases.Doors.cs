using Iommufd.Messages;
using Iommufd.Messages.Commands;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;
using static Iommufd.Messages.Errno;

namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoCases
{
    private const string VfioMapName = "VFIO_IOMMU_MAP_DMA";
    private const string VfioUnmapName = "VFIO_IOMMU_UNMAP_DMA";
    private const string SetIommuName = "VFIO_SET_IOMMU";
    private const string VfioInfoName = "VFIO_IOMMU_GET_INFO";

    private static IEnumerable<ErrnoCase> VfioContainer() =>
        [
            Case(
                "VFIO_CHECK_EXTENSION",
                ENODEV,
                "DMA_CC_IOMMU",
                _ => new VfioCheckExtension { Extension = VfioExtension.DmaCcIommu }
            ),
            Case(SetIommuName, EINVAL, "type 8", _ => new VfioSetIommu { Type = VfioExtension.NoIommu }),
            Case(
                SetIommuName,
                EINVAL,
                "type 1 of mapped domains",
                s => After(s.Do(Map(s.Compat(attached: true))), new VfioSetIommu { Type = 1 })
            ),
            Case(SetIommuName, ENODEV, "no IOAS", _ => new VfioSetIommu { Type = 3 }),
            Case(
                SetIommuName,
                EADDRINUSE,
                "misaligned",
                s => After(s.Do(Map(s.Compat(), length: 0x800)), new VfioSetIommu { Type = 1 })
            ),
            Case(VfioInfoName, ENODEV, "no IOAS", _ => new VfioIommuGetInfo { ArgSz = 24 }),
            Case(
                VfioInfoName,
                EFAULT,
                "capabilities",
                s => s.Compat() > 0 ? new VfioIommuGetInfo { Argument = Nowhere, ArgSz = 100 } : null!
            ),
            Case(VfioMapName, EINVAL, "flag", _ => VfioMap() with { Flags = (VfioMapFlags)4 }),
            Case(VfioMapName, EINVAL, "size 0", s => s.Compat() > 0 ? VfioMap(size: 0) : null!),
            Case(VfioMapName, EINVAL, "misaligned", s => s.Compat(true) > 0 ? VfioMap(size: 0x400) : null!),
            Case(
                VfioMapName,
                EINVAL,
                "no direction, with a domain",
                s => s.Compat(true) > 0 ? VfioMap() with { Flags = VfioMapFlags.None } : null!
            ),
            Case(VfioMapName, ENODEV, "no IOAS", _ => VfioMap()),
            Case(VfioMapName, EOVERFLOW, "IOVA wraps", s => s.Compat() > 0 ? VfioMap(ulong.MaxValue, 2) : null!),
            Case(VfioMapName, EOVERFLOW, "address wraps", s => s.Compat() > 0 ? VfioMap(va: ulong.MaxValue) : null!),
            Case(VfioMapName, EEXIST, "mapped", s => After(s.Do(Map(s.Compat())), VfioMap())),
            Case(VfioMapName, EFAULT, "nothing there", s => s.Compat(true) > 0 ? VfioMap(va: Nowhere) : null!),
            Case(VfioMapName, ENOMEM, "limit", s => s.Compat(true) > 0 ? OverLimit(s, VfioMap()) : null!),
            Case("VFIO_IOMMU_DIRTY_PAGES", ENOTTY, "always", s => s.Compat() > 0 ? new VfioIommuDirtyPages() : null!),
            .. VfioUnmaps(),
        ];

    private static IEnumerable<ErrnoCase> VfioUnmaps() =>
        [
            Case(VfioUnmapName, EINVAL, "flag", _ => VfioUnmap() with { Flags = VfioUnmapFlags.GetDirtyBitmap }),
            Case(
                VfioUnmapName,
                EINVAL,
                "a range with ALL",
                s => s.Compat() > 0 ? VfioUnmap() with { Flags = VfioUnmapFlags.All } : null!
            ),
            Case(VfioUnmapName, EINVAL, "size 0", s => s.Compat() > 0 ? VfioUnmap(size: 0) : null!),
            Case(
                VfioUnmapName,
                EINVAL,
                "a cut under an access",
                s =>
                {
                    var ioas = PageByPage(s);
                    s.Do(Map(ioas));
                    s.Do(
                        new TestAccessPages
                        {
                            AccessFd = s.Access(ioas),
                            Iova = MappedAt,
                            Length = 1,
                        }
                    );
                    return VfioUnmap(MappedAt + 0x1000, 0x1000);
                }
            ),
            Case(
                VfioUnmapName,
                EINVAL,
                "a cut inside a page",
                s => After(s.Do(Map(PageByPage(s))), VfioUnmap(MappedAt, 0x1800))
            ),
            Case(VfioUnmapName, ENODEV, "no IOAS", _ => VfioUnmap()),
            Case(VfioUnmapName, ENOENT, "a part", s => After(s.Do(Map(s.Compat())), VfioUnmap(MappedAt, 0x1000))),
            Case(VfioUnmapName, EOVERFLOW, "wraps", s => s.Compat() > 0 ? VfioUnmap(ulong.MaxValue, 2) : null!),
            Case(
                VfioUnmapName,
                EBUSY,
                "hardware queue",
                s =>
                {
                    s.Do(new VfioIoas { Op = VfioIoasOp.Set, IoasId = Queued(s).Ioas });
                    return VfioUnmap();
                }
            ),
            Case(
                VfioUnmapName,
                EOPNOTSUPP,
                "a cut through a dma-buf",
                s => After(s.Do(MapFile(PageByPage(s), s.Dmabuf())), VfioUnmap(MappedAt, 0x1000))
            ),
            Held(VfioUnmapName, EDEADLK, "an access holds on", s => HeldOn(s, VfioUnmap())) with
            {
                Changes = true,
            },
        ];

    private static uint PageByPage(ErrnoStage stage)
    {
        var ioas = stage.Compat();
        stage.Do(new VfioSetIommu { Type = VfioExtension.Type1 });
        return ioas;
    }

    private static IEnumerable<ErrnoCase> Descriptors() =>
        [
            Case("ReadFaultQueue", ESPIPE, "count", s => new ReadFaultQueue(s.WaitingFault(), Scratch, 39)),
            Case("ReadFaultQueue", EINVAL, "no room", s => new ReadFaultQueue(s.WaitingFault(), Scratch, 0)),
            Case("ReadFaultQueue", EFAULT, "buffer", s => new ReadFaultQueue(s.WaitingFault(), Nowhere, 40)),
            Case("ReadFaultQueue", ENOENT, "unused", _ => new ReadFaultQueue(NoId, Scratch, 40)),
            Case("WriteFaultQueue", ESPIPE, "count", s => new WriteFaultQueue(s.WaitingFault(), Scratch, 7)),
            Case("WriteFaultQueue", EINVAL, "code 2", s => Respond(s, 1, 2)),
            Case("WriteFaultQueue", EINVAL, "cookie", s => Respond(s, 1, 0)),
            Case("WriteFaultQueue", EFAULT, "responses", s => new WriteFaultQueue(s.WaitingFault(), Nowhere, 8)),
            Case("WriteFaultQueue", ENOENT, "unused", _ => new WriteFaultQueue(NoId, Scratch, 8)),
            Case("PollFaultQueue", ENOENT, "unused", _ => new PollFaultQueue(NoId)),
            Case("CloseFaultQueue", ENOENT, "unused", _ => new CloseFaultQueue(NoId)),
            Case("ReadVeventq", EINVAL, "less than a header", s => new ReadVeventq(s.WaitingEvent(), Scratch, 7)),
            Case("ReadVeventq", EINVAL, "no room for the event", s => new ReadVeventq(s.WaitingEvent(), Scratch, 11)),
            Case("ReadVeventq", EFAULT, "buffer", s => new ReadVeventq(s.WaitingEvent(), Nowhere, 12)),
            Case("ReadVeventq", ENOENT, "unused", _ => new ReadVeventq(NoId, Scratch, 12)),
            Case("PollVeventq", ENOENT, "unused", _ => new PollVeventq(NoId)),
            Case("CloseVeventq", ENOENT, "unused", _ => new CloseVeventq(NoId)),
            Case("MapWindow", EINVAL, "private", s => Window(s) with { Shared = false, Executable = true }),
            Case("MapWindow", EINVAL, "half a page", s => Window(s) with { Length = 0x800 }),
            Case("MapWindow", EPERM, "executable", s => Window(s) with { Executable = true, Offset = 0 }),
            Case("MapWindow", ENXIO, "another place", s => Window(s) with { Offset = 0x2000 }),
            Case("MapWindow", ENXIO, "a part", s => Window(s) with { Length = 0x1000 }),
            Case(
                "UnmapWindow",
                EINVAL,
                "not mapped",
                s => Window(s) is var w ? new UnmapWindow(w.Offset, w.Length) : null!
            ),
        ];

    private static WriteFaultQueue Respond(ErrnoStage stage, uint cookie, uint code)
    {
        var fault = stage.WaitingFault();
        stage.Put(Scratch, cookie, code);
        return new WriteFaultQueue(fault, Scratch, 8);
    }

    private static MapWindow Window(ErrnoStage stage)
    {
        stage.Do(ViommuOf(stage.Nesting()) with { DataLen = 24, DataUptr = Scratch });
        return new MapWindow(0x1000, 0x2000, Executable: false, Shared: true);
    }

    private static IEnumerable<ErrnoCase> Devices() =>
        [
            Case("BindDevice", ENODEV, "unknown", _ => new BindDevice("toaster")),
            Case("BindDevice", EBUSY, "bound", s => s.Bind("nic") > 0 ? new BindDevice("nic") : null!),
            Case("UnbindDevice", ENOENT, "no DEVICE", _ => new UnbindDevice(NoId)),
            Case("UnbindDevice", ENOENT, "a mock device's", s => new UnbindDevice(s.Attached().Mock.OutIdevId)),
            Case("AttachDevice", ENOENT, "no DEVICE", s => new AttachDevice(NoId, s.Ioas())),
            Case("AttachDevice", ENOENT, "unused", s => new AttachDevice(s.Bind("nic"), NoId)),
            Case("AttachDevice", EINVAL, "a DEVICE", s => s.Bind("nic") is var d ? new AttachDevice(d, d) : null!),
            Case(
                "AttachDevice",
                EINVAL,
                "another HWPT than the group's",
                s =>
                {
                    s.Do(new AttachDevice(s.Bind("nic"), s.Ioas()));
                    return new AttachDevice(s.Bind("twin"), s.Ioas());
                }
            ),
            Case(
                "AttachDevice",
                EINVAL,
                "a HWPT of another unit",
                s => new AttachDevice(s.Bind("nic"), Tracked(s).Hwpt)
            ),
            Case("AttachDevice", EBUSY, "attached", s => s.Do(new AttachDevice(s.Bind("nic"), s.Ioas()))),
            Case(
                "AttachDevice",
                EADDRINUSE,
                "reserved region",
                s => new AttachDevice(s.Bind("disk"), s.Do(Map(s.Ioas(), 0x10_0000)).IoasId)
            ),
            Case("AttachDevice", EFAULT, "no pages", s => new AttachDevice(s.Bind("nic"), Unfillable(s))),
            Case("AttachDevice", ENOMEM, "limit", s => new AttachDevice(s.Bind("nic"), Unaffordable(s))),
            Case("ReplaceDevice", ENOENT, "no DEVICE", s => new ReplaceDevice(NoId, s.Ioas())),
            Case("ReplaceDevice", ENOENT, "unused", s => Replace(s, NoId)),
            Case("ReplaceDevice", EINVAL, "not attached", s => new ReplaceDevice(s.Bind("nic"), s.Ioas())),
            Case("ReplaceDevice", EINVAL, "a HWPT of another unit", s => Replace(s, Tracked(s).Hwpt)),
            Case(
                "ReplaceDevice",
                EADDRINUSE,
                "reserved region",
                s => Replace(s, s.Do(Map(s.Ioas(), 0x10_0000)).IoasId)
            ),
            Case("ReplaceDevice", EFAULT, "no pages", s => Replace(s, Unfillable(s))),
            Case("ReplaceDevice", ENOMEM, "limit", s => Replace(s, Unaffordable(s))),
            Case("DetachDevice", ENOENT, "no DEVICE", _ => new DetachDevice(NoId)),
        ];

    private static ReplaceDevice Replace(ErrnoStage stage, uint ptId)
    {
        var device = stage.Bind("disk");
        stage.Do(new AttachDevice(device, stage.Ioas()));
        return new ReplaceDevice(device, ptId);
    }
}
