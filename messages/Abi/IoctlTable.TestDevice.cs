using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

public static partial class IoctlTable
{
    private static IEnumerable<IoctlDeclaration> TestDevicePart() =>
        [
            Test<TestMockDomainFlags>("MOCK_DOMAIN_FLAGS", 12, c => c.PtId)
                .Out("out_stdev_id", 16, 4, c => c.OutStdevId)
                .Out("out_hwpt_id", 20, 4, c => c.OutHwptId)
                .Out("out_idev_id", 24, 4, c => c.OutIdevId)
                .In("dev_flags", 28, 4, c => (uint)c.DevFlags)
                .UndoneByFault()
                .Makes(v => new TestMockDomainFlags
                {
                    PtId = v.U32(1),
                    OutStdevId = v.U32(2),
                    OutHwptId = v.U32(3),
                    OutIdevId = v.U32(4),
                    DevFlags = (MockDeviceFlags)v.U32(5),
                }),
            Test<TestDirty>("DIRTY", 13, c => c.HwptId)
                .In("flags", 16, 4, c => c.Flags)
                .In("iova", 24, 8, c => c.Iova)
                .In("length", 32, 8, c => c.Length)
                .In("page_size", 40, 8, c => c.PageSize)
                .In("uptr", 48, 8, c => c.Uptr)
                .Out("out_nr_dirty", 56, 8, c => c.OutNrDirty)
                .Makes(v => new TestDirty
                {
                    HwptId = v.U32(1),
                    Flags = v.U32(2),
                    Iova = v.U64(3),
                    Length = v.U64(4),
                    PageSize = v.U64(5),
                    Uptr = v.U64(6),
                    OutNrDirty = v.U64(7),
                }),
            Test<TestMdCheckIotlb>("MD_CHECK_IOTLB", 14, c => c.HwptId)
                .In("id", 16, 4, c => c.IotlbId)
                .In("iotlb", 20, 4, c => c.Iotlb)
                .Makes(v => new TestMdCheckIotlb
                {
                    HwptId = v.U32(1),
                    IotlbId = v.U32(2),
                    Iotlb = v.U32(3),
                }),
            Test<TestTriggerIopf>("TRIGGER_IOPF", 15, c => c.Id)
                .In("dev_id", 16, 4, c => c.DevId)
                .In("pasid", 20, 4, c => c.Pasid)
                .In("grpid", 24, 4, c => c.GrpId)
                .In("perm", 28, 4, c => c.Perm)
                .In("addr", 32, 8, c => c.Addr)
                .Makes(v => new TestTriggerIopf
                {
                    Id = v.U32(1),
                    DevId = v.U32(2),
                    Pasid = v.U32(3),
                    GrpId = v.U32(4),
                    Perm = v.U32(5),
                    Addr = v.U64(6),
                }),
            Test<TestDevCheckCache>("DEV_CHECK_CACHE", 16, c => c.IdevId)
                .In("id", 16, 4, c => c.CacheId)
                .In("cache", 20, 4, c => c.Cache)
                .Makes(v => new TestDevCheckCache
                {
                    IdevId = v.U32(1),
                    CacheId = v.U32(2),
                    Cache = v.U32(3),
                }),
            Test<TestTriggerVevent>("TRIGGER_VEVENT", 17, c => c.Id)
                .In("dev_id", 16, 4, c => c.DevId)
                .Makes(v => new TestTriggerVevent { Id = v.U32(1), DevId = v.U32(2) }),
            Test<TestPasidAttach>("PASID_ATTACH", 18, c => c.StdevId)
                .In("pasid", 16, 4, c => c.Pasid)
                .InOut("pt_id", 20, 4, c => c.PtId)
                .UndoneByFault()
                .Makes(v => new TestPasidAttach
                {
                    StdevId = v.U32(1),
                    Pasid = v.U32(2),
                    PtId = v.U32(3),
                }),
            Test<TestPasidReplace>("PASID_REPLACE", 19, c => c.StdevId)
                .In("pasid", 16, 4, c => c.Pasid)
                .InOut("pt_id", 20, 4, c => c.PtId)
                .Makes(v => new TestPasidReplace
                {
                    StdevId = v.U32(1),
                    Pasid = v.U32(2),
                    PtId = v.U32(3),
                }),
            Test<TestPasidDetach>("PASID_DETACH", 20, c => c.StdevId)
                .In("pasid", 16, 4, c => c.Pasid)
                .Makes(v => new TestPasidDetach { StdevId = v.U32(1), Pasid = v.U32(2) }),
            Test<TestPasidCheckHwpt>("PASID_CHECK_HWPT", 21, c => c.StdevId)
                .In("pasid", 16, 4, c => c.Pasid)
                .In("hwpt_id", 20, 4, c => c.HwptId)
                .Makes(v => new TestPasidCheckHwpt
                {
                    StdevId = v.U32(1),
                    Pasid = v.U32(2),
                    HwptId = v.U32(3),
                }),
            Test<TestDmabufGet>("DMABUF_GET", 22, c => c.Id)
                .In("length", 16, 4, c => c.Length)
                .In("open_flags", 20, 4, c => c.OpenFlags)
                .Makes(v => new TestDmabufGet
                {
                    Id = v.U32(1),
                    Length = v.U32(2),
                    OpenFlags = v.U32(3),
                }),
            Test<TestDmabufRevoke>("DMABUF_REVOKE", 23, c => c.Id)
                .In("dmabuf_fd", 16, 4, c => (uint)c.DmabufFd)
                .In("revoked", 20, 4, c => c.Revoked)
                .Makes(v => new TestDmabufRevoke
                {
                    Id = v.U32(1),
                    DmabufFd = v.I32(2),
                    Revoked = v.U32(3),
                }),
        ];
}
