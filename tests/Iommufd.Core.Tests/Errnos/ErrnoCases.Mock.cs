using Iommufd.Messages;
using Iommufd.Messages.Commands;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;
using static Iommufd.Messages.Errno;

namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoCases
{
    private const string MockName = "IOMMU_TEST_OP_MOCK_DOMAIN";
    private const string FlagsName = "IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS";
    private const string ReplaceName = "IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE";
    private const string PasidName = "IOMMU_TEST_OP_PASID_ATTACH";
    private const string PasidReplaceName = "IOMMU_TEST_OP_PASID_REPLACE";

    private static uint Unfillable(ErrnoStage stage) => stage.Do(Map(stage.Ioas(), va: Nowhere)).IoasId;

    private static uint Unaffordable(ErrnoStage stage) => stage.DoAs(stage.Poor(pages: 3), Map(stage.Ioas())).IoasId;

    private static uint Misplaced(ErrnoStage stage) => stage.Do(Map(stage.Ioas(), 0x1000)).IoasId;

    private static IEnumerable<ErrnoCase> MockDomains() =>
        [
            Case(MockName, ENOENT, "unused", _ => new TestMockDomain { PtId = NoId }),
            Case(
                MockName,
                ENOENT,
                "a nested HWPT of a vIOMMU",
                s => new TestMockDomain { PtId = NestedOfViommu(s).Hwpt }
            ),
            Case(MockName, EINVAL, "a DEVICE", s => new TestMockDomain { PtId = s.Attached().Mock.OutIdevId }),
            Case(MockName, EADDRINUSE, "below the aperture", s => new TestMockDomain { PtId = Misplaced(s) }),
            Case(
                MockName,
                EADDRINUSE,
                "misaligned",
                s => new TestMockDomain { PtId = s.Do(Map(s.Ioas(), length: 0x400)).IoasId }
            ),
            Case(
                MockName,
                EADDRINUSE,
                "allowed range",
                s => new TestMockDomain { PtId = s.Do(new SetAllowedRanges(s.Ioas(), [0, 9])).IoasId }
            ),
            Case(MockName, EFAULT, "no pages", s => new TestMockDomain { PtId = Unfillable(s) }),
            Case(MockName, ENOMEM, "limit", s => new TestMockDomain { PtId = Unaffordable(s) }),
            Case(
                FlagsName,
                EINVAL,
                "flag",
                s => new TestMockDomainFlags { PtId = s.Ioas(), DevFlags = (MockDeviceFlags)2 }
            ),
            Case(
                FlagsName,
                EINVAL,
                "a tracking HWPT for a device that cannot",
                s => new TestMockDomainFlags { PtId = Tracked(s).Hwpt, DevFlags = MockDeviceFlags.NoDirty }
            ),
            Case(FlagsName, ENOENT, "unused", _ => new TestMockDomainFlags { PtId = NoId }),
            Case(FlagsName, EADDRINUSE, "below the aperture", s => new TestMockDomainFlags { PtId = Misplaced(s) }),
            Case(FlagsName, EFAULT, "no pages", s => new TestMockDomainFlags { PtId = Unfillable(s) }),
            Case(FlagsName, ENOMEM, "limit", s => new TestMockDomainFlags { PtId = Unaffordable(s) }),
            .. Replaces(),
            .. Pasids(),
        ];

    private static TestMockDomainReplace ReplaceBy(ErrnoStage stage, uint ptId) =>
        new() { StdevId = stage.Attached().Mock.OutStdevId, PtId = ptId };

    private static (Nest Nest, uint Hwpt) NestedOfViommu(ErrnoStage stage)
    {
        var nest = stage.Nesting();
        return (nest, stage.Nested(nest.Mock.OutIdevId, stage.Viommu(nest)));
    }

    private static IEnumerable<ErrnoCase> Replaces() =>
        [
            Case(
                ReplaceName,
                ENOENT,
                "no mock device",
                s => new TestMockDomainReplace { StdevId = NoId, PtId = s.Ioas() }
            ),
            Case(
                ReplaceName,
                ENOENT,
                "a DEVICE",
                s =>
                    s.Attached() is var a
                        ? new TestMockDomainReplace { StdevId = a.Mock.OutIdevId, PtId = a.Ioas }
                        : null!
            ),
            Case(ReplaceName, ENOENT, "unused", s => ReplaceBy(s, NoId)),
            Case(
                ReplaceName,
                ENOENT,
                "no vDEVICE",
                s =>
                {
                    var (nest, hwpt) = NestedOfViommu(s);
                    return new TestMockDomainReplace { StdevId = nest.Mock.OutStdevId, PtId = hwpt };
                }
            ),
            Case(
                ReplaceName,
                EINVAL,
                "an ACCESS",
                s => ReplaceBy(s, s.Do(new CreateAccess(s.Ioas(), false)).OutAccessId)
            ),
            Case(
                ReplaceName,
                EINVAL,
                "not attached",
                s =>
                {
                    var (ioas, mock) = s.Attached();
                    s.Do(new DetachDevice(mock.OutIdevId));
                    return new TestMockDomainReplace { StdevId = mock.OutStdevId, PtId = ioas };
                }
            ),
            Case(ReplaceName, EADDRINUSE, "below the aperture", s => ReplaceBy(s, Misplaced(s))),
            Case(ReplaceName, EFAULT, "no pages", s => ReplaceBy(s, Unfillable(s))),
            Case(ReplaceName, ENOMEM, "limit", s => ReplaceBy(s, Unaffordable(s))),
            Case("IOMMU_TEST_CMD", EOPNOTSUPP, "operation 0", _ => new TestUnknownOp()),
            Case("IOMMU_TEST_CMD", EOPNOTSUPP, "operation 24", _ => new TestUnknownOp { Op = 24 }),
        ];

    // A mock device whose own HWPT takes PASIDs, and another such HWPT.
    private static (TestMockDomainFlags Mock, uint Ioas, uint Hwpt) Pasid(ErrnoStage stage)
    {
        var (ioas, mock) = stage.Attached(MockDeviceFlags.Pasid);
        var own = stage.Paging(mock.OutIdevId, ioas, HwptAllocFlags.Pasid);
        stage.Do(new TestMockDomainReplace { StdevId = mock.OutStdevId, PtId = own });
        return (mock, ioas, stage.Paging(mock.OutIdevId, ioas, HwptAllocFlags.Pasid));
    }

    private static TestPasidAttach AttachPasid(ErrnoStage stage, uint pasid = 100, uint? ptId = null)
    {
        var (mock, _, hwpt) = Pasid(stage);
        return new TestPasidAttach
        {
            StdevId = mock.OutStdevId,
            Pasid = pasid,
            PtId = ptId ?? hwpt,
        };
    }

    private static TestPasidReplace ReplacePasid(ErrnoStage stage, uint ptId, uint pasid = 100)
    {
        var attached = stage.Do(AttachPasid(stage, pasid));
        return new TestPasidReplace
        {
            StdevId = attached.StdevId,
            Pasid = pasid,
            PtId = ptId,
        };
    }

    private static IEnumerable<ErrnoCase> Pasids() =>
        [
            Case(PasidName, ENOENT, "no mock device", s => AttachPasid(s) with { StdevId = NoId }),
            Case(PasidName, ENOENT, "unused", s => AttachPasid(s, ptId: NoId)),
            Case(PasidName, EINVAL, "an IOAS", s => AttachPasid(s, ptId: s.Ioas())),
            Case(PasidName, EINVAL, "an IOAS that cannot be filled", s => AttachPasid(s, ptId: Unfillable(s))),
            Case(
                PasidName,
                EINVAL,
                "a HWPT without PASIDs",
                s =>
                    Pasid(s) is var p
                        ? new TestPasidAttach
                        {
                            StdevId = p.Mock.OutStdevId,
                            Pasid = 1,
                            PtId = s.Paging(p.Mock.OutIdevId, p.Ioas),
                        }
                        : null!
            ),
            Case(PasidName, EINVAL, "too large", s => AttachPasid(s, 1 << 20)),
            Case(
                PasidName,
                EINVAL,
                "the device's own HWPT is without",
                s =>
                {
                    var (ioas, mock) = s.Attached(MockDeviceFlags.Pasid);
                    var hwpt = s.Paging(mock.OutIdevId, ioas, HwptAllocFlags.Pasid);
                    return new TestPasidAttach
                    {
                        StdevId = mock.OutStdevId,
                        Pasid = 1,
                        PtId = hwpt,
                    };
                }
            ),
            Case(PasidName, EBUSY, "attached", s => s.Do(AttachPasid(s))),
            Case(PasidName, EBUSY, "PASID 0 is the device itself", s => AttachPasid(s, 0)),
            Case(PasidName, ENOMEM, "PASID 0 to an IOAS beyond the limit", s => Detached(s, Unaffordable(s))),
            Case(PasidName, EADDRINUSE, "PASID 0 to a misplaced IOAS", s => Detached(s, Misplaced(s))),
            Case(PasidName, EFAULT, "PASID 0 to an IOAS without pages", s => Detached(s, Unfillable(s))),
            Case(PasidReplaceName, ENOENT, "no mock device", s => ReplacePasid(s, s.Ioas()) with { StdevId = NoId }),
            Case(PasidReplaceName, ENOENT, "unused", s => ReplacePasid(s, NoId)),
            Case(
                PasidReplaceName,
                EINVAL,
                "not attached",
                s => ReplacePasid(s, s.Ioas()) is var r ? r with { Pasid = 200 } : null!
            ),
            Case(PasidReplaceName, EINVAL, "an IOAS", s => ReplacePasid(s, s.Ioas())),
            new ErrnoCase(
                PasidReplaceName,
                ENOMEM,
                "1024, the second time",
                s =>
                    s.Do(AttachPasid(s, 1024)) is var a
                        ? new TestPasidReplace
                        {
                            StdevId = a.StdevId,
                            Pasid = 1024,
                            PtId = s.Paging(a.StdevId + 1, 1, HwptAllocFlags.Pasid),
                        }
                        : null!
            )
            {
                Changes = true,
            },
            Case(PasidReplaceName, EADDRINUSE, "a misplaced IOAS", s => ReplacePasid(s, Misplaced(s))),
            Case(PasidReplaceName, EFAULT, "an IOAS without pages", s => ReplacePasid(s, Unfillable(s))),
            Case("IOMMU_TEST_OP_PASID_DETACH", ENOENT, "no mock device", _ => new TestPasidDetach { StdevId = NoId }),
        ];

    private static TestPasidAttach Detached(ErrnoStage stage, uint ptId)
    {
        var mock = Pasid(stage).Mock;
        stage.Do(new TestPasidDetach { StdevId = mock.OutStdevId });
        return new TestPasidAttach { StdevId = mock.OutStdevId, PtId = ptId };
    }
}
