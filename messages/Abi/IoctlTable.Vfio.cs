using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

public static partial class IoctlTable
{
    private static IEnumerable<IoctlDeclaration> VfioContainerPart() =>
        [
            Number<VfioGetApiVersion>("VFIO_GET_API_VERSION", 0x64).Makes(_ => new VfioGetApiVersion()),
            Number<VfioCheckExtension>("VFIO_CHECK_EXTENSION", 0x65)
                .Makes(v => new VfioCheckExtension { Extension = v.Argument }),
            Number<VfioSetIommu>("VFIO_SET_IOMMU", 0x66).Makes(v => new VfioSetIommu { Type = v.Argument }),
            Vfio<VfioIommuGetInfo>("VFIO_IOMMU_GET_INFO", 0x70, size: 24, min: 16)
                .InOut("argsz", 0, 4, c => c.ArgSz)
                .Out("flags", 4, 4, c => c.Flags)
                .Out("iova_pgsizes", 8, 8, c => c.IovaPgSizes)
                .Out("cap_offset", 16, 4, c => c.CapOffset)
                .Reserved("pad", 20, 4, _ => 0)
                .Makes(v => new VfioIommuGetInfo
                {
                    Argument = v.Argument,
                    ArgSz = v.U32(0),
                    Flags = v.U32(1),
                    IovaPgSizes = v.U64(2),
                    CapOffset = v.U32(3),
                }),
            Vfio<VfioIommuMapDma>("VFIO_IOMMU_MAP_DMA", 0x71, size: 32, min: 32)
                .In("argsz", 0, 4, c => c.ArgSz)
                .In("flags", 4, 4, c => (uint)c.Flags)
                .In("vaddr", 8, 8, c => c.Vaddr)
                .In("iova", 16, 8, c => c.Iova)
                .In("size", 24, 8, c => c.Size)
                .Makes(v => new VfioIommuMapDma
                {
                    ArgSz = v.U32(0),
                    Flags = (VfioMapFlags)v.U32(1),
                    Vaddr = v.U64(2),
                    Iova = v.U64(3),
                    Size = v.U64(4),
                }),
            Vfio<VfioIommuUnmapDma>("VFIO_IOMMU_UNMAP_DMA", 0x72, size: 24, min: 24)
                .In("argsz", 0, 4, c => c.ArgSz)
                .In("flags", 4, 4, c => (uint)c.Flags)
                .In("iova", 8, 8, c => c.Iova)
                .InOut("size", 16, 8, c => c.Size)
                .Makes(v => new VfioIommuUnmapDma
                {
                    ArgSz = v.U32(0),
                    Flags = (VfioUnmapFlags)v.U32(1),
                    Iova = v.U64(2),
                    Size = v.U64(3),
                }),
            Number<VfioIommuDirtyPages>("VFIO_IOMMU_DIRTY_PAGES", 0x75)
                .Makes(v => new VfioIommuDirtyPages { Argument = v.Argument }),
        ];

    private static IEnumerable<IoctlDeclaration> VfioDevicePart() =>
        [
            Vfio<VfioDeviceGetInfo>("VFIO_DEVICE_GET_INFO", 0x6b, size: 24, min: 16)
                .InOut("argsz", 0, 4, c => c.ArgSz)
                .Out("flags", 4, 4, c => c.Flags)
                .Out("num_regions", 8, 4, c => c.NumRegions)
                .Out("num_irqs", 12, 4, c => c.NumIrqs)
                .Out("cap_offset", 16, 4, c => c.CapOffset)
                .Reserved("pad", 20, 4, _ => 0)
                .Makes(v => new VfioDeviceGetInfo
                {
                    Argument = v.Argument,
                    ArgSz = v.U32(0),
                    Flags = v.U32(1),
                    NumRegions = v.U32(2),
                    NumIrqs = v.U32(3),
                    CapOffset = v.U32(4),
                }),
            Vfio<VfioDeviceBindIommufd>("VFIO_DEVICE_BIND_IOMMUFD", 0x76, size: 24, min: 16)
                .In("argsz", 0, 4, c => c.ArgSz)
                .In("flags", 4, 4, c => c.Flags)
                .In("iommufd", 8, 4, c => (uint)c.Iommufd)
                .Out("out_devid", 12, 4, c => c.OutDevId)
                .In("token_uuid_ptr", 16, 8, c => c.TokenUuidPtr)
                .ChecksTail()
                .WritesBackOnly(12, 4)
                .UndoneByFault()
                .Makes(v => new VfioDeviceBindIommufd
                {
                    ArgSz = v.U32(0),
                    Flags = v.U32(1),
                    Iommufd = v.I32(2),
                    OutDevId = v.U32(3),
                    TokenUuidPtr = v.U64(4),
                }),
            Vfio<VfioDeviceAttachIommufdPt>("VFIO_DEVICE_ATTACH_IOMMUFD_PT", 0x77, size: 16, min: 12)
                .In("argsz", 0, 4, c => c.ArgSz)
                .In("flags", 4, 4, c => c.Flags)
                .InOut("pt_id", 8, 4, c => c.PtId)
                .In("pasid", 12, 4, c => c.Pasid)
                .ExtendedByFlag(VfioDeviceAttachIommufdPt.AttachPasid)
                .WritesBackOnly(8, 4)
                .UndoneByFault()
                .Makes(v => new VfioDeviceAttachIommufdPt
                {
                    ArgSz = v.U32(0),
                    Flags = v.U32(1),
                    PtId = v.U32(2),
                    Pasid = v.U32(3),
                }),
            Vfio<VfioDeviceDetachIommufdPt>("VFIO_DEVICE_DETACH_IOMMUFD_PT", 0x78, size: 12, min: 8)
                .In("argsz", 0, 4, c => c.ArgSz)
                .In("flags", 4, 4, c => c.Flags)
                .In("pasid", 8, 4, c => c.Pasid)
                .ExtendedByFlag(VfioDeviceDetachIommufdPt.DetachPasid)
                .Makes(v => new VfioDeviceDetachIommufdPt
                {
                    ArgSz = v.U32(0),
                    Flags = v.U32(1),
                    Pasid = v.U32(2),
                }),
        ];

    private static IoctlLayout<T> Vfio<T>(string name, byte number, int size, int min)
        where T : IoctlCommand => new(name, number, IoctlArgument.VfioStruct, min, size);

    private static IoctlLayout<T> Number<T>(string name, byte number)
        where T : IoctlCommand => new(name, number, IoctlArgument.Value, 0, 0);
}
