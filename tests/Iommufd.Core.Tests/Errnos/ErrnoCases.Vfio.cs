using Iommufd.Messages;
using Iommufd.Messages.Commands;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;
using static Iommufd.Messages.Errno;

namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoCases
{
    private const string VfioBindName = "VFIO_DEVICE_BIND_IOMMUFD";
    private const string VfioAttachName = "VFIO_DEVICE_ATTACH_IOMMUFD_PT";
    private const string VfioDetachName = "VFIO_DEVICE_DETACH_IOMMUFD_PT";
    private const string VfioDeviceInfoName = "VFIO_DEVICE_GET_INFO";

    private static IEnumerable<ErrnoCase> VfioDevices() =>
        [
            .. VfioBinds(),
            .. VfioAttaches(),
            .. VfioDescriptors(),
            Case(VfioDetachName, EINVAL, "not bound", s => VfioDetach(s.Cdev("nic"))),
            Case(VfioDetachName, EINVAL, "flag", s => VfioDetach(s.BoundCdev("nic")) with { Flags = 2 }),
            Case(
                VfioDetachName,
                EINVAL,
                "no room for the PASID",
                s => VfioDetach(s.BoundCdev("nic")) with { Flags = 1, ArgSz = 8 }
            ),
            Case(
                VfioDeviceInfoName,
                EINVAL,
                "not bound",
                s => new VfioDeviceGetInfo { Descriptor = s.Cdev("nic"), ArgSz = 24 }
            ),
            Case(
                VfioDeviceInfoName,
                ENOTTY,
                "bound",
                s => new VfioDeviceGetInfo { Descriptor = s.BoundCdev("nic"), ArgSz = 24 }
            ),
            Case("AttachDevice", EBUSY, "VFIO's", s => new AttachDevice(s.VfioDevice("nic"), s.Ioas())),
            Case("ReplaceDevice", EBUSY, "VFIO's", s => new ReplaceDevice(s.VfioDevice("nic"), s.Ioas())),
            Case("DetachDevice", EBUSY, "VFIO's", s => new DetachDevice(s.VfioDevice("nic"))),
            Case("UnbindDevice", EBUSY, "VFIO's", s => new UnbindDevice(s.VfioDevice("nic"))),
            Case("IOMMU_FAULT_QUEUE_ALLOC", EMFILE, "no descriptor", s => NoneFree(s, new FaultQueueAlloc())),
            Case(
                "IOMMU_VEVENTQ_ALLOC",
                EMFILE,
                "no descriptor",
                s =>
                    NoneFree(
                        s,
                        new VeventqAlloc
                        {
                            ViommuId = s.Viommu(s.Nesting()),
                            Type = VeventqType.Selftest,
                            VeventqDepth = 2,
                        }
                    )
            ),
            Case(
                "IOMMU_TEST_OP_CREATE_ACCESS",
                ENOMEM,
                "no descriptor, before the IOAS",
                s => NoneFree(s, new TestCreateAccess { IoasId = NoId })
            ),
            Case(
                "IOMMU_TEST_OP_DMABUF_GET",
                EMFILE,
                "no descriptor",
                s => NoneFree(s, new TestDmabufGet { Length = 0x1000 })
            ),
        ];

    private static IEnumerable<ErrnoCase> VfioBinds() =>
        [
            Case(VfioBindName, EINVAL, "flag", s => VfioBind(s, s.Cdev("nic")) with { Flags = 2 }),
            Case(VfioBindName, EINVAL, "negative", s => VfioBind(s, s.Cdev("nic")) with { Iommufd = -1 }),
            Case(VfioBindName, EINVAL, "bound", s => VfioBind(s, s.BoundCdev("nic"))),
            Case(
                VfioBindName,
                EINVAL,
                "bound, before the iommufd",
                s => VfioBind(s, s.BoundCdev("nic")) with { Iommufd = 999 }
            ),
            Case(
                VfioBindName,
                EINVAL,
                "another open is bound",
                s => s.BoundCdev("nic") > 0 ? VfioBind(s, s.Cdev("nic")) : null!
            ),
            Case(
                VfioBindName,
                EINVAL,
                "a token, before the iommufd",
                s => VfioBind(s, s.Cdev("nic")) with { Flags = VfioDeviceBindIommufd.Token, Iommufd = 999 }
            ),
            Case(VfioBindName, EBADF, "not open", s => VfioBind(s, s.Cdev("nic")) with { Iommufd = 999 }),
            Case(
                VfioBindName,
                EBADF,
                "not open, though another open is bound",
                s => s.BoundCdev("nic") > 0 ? VfioBind(s, s.Cdev("nic")) with { Iommufd = 999 } : null!
            ),
            Case(VfioBindName, EBADFD, "a file", s => VfioBind(s, s.Cdev("nic")) with { Iommufd = s.File() }),
            Case(
                VfioBindName,
                EBADFD,
                "itself",
                s => s.Cdev("nic") is var c ? VfioBind(s, c) with { Iommufd = c } : null!
            ),
            Held(
                VfioBindName,
                ENODEV,
                "removed",
                s =>
                {
                    var cdev = s.Cdev("nic");
                    s.Machine.RemoveDevice("nic");
                    return VfioBind(s, cdev);
                }
            ),
            Case(VfioBindName, EBUSY, "a driver's", s => s.Bind("nic") > 0 ? VfioBind(s, s.Cdev("nic")) : null!),
        ];

    private static IEnumerable<ErrnoCase> VfioAttaches() =>
        [
            Case(VfioAttachName, EINVAL, "not bound", s => VfioAttach(s.Cdev("nic"), s.Ioas())),
            Case(VfioAttachName, EINVAL, "flag", s => VfioAttach(s.BoundCdev("nic"), s.Ioas()) with { Flags = 2 }),
            Case(
                VfioAttachName,
                EINVAL,
                "no room for the PASID",
                s => VfioAttach(s.BoundCdev("nic"), s.Ioas(), 1) with { ArgSz = 12 }
            ),
            Case(VfioAttachName, EINVAL, "a DEVICE", s => s.BoundCdev("nic") is var c ? VfioAttach(c, 1) : null!),
            Case(VfioAttachName, EINVAL, "an IOAS for a PASID", s => VfioAttach(s.BoundCdev("nic"), s.Ioas(), 1)),
            Case(
                VfioAttachName,
                EINVAL,
                "replace by a HWPT of another unit",
                s => VfioAttach(s.AttachedCdev("nic"), Tracked(s).Hwpt)
            ),
            Case(VfioAttachName, ENOSPC, "PASID", s => VfioAttach(s.BoundCdev("nic"), NoId, 1u << 31)),
            Case(VfioAttachName, ENOENT, "unused", s => VfioAttach(s.BoundCdev("nic"), NoId)),
            Case(VfioAttachName, ENOENT, "replace by what is unused", s => VfioAttach(s.AttachedCdev("nic"), NoId)),
            Case(VfioAttachName, EBUSY, "PASID 0", s => VfioAttach(s.AttachedCdev("nic"), s.Ioas(), 0)),
            Case(
                VfioAttachName,
                EADDRINUSE,
                "reserved region",
                s => VfioAttach(s.BoundCdev("disk"), s.Do(Map(s.Ioas(), 0x10_0000)).IoasId)
            ),
            Case(VfioAttachName, EFAULT, "no pages", s => VfioAttach(s.BoundCdev("nic"), Unfillable(s))),
            Case(VfioAttachName, ENOMEM, "limit", s => VfioAttach(s.BoundCdev("nic"), Unaffordable(s))),
        ];

    private static IEnumerable<ErrnoCase> VfioDescriptors() =>
        [
            Case("OpenVfioDevice", EMFILE, "before the name", s => NoneFree(s, new OpenVfioDevice("toaster"))),
            Case("OpenVfioDevice", ENOENT, "unknown", _ => new OpenVfioDevice("toaster")),
            Case("DuplicateVfioDevice", EBADF, "not open", _ => new DuplicateVfioDevice(999)),
            Case("DuplicateVfioDevice", EBADF, "a file", s => new DuplicateVfioDevice(s.File())),
            Case("DuplicateVfioDevice", EMFILE, "none free", s => NoneFree(s, new DuplicateVfioDevice(s.Cdev("nic")))),
            Case("CloseVfioDevice", EBADF, "not open", _ => new CloseVfioDevice(999)),
            Case("CloseVfioDevice", EBADF, "a file", s => new CloseVfioDevice(s.File())),
            Case("UnbindVfioDevice", ENOENT, "a driver's", s => new UnbindVfioDevice(s.Bind("nic"))),
            Case("UnbindVfioDevice", ENOENT, "unused", _ => new UnbindVfioDevice(NoId)),
        ];

    // The iommufd itself is open before.
    private static T NoneFree<T>(ErrnoStage stage, T command)
        where T : IoctlCommand
    {
        stage.NextId();
        stage.Client.Memory.RlimitOpenFiles = 3;
        return command;
    }

    private static VfioDeviceBindIommufd VfioBind(ErrnoStage stage, int cdev) => stage.BindCommand(cdev);

    private static VfioDeviceAttachIommufdPt VfioAttach(int cdev, uint ptId, uint? pasid = null) =>
        AttachCommand(cdev, ptId, pasid);

    private static VfioDeviceDetachIommufdPt VfioDetach(int cdev) =>
        new() { Descriptor = cdev, ArgSz = VfioDeviceDetachIommufdPt.PasidSize };
}
