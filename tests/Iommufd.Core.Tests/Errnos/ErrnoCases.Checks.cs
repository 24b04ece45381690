using Iommufd.Messages.Commands;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;
using static Iommufd.Messages.Errno;

namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoCases
{
    private const string ReservedName = "IOMMU_TEST_OP_ADD_RESERVED";
    private const string CheckMapName = "IOMMU_TEST_OP_MD_CHECK_MAP";
    private const string RefsName = "IOMMU_TEST_OP_MD_CHECK_REFS";
    private const string MarkName = "IOMMU_TEST_OP_DIRTY";
    private const string IotlbName = "IOMMU_TEST_OP_MD_CHECK_IOTLB";
    private const string CacheName = "IOMMU_TEST_OP_DEV_CHECK_CACHE";
    private const string CheckPasidName = "IOMMU_TEST_OP_PASID_CHECK_HWPT";
    private const string VeventName = "IOMMU_TEST_OP_TRIGGER_VEVENT";

    private static TestAddReserved Reserve(uint ioas, ulong start = MappedAt, ulong length = 0x1000) =>
        new()
        {
            IoasId = ioas,
            Start = start,
            Length = length,
        };

    private static TestMdCheckMap CheckMap(ErrnoStage stage)
    {
        var (ioas, mock) = stage.Attached();
        stage.Do(Map(ioas));
        return new TestMdCheckMap
        {
            HwptId = mock.OutHwptId,
            Iova = MappedAt,
            Length = 0x4000,
            Uptr = UserBuffer,
        };
    }

    private static TestMdCheckRefs Refs(ulong length = 0x1000, ulong address = UserBuffer, uint refs = 0) =>
        new()
        {
            Length = length,
            Uptr = address,
            Refs = refs,
        };

    private static TestDirty Mark(ErrnoStage stage, bool track = true)
    {
        var (_, hwpt) = Tracked(stage);
        if (track)
        {
            stage.Do(new HwptSetDirtyTracking { HwptId = hwpt, Flags = HwptSetDirtyTracking.Enable });
        }

        return new TestDirty
        {
            HwptId = hwpt,
            Iova = MappedAt,
            Length = 0x4000,
            PageSize = 0x800,
            Uptr = Scratch,
        };
    }

    private static IEnumerable<ErrnoCase> MockChecks() =>
        [
            Case(ReservedName, EINVAL, "length 0", _ => Reserve(NoId, length: 0)),
            Case(ReservedName, EOVERFLOW, "wraps", _ => Reserve(NoId, ulong.MaxValue, 2)),
            Case(ReservedName, ENOENT, "no IOAS", _ => Reserve(NoId)),
            Case(ReservedName, EADDRINUSE, "mapped", s => Reserve(s.Do(Map(s.Ioas())).IoasId, MappedAt + 0x3fff, 1)),
            Case(
                ReservedName,
                EADDRINUSE,
                "allowed",
                s => Reserve(s.Do(new SetAllowedRanges(s.Ioas(), [MappedAt, 2 * MappedAt])).IoasId)
            ),
            Case(CheckMapName, ENOENT, "unused", s => CheckMap(s) with { HwptId = NoId }),
            Case(
                CheckMapName,
                ENOENT,
                "a nested HWPT",
                s => CheckMap(s) with { HwptId = s.Do(NestedOf(s)).OutHwptId, Iova = 1 }
            ),
            Case(CheckMapName, EINVAL, "misaligned", s => CheckMap(s) with { Iova = MappedAt + 0x400 }),
            Case(CheckMapName, EINVAL, "the address wraps", s => CheckMap(s) with { Uptr = ulong.MaxValue - 0xfff }),
            Case(CheckMapName, EINVAL, "another page", s => CheckMap(s) with { Uptr = UserBuffer + 0x1000 }),
            Case(CheckMapName, EINVAL, "not mapped", s => CheckMap(s) with { Length = 0x5000 }),
            Case(CheckMapName, EFAULT, "nothing there", s => CheckMap(s) with { Uptr = Nowhere }),
            Case(RefsName, EINVAL, "length", _ => Refs(0x800)),
            Case(RefsName, EINVAL, "address", _ => Refs(address: UserBuffer + 0x800)),
            Case(RefsName, EINVAL, "wraps", _ => Refs(0x2000, ulong.MaxValue - 0xfff)),
            Case(RefsName, EFAULT, "nothing there", _ => Refs(address: Nowhere)),
            Case(RefsName, EIO, "not pinned", _ => Refs(refs: 1)),
            Case(RefsName, EIO, "pinned", s => After(CheckMap(s), Refs())),
            Case("IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT", EINVAL, "11", _ => new TestSetTempMemoryLimit { Limit = 11 }),
            .. DirtyMarks(),
            Case(IotlbName, ENOENT, "unused", _ => new TestMdCheckIotlb { HwptId = NoId }),
            Case(
                IotlbName,
                ENOENT,
                "a paging HWPT",
                s => new TestMdCheckIotlb { HwptId = s.Attached().Mock.OutHwptId }
            ),
            Case(IotlbName, EINVAL, "entry 4", s => Iotlb(s) with { IotlbId = 4 }),
            Case(IotlbName, EINVAL, "another value", s => Iotlb(s) with { Iotlb = 0 }),
            Case("IOMMU_TEST_OP_TRIGGER_IOPF", ENOENT, "no DEVICE", _ => new TestTriggerIopf { DevId = NoId }),
            Case(CacheName, ENOENT, "no DEVICE", s => new TestDevCheckCache { IdevId = s.Attached().Mock.OutStdevId }),
            Case(
                CacheName,
                EINVAL,
                "entry 4",
                s => new TestDevCheckCache
                {
                    IdevId = s.Attached().Mock.OutIdevId,
                    CacheId = 4,
                    Cache = 0xbaddad,
                }
            ),
            Case(
                CacheName,
                EINVAL,
                "another value",
                s => new TestDevCheckCache { IdevId = s.Attached().Mock.OutIdevId }
            ),
            .. Vevents(),
            Case(CheckPasidName, ENOENT, "no mock device", _ => new TestPasidCheckHwpt { StdevId = NoId }),
            Case(
                CheckPasidName,
                ENOENT,
                "no HWPT",
                s => new TestPasidCheckHwpt { StdevId = Pasid(s).Mock.OutStdevId, HwptId = NoId }
            ),
            Case(
                CheckPasidName,
                EINVAL,
                "attached",
                s => new TestPasidCheckHwpt { StdevId = Pasid(s).Mock.OutStdevId }
            ),
            Case(
                CheckPasidName,
                EINVAL,
                "something else",
                s => Pasid(s) is var p ? new TestPasidCheckHwpt { StdevId = p.Mock.OutStdevId, HwptId = p.Hwpt } : null!
            ),
            Case(
                CheckPasidName,
                EINVAL,
                "an IOAS",
                s => Pasid(s) is var p ? new TestPasidCheckHwpt { StdevId = p.Mock.OutStdevId, HwptId = p.Ioas } : null!
            ),
            Case("IOMMU_TEST_OP_DMABUF_GET", EINVAL, "length 0", _ => new TestDmabufGet()),
            Case("IOMMU_TEST_OP_DMABUF_GET", EINVAL, "513 pages", _ => new TestDmabufGet { Length = (512 * 4096) + 1 }),
            Case("IOMMU_TEST_OP_DMABUF_REVOKE", EBADF, "closed", _ => new TestDmabufRevoke { DmabufFd = 77 }),
            Case("IOMMU_TEST_OP_DMABUF_REVOKE", EINVAL, "a file", s => new TestDmabufRevoke { DmabufFd = s.File() }),
        ];

    private static IEnumerable<ErrnoCase> DirtyMarks() =>
        [
            Case(MarkName, EINVAL, "page size 0", s => Mark(s) with { PageSize = 0 }),
            Case(MarkName, EINVAL, "length 0", s => Mark(s) with { Length = 0 }),
            Case(MarkName, EINVAL, "address 0", s => Mark(s) with { Uptr = 0, HwptId = NoId }),
            Case(MarkName, EINVAL, "misaligned", s => Mark(s) with { Iova = MappedAt + 0x400 }),
            Case(MarkName, EINVAL, "tracking is off", s => Mark(s, track: false) with { Uptr = Nowhere }),
            Case(
                MarkName,
                EOVERFLOW,
                "2^27 pages and one",
                s => Mark(s) with { PageSize = 1, Length = (1 << 27) + 1, HwptId = NoId }
            ),
            Case(MarkName, ENOENT, "unused", s => Mark(s) with { HwptId = NoId }),
            Case(MarkName, EFAULT, "bitmap", s => Mark(s) with { Uptr = Nowhere }),
        ];

    private static TestMdCheckIotlb Iotlb(ErrnoStage stage) =>
        new() { HwptId = stage.Do(NestedOf(stage)).OutHwptId, Iotlb = 0xbad_beef };

    private static IEnumerable<ErrnoCase> Vevents() =>
        [
            Case(VeventName, ENOENT, "no DEVICE", _ => new TestTriggerVevent { DevId = NoId }),
            Case(VeventName, ENOENT, "no vIOMMU", s => new TestTriggerVevent { DevId = s.Attached().Mock.OutIdevId }),
            Case(VeventName, ENOENT, "number 0", s => Behind(s, 0)),
            Case(VeventName, EOPNOTSUPP, "no queue", s => Behind(s, 5)),
        ];

    private static TestTriggerVevent Behind(ErrnoStage stage, ulong virtId)
    {
        var nest = stage.Nesting();
        var viommu = stage.Viommu(nest);
        stage.Vdevice(viommu, nest.Mock.OutIdevId, virtId);
        var nested = stage.Nested(nest.Mock.OutIdevId, viommu);
        stage.Do(new TestMockDomainReplace { StdevId = nest.Mock.OutStdevId, PtId = nested });
        return new TestTriggerVevent { DevId = nest.Mock.OutIdevId };
    }
}
