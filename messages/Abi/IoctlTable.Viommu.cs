using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

public static partial class IoctlTable
{
    private static IEnumerable<IoctlDeclaration> ViommuPart() =>
        [
            Sized<ViommuAlloc>("IOMMU_VIOMMU_ALLOC", 0x90, size: 40, min: 24)
                .In("flags", 4, 4, c => c.Flags)
                .In("type", 8, 4, c => c.Type)
                .In("dev_id", 12, 4, c => c.DevId)
                .In("hwpt_id", 16, 4, c => c.HwptId)
                .Out("out_viommu_id", 20, 4, c => c.OutViommuId)
                .In("data_len", 24, 4, c => c.DataLen)
                .Reserved("__reserved", 28, 4, c => c.Reserved)
                .In("data_uptr", 32, 8, c => c.DataUptr)
                .UndoneByFault()
                .Makes(v => new ViommuAlloc
                {
                    Flags = v.U32(0),
                    Type = v.U32(1),
                    DevId = v.U32(2),
                    HwptId = v.U32(3),
                    OutViommuId = v.U32(4),
                    DataLen = v.U32(5),
                    Reserved = v.U32(6),
                    DataUptr = v.U64(7),
                }),
            Sized<VdeviceAlloc>("IOMMU_VDEVICE_ALLOC", 0x91, size: 24)
                .In("viommu_id", 4, 4, c => c.ViommuId)
                .In("dev_id", 8, 4, c => c.DevId)
                .Out("out_vdevice_id", 12, 4, c => c.OutVdeviceId)
                .In("virt_id", 16, 8, c => c.VirtId)
                .UndoneByFault()
                .Makes(v => new VdeviceAlloc
                {
                    ViommuId = v.U32(0),
                    DevId = v.U32(1),
                    OutVdeviceId = v.U32(2),
                    VirtId = v.U64(3),
                }),
            Sized<VeventqAlloc>("IOMMU_VEVENTQ_ALLOC", 0x93, size: 32, min: 28)
                .In("flags", 4, 4, c => c.Flags)
                .In("viommu_id", 8, 4, c => c.ViommuId)
                .In("type", 12, 4, c => c.Type)
                .In("veventq_depth", 16, 4, c => c.VeventqDepth)
                .Out("out_veventq_id", 20, 4, c => c.OutVeventqId)
                .Out("out_veventq_fd", 24, 4, c => (uint)c.OutVeventqFd)
                .Reserved("__reserved", 28, 4, c => c.Reserved)
                .UndoneByFault()
                .Makes(v => new VeventqAlloc
                {
                    Flags = v.U32(0),
                    ViommuId = v.U32(1),
                    Type = v.U32(2),
                    VeventqDepth = v.U32(3),
                    OutVeventqId = v.U32(4),
                    OutVeventqFd = v.I32(5),
                    Reserved = v.U32(6),
                }),
            Sized<HwQueueAlloc>("IOMMU_HW_QUEUE_ALLOC", 0x94, size: 40)
                .In("flags", 4, 4, c => c.Flags)
                .In("viommu_id", 8, 4, c => c.ViommuId)
                .In("type", 12, 4, c => c.Type)
                .In("index", 16, 4, c => c.Index)
                .Out("out_hw_queue_id", 20, 4, c => c.OutHwQueueId)
                .In("nesting_parent_iova", 24, 8, c => c.NestingParentIova)
                .In("length", 32, 8, c => c.Length)
                .UndoneByFault()
                .Makes(v => new HwQueueAlloc
                {
                    Flags = v.U32(0),
                    ViommuId = v.U32(1),
                    Type = v.U32(2),
                    Index = v.U32(3),
                    OutHwQueueId = v.U32(4),
                    NestingParentIova = v.U64(5),
                    Length = v.U64(6),
                }),
        ];
}
