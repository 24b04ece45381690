using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

public static partial class IoctlTable
{
    private static IEnumerable<IoctlDeclaration> IoasPart() =>
        [
            Sized<Destroy>("IOMMU_DESTROY", 0x80, size: 8)
                .In("id", 4, 4, c => c.Id)
                .Makes(v => new Destroy { Id = v.U32(0) }),
            Sized<IoasAlloc>("IOMMU_IOAS_ALLOC", 0x81, size: 12)
                .In("flags", 4, 4, c => c.Flags)
                .Out("out_ioas_id", 8, 4, c => c.OutIoasId)
                .UndoneByFault()
                .Makes(v => new IoasAlloc { Flags = v.U32(0), OutIoasId = v.U32(1) }),
            Sized<IoasAllowIovas>("IOMMU_IOAS_ALLOW_IOVAS", 0x82, size: 24)
                .In("ioas_id", 4, 4, c => c.IoasId)
                .In("num_iovas", 8, 4, c => c.NumIovas)
                .Reserved("__reserved", 12, 4, c => c.Reserved)
                .In("allowed_iovas", 16, 8, c => c.AllowedIovas)
                .Makes(v => new IoasAllowIovas
                {
                    IoasId = v.U32(0),
                    NumIovas = v.U32(1),
                    Reserved = v.U32(2),
                    AllowedIovas = v.U64(3),
                }),
            Sized<IoasCopy>("IOMMU_IOAS_COPY", 0x83, size: 40)
                .In("flags", 4, 4, c => (uint)c.Flags)
                .In("dst_ioas_id", 8, 4, c => c.DstIoasId)
                .In("src_ioas_id", 12, 4, c => c.SrcIoasId)
                .In("length", 16, 8, c => c.Length)
                .InOut("dst_iova", 24, 8, c => c.DstIova)
                .In("src_iova", 32, 8, c => c.SrcIova)
                .Makes(v => new IoasCopy
                {
                    Flags = (IoasMapFlags)v.U32(0),
                    DstIoasId = v.U32(1),
                    SrcIoasId = v.U32(2),
                    Length = v.U64(3),
                    DstIova = v.U64(4),
                    SrcIova = v.U64(5),
                }),
            Sized<IoasIovaRanges>("IOMMU_IOAS_IOVA_RANGES", 0x84, size: 32)
                .In("ioas_id", 4, 4, c => c.IoasId)
                .InOut("num_iovas", 8, 4, c => c.NumIovas)
                .Reserved("__reserved", 12, 4, c => c.Reserved)
                .In("allowed_iovas", 16, 8, c => c.AllowedIovas)
                .Out("out_iova_alignment", 24, 8, c => c.OutIovaAlignment)
                .Makes(v => new IoasIovaRanges
                {
                    IoasId = v.U32(0),
                    NumIovas = v.U32(1),
                    Reserved = v.U32(2),
                    AllowedIovas = v.U64(3),
                    OutIovaAlignment = v.U64(4),
                }),
            MapCommand(),
            Sized<IoasUnmap>("IOMMU_IOAS_UNMAP", 0x86, size: 24)
                .In("ioas_id", 4, 4, c => c.IoasId)
                .In("iova", 8, 8, c => c.Iova)
                .InOut("length", 16, 8, c => c.Length)
                .Makes(v => new IoasUnmap
                {
                    IoasId = v.U32(0),
                    Iova = v.U64(1),
                    Length = v.U64(2),
                }),
            OptionCommand(),
            Sized<VfioIoas>("IOMMU_VFIO_IOAS", 0x88, size: 12)
                .InOut("ioas_id", 4, 4, c => c.IoasId)
                .In("op", 8, 2, c => c.Op)
                .Reserved("__reserved", 10, 2, c => c.Reserved)
                .Makes(v => new VfioIoas
                {
                    IoasId = v.U32(0),
                    Op = v.U16(1),
                    Reserved = v.U16(2),
                }),
            MapFileCommand(),
            Sized<IoasChangeProcess>("IOMMU_IOAS_CHANGE_PROCESS", 0x92, size: 8)
                .Reserved("__reserved", 4, 4, c => c.Reserved)
                .Makes(v => new IoasChangeProcess { Reserved = v.U32(0) }),
        ];

    private static IoctlDeclaration MapCommand() =>
        Sized<IoasMap>("IOMMU_IOAS_MAP", 0x85, size: 40)
            .In("flags", 4, 4, c => (uint)c.Flags)
            .In("ioas_id", 8, 4, c => c.IoasId)
            .Reserved("__reserved", 12, 4, c => c.Reserved)
            .In("user_va", 16, 8, c => c.UserVa)
            .In("length", 24, 8, c => c.Length)
            .InOut("iova", 32, 8, c => c.Iova)
            .Makes(v => new IoasMap
            {
                Flags = (IoasMapFlags)v.U32(0),
                IoasId = v.U32(1),
                Reserved = v.U32(2),
                UserVa = v.U64(3),
                Length = v.U64(4),
                Iova = v.U64(5),
            });

    private static IoctlDeclaration MapFileCommand() =>
        Sized<IoasMapFile>("IOMMU_IOAS_MAP_FILE", 0x8f, size: 40)
            .In("flags", 4, 4, c => (uint)c.Flags)
            .In("ioas_id", 8, 4, c => c.IoasId)
            .In("fd", 12, 4, c => (uint)c.Fd)
            .In("start", 16, 8, c => c.Start)
            .In("length", 24, 8, c => c.Length)
            .InOut("iova", 32, 8, c => c.Iova)
            .Makes(v => new IoasMapFile
            {
                Flags = (IoasMapFlags)v.U32(0),
                IoasId = v.U32(1),
                Fd = v.I32(2),
                Start = v.U64(3),
                Length = v.U64(4),
                Iova = v.U64(5),
            });

    // The kernel stores the value through the struct's member, so the rest of the struct is never written.
    private static IoctlDeclaration OptionCommand() =>
        Sized<Option>("IOMMU_OPTION", 0x87, size: 24)
            .In("option_id", 4, 4, c => c.OptionId)
            .In("op", 8, 2, c => c.Op)
            .Reserved("__reserved", 10, 2, c => c.Reserved)
            .In("object_id", 12, 4, c => c.ObjectId)
            .InOut("val64", 16, 8, c => c.Val64)
            .WritesBackOnly(16, 8)
            .Makes(v => new Option
            {
                OptionId = v.U32(0),
                Op = v.U16(1),
                Reserved = v.U16(2),
                ObjectId = v.U32(3),
                Val64 = v.U64(4),
            });
}
