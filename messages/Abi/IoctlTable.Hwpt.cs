using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

public static partial class IoctlTable
{
    private static IEnumerable<IoctlDeclaration> HwptPart() =>
        [
            HwptAllocCommand(),
            HwInfoCommand(),
            Sized<HwptSetDirtyTracking>("IOMMU_HWPT_SET_DIRTY_TRACKING", 0x8b, size: 16)
                .In("flags", 4, 4, c => c.Flags)
                .In("hwpt_id", 8, 4, c => c.HwptId)
                .Reserved("__reserved", 12, 4, c => c.Reserved)
                .Makes(v => new HwptSetDirtyTracking
                {
                    Flags = v.U32(0),
                    HwptId = v.U32(1),
                    Reserved = v.U32(2),
                }),
            Sized<HwptGetDirtyBitmap>("IOMMU_HWPT_GET_DIRTY_BITMAP", 0x8c, size: 48)
                .In("hwpt_id", 4, 4, c => c.HwptId)
                .In("flags", 8, 4, c => c.Flags)
                .Reserved("__reserved", 12, 4, c => c.Reserved)
                .In("iova", 16, 8, c => c.Iova)
                .In("length", 24, 8, c => c.Length)
                .In("page_size", 32, 8, c => c.PageSize)
                .In("data", 40, 8, c => c.Data)
                .Makes(v => new HwptGetDirtyBitmap
                {
                    HwptId = v.U32(0),
                    Flags = v.U32(1),
                    Reserved = v.U32(2),
                    Iova = v.U64(3),
                    Length = v.U64(4),
                    PageSize = v.U64(5),
                    Data = v.U64(6),
                }),
            Sized<HwptInvalidate>("IOMMU_HWPT_INVALIDATE", 0x8d, size: 32)
                .In("hwpt_id", 4, 4, c => c.HwptId)
                .In("data_uptr", 8, 8, c => c.DataUptr)
                .In("data_type", 16, 4, c => c.DataType)
                .In("entry_len", 20, 4, c => c.EntryLen)
                .InOut("entry_num", 24, 4, c => c.EntryNum)
                .Reserved("__reserved", 28, 4, c => c.Reserved)
                .Makes(v => new HwptInvalidate
                {
                    HwptId = v.U32(0),
                    DataUptr = v.U64(1),
                    DataType = v.U32(2),
                    EntryLen = v.U32(3),
                    EntryNum = v.U32(4),
                    Reserved = v.U32(5),
                }),
            Sized<FaultQueueAlloc>("IOMMU_FAULT_QUEUE_ALLOC", 0x8e, size: 16)
                .In("flags", 4, 4, c => c.Flags)
                .Out("out_fault_id", 8, 4, c => c.OutFaultId)
                .Out("out_fault_fd", 12, 4, c => (uint)c.OutFaultFd)
                .UndoneByFault()
                .Makes(v => new FaultQueueAlloc
                {
                    Flags = v.U32(0),
                    OutFaultId = v.U32(1),
                    OutFaultFd = v.I32(2),
                }),
        ];

    private static IoctlDeclaration HwptAllocCommand() =>
        Sized<HwptAlloc>("IOMMU_HWPT_ALLOC", 0x89, size: 48, min: 24)
            .In("flags", 4, 4, c => (uint)c.Flags)
            .In("dev_id", 8, 4, c => c.DevId)
            .In("pt_id", 12, 4, c => c.PtId)
            .Out("out_hwpt_id", 16, 4, c => c.OutHwptId)
            .Reserved("__reserved", 20, 4, c => c.Reserved)
            .In("data_type", 24, 4, c => c.DataType)
            .In("data_len", 28, 4, c => c.DataLen)
            .In("data_uptr", 32, 8, c => c.DataUptr)
            .In("fault_id", 40, 4, c => c.FaultId)
            .Reserved("__reserved2", 44, 4, c => c.Reserved2)
            .UndoneByFault()
            .Makes(v => new HwptAlloc
            {
                Flags = (HwptAllocFlags)v.U32(0),
                DevId = v.U32(1),
                PtId = v.U32(2),
                OutHwptId = v.U32(3),
                Reserved = v.U32(4),
                DataType = v.U32(5),
                DataLen = v.U32(6),
                DataUptr = v.U64(7),
                FaultId = v.U32(8),
                Reserved2 = v.U32(9),
            });

    private static IoctlDeclaration HwInfoCommand() =>
        Sized<GetHwInfo>("IOMMU_GET_HW_INFO", 0x8a, size: 40, min: 32)
            .In("flags", 4, 4, c => (uint)c.Flags)
            .In("dev_id", 8, 4, c => c.DevId)
            .InOut("data_len", 12, 4, c => c.DataLen)
            .In("data_uptr", 16, 8, c => c.DataUptr)
            .InOut("out_data_type", 24, 4, c => c.DataType) // the caller's in_data_type is the same word
            .Out("out_max_pasid_log2", 28, 1, c => c.OutMaxPasidLog2)
            .Reserved("__reserved", 29, 3, c => c.Reserved)
            .Out("out_capabilities", 32, 8, c => (ulong)c.OutCapabilities)
            .Makes(v => new GetHwInfo
            {
                Flags = (HwInfoFlags)v.U32(0),
                DevId = v.U32(1),
                DataLen = v.U32(2),
                DataUptr = v.U64(3),
                DataType = v.U32(4),
                OutMaxPasidLog2 = v.U8(5),
                Reserved = v.U32(6),
                OutCapabilities = (HwCapabilities)v.U64(7),
            });
}
