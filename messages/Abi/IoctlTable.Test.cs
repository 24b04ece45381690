using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

public static partial class IoctlTable
{
    // Every operation starts with op at offset 4 (field 0) and id at offset 8 (field 1).
    private static IEnumerable<IoctlDeclaration> TestPart() =>
        [
            Test<TestAddReserved>("ADD_RESERVED", 1, c => c.IoasId)
                .In("start", 16, 8, c => c.Start)
                .In("length", 24, 8, c => c.Length)
                .Makes(v => new TestAddReserved
                {
                    IoasId = v.U32(1),
                    Start = v.U64(2),
                    Length = v.U64(3),
                }),
            Test<TestMockDomain>("MOCK_DOMAIN", 2, c => c.PtId)
                .Out("out_stdev_id", 16, 4, c => c.OutStdevId)
                .Out("out_hwpt_id", 20, 4, c => c.OutHwptId)
                .Out("out_idev_id", 24, 4, c => c.OutIdevId)
                .UndoneByFault()
                .Makes(v => new TestMockDomain
                {
                    PtId = v.U32(1),
                    OutStdevId = v.U32(2),
                    OutHwptId = v.U32(3),
                    OutIdevId = v.U32(4),
                }),
            Test<TestMdCheckMap>("MD_CHECK_MAP", 3, c => c.HwptId)
                .In("iova", 16, 8, c => c.Iova)
                .In("length", 24, 8, c => c.Length)
                .In("uptr", 32, 8, c => c.Uptr)
                .Makes(v => new TestMdCheckMap
                {
                    HwptId = v.U32(1),
                    Iova = v.U64(2),
                    Length = v.U64(3),
                    Uptr = v.U64(4),
                }),
            Test<TestMdCheckRefs>("MD_CHECK_REFS", 4, c => c.Id)
                .In("length", 16, 8, c => c.Length)
                .In("uptr", 24, 8, c => c.Uptr)
                .In("refs", 32, 4, c => c.Refs)
                .Makes(v => new TestMdCheckRefs
                {
                    Id = v.U32(1),
                    Length = v.U64(2),
                    Uptr = v.U64(3),
                    Refs = v.U32(4),
                }),
            Test<TestCreateAccess>("CREATE_ACCESS", 5, c => c.IoasId)
                .Out("out_access_fd", 16, 4, c => (uint)c.OutAccessFd)
                .In("flags", 20, 4, c => c.Flags)
                .UndoneByFault()
                .Makes(v => new TestCreateAccess
                {
                    IoasId = v.U32(1),
                    OutAccessFd = v.I32(2),
                    Flags = v.U32(3),
                }),
            Test<TestDestroyAccessPages>("DESTROY_ACCESS_PAGES", 6, c => (uint)c.AccessFd)
                .In("access_pages_id", 16, 4, c => c.AccessPagesId)
                .Makes(v => new TestDestroyAccessPages { AccessFd = v.I32(1), AccessPagesId = v.U32(2) }),
            Test<TestAccessPages>("ACCESS_PAGES", 7, c => (uint)c.AccessFd)
                .In("flags", 16, 4, c => (uint)c.Flags)
                .Out("out_access_pages_id", 20, 4, c => c.OutAccessPagesId)
                .In("iova", 24, 8, c => c.Iova)
                .In("length", 32, 8, c => c.Length)
                .In("uptr", 40, 8, c => c.Uptr)
                .UndoneByFault()
                .Makes(v => new TestAccessPages
                {
                    AccessFd = v.I32(1),
                    Flags = (TestAccessPagesFlags)v.U32(2),
                    OutAccessPagesId = v.U32(3),
                    Iova = v.U64(4),
                    Length = v.U64(5),
                    Uptr = v.U64(6),
                }),
            Test<TestAccessRw>("ACCESS_RW", 8, c => (uint)c.AccessFd)
                .In("iova", 16, 8, c => c.Iova)
                .In("length", 24, 8, c => c.Length)
                .In("uptr", 32, 8, c => c.Uptr)
                .In("flags", 40, 4, c => (uint)c.Flags)
                .Makes(v => new TestAccessRw
                {
                    AccessFd = v.I32(1),
                    Iova = v.U64(2),
                    Length = v.U64(3),
                    Uptr = v.U64(4),
                    Flags = (TestAccessRwFlags)v.U32(5),
                }),
            Test<TestSetTempMemoryLimit>("SET_TEMP_MEMORY_LIMIT", 9, c => c.Id)
                .In("limit", 16, 4, c => c.Limit)
                .Makes(v => new TestSetTempMemoryLimit { Id = v.U32(1), Limit = v.U32(2) }),
            Test<TestMockDomainReplace>("MOCK_DOMAIN_REPLACE", 10, c => c.StdevId)
                .InOut("pt_id", 16, 4, c => c.PtId)
                .Makes(v => new TestMockDomainReplace { StdevId = v.U32(1), PtId = v.U32(2) }),
            Test<TestAccessReplaceIoas>("ACCESS_REPLACE_IOAS", 11, c => (uint)c.AccessFd)
                .In("ioas_id", 16, 4, c => c.IoasId)
                .Makes(v => new TestAccessReplaceIoas { AccessFd = v.I32(1), IoasId = v.U32(2) }),
        ];

    private static IoctlLayout<T> Test<T>(string operation, uint op, Func<T, ulong> id)
        where T : TestCommand =>
        Sized<T>($"IOMMU_TEST_OP_{operation}", TestNumber, TestStructSize, TestMinSize)
            .ForTestOp(op)
            .In("op", 4, 4, _ => op)
            .In("id", 8, 4, id);

    private static IoctlDeclaration UnknownOp() =>
        Sized<TestUnknownOp>("IOMMU_TEST_CMD", TestNumber, TestStructSize, TestMinSize)
            .In("op", 4, 4, c => c.Op)
            .In("id", 8, 4, c => c.Id)
            .Makes(v => new TestUnknownOp { Op = v.U32(0), Id = v.U32(1) });
}
