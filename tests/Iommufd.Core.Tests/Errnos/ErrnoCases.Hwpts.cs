using Iommufd.Messages;
using Iommufd.Messages.Commands;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;
using static Iommufd.Messages.Errno;

namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoCases
{
    private const string AllocName = "IOMMU_HWPT_ALLOC";
    private const string DirtyName = "IOMMU_HWPT_GET_DIRTY_BITMAP";
    private const string InvalidateName = "IOMMU_HWPT_INVALIDATE";
    private const string InfoName = "IOMMU_GET_HW_INFO";
    private const string TrackName = "IOMMU_HWPT_SET_DIRTY_TRACKING";

    private static IEnumerable<ErrnoCase> Hwpts() =>
        [.. HwptAllocs(), .. NestedAllocs(), .. Dirty(), .. Invalidations()];

    private static HwptAlloc Hwpt(ErrnoStage stage, HwptAllocFlags flags = HwptAllocFlags.None)
    {
        var (ioas, mock) = stage.Attached();
        return new HwptAlloc
        {
            DevId = mock.OutIdevId,
            PtId = ioas,
            Flags = flags,
        };
    }

    private static HwptAlloc WithData(HwptAlloc command, uint type, uint length, ulong at = Scratch) =>
        command with
        {
            DataType = type,
            DataLen = length,
            DataUptr = at,
        };

    private static IEnumerable<ErrnoCase> HwptAllocs() =>
        [
            Case(AllocName, EOPNOTSUPP, "reserved word", s => Hwpt(s) with { Reserved = 1 }),
            Case(AllocName, EOPNOTSUPP, "unknown flag", s => Hwpt(s, (HwptAllocFlags)0x10)),
            Case(
                AllocName,
                EOPNOTSUPP,
                "a parent with faults",
                s => Hwpt(s, HwptAllocFlags.NestParent | HwptAllocFlags.FaultIdValid)
            ),
            Case(
                AllocName,
                EOPNOTSUPP,
                "dirty tracking of a device without",
                s =>
                {
                    var (ioas, mock) = s.Attached(MockDeviceFlags.NoDirty);
                    return new HwptAlloc
                    {
                        DevId = mock.OutIdevId,
                        PtId = ioas,
                        Flags = HwptAllocFlags.DirtyTracking,
                    };
                }
            ),
            Case(AllocName, EOPNOTSUPP, "data of another kind", s => WithData(Hwpt(s), HwptDataType.VtdS1, 24)),
            Case(
                AllocName,
                EOPNOTSUPP,
                "table 2",
                s =>
                {
                    s.Put(Scratch, 0u, 2u);
                    return WithData(Hwpt(s), HwptDataType.Selftest, 8);
                }
            ),
            Case(AllocName, EINVAL, "data without a type", s => Hwpt(s) with { DataLen = 4 }),
            Case(AllocName, EINVAL, "a type without data", s => Hwpt(s) with { DataType = HwptDataType.Selftest }),
            Case(AllocName, EINVAL, "data wins over no DEVICE", s => Hwpt(s) with { DevId = NoId, DataLen = 4 }),
            Case(AllocName, EINVAL, "data too short", s => WithData(Hwpt(s), HwptDataType.Selftest, 3)),
            Case(AllocName, EINVAL, "data too long", s => WithData(Hwpt(s), HwptDataType.Selftest, 9)),
            Case(AllocName, EINVAL, "pt_id unused", s => Hwpt(s) with { PtId = NoId }),
            Case(AllocName, EINVAL, "pt_id a DEVICE", s => Hwpt(s) is var h ? h with { PtId = h.DevId } : null!),
            Case(AllocName, ENOENT, "no DEVICE", s => Hwpt(s) with { DevId = NoId }),
            Case(
                AllocName,
                ENOENT,
                "no fault queue",
                s => Hwpt(s, HwptAllocFlags.FaultIdValid) with { FaultId = NoId }
            ),
            Case(
                AllocName,
                EADDRINUSE,
                "below the aperture",
                s =>
                {
                    var ioas = s.Do(Map(s.Ioas(), 0x1000)).IoasId;
                    return Hwpt(s) with { PtId = ioas };
                }
            ),
            Case(
                AllocName,
                EADDRINUSE,
                "mirroring wins over the fault queue",
                s =>
                {
                    var ioas = s.Do(Map(s.Ioas(), 0x1000)).IoasId;
                    return Hwpt(s, HwptAllocFlags.FaultIdValid) with { PtId = ioas, FaultId = NoId };
                }
            ),
            Case(AllocName, EFAULT, "data", s => WithData(Hwpt(s), HwptDataType.Selftest, 4, Nowhere)),
            Case(
                AllocName,
                EFAULT,
                "the second of two areas has no pages",
                s =>
                {
                    var ioas = s.Do(Map(s.Ioas())).IoasId;
                    s.Do(Map(ioas, 2 * MappedAt, va: Nowhere));
                    return Hwpt(s) with { PtId = ioas };
                }
            ),
            Case(
                AllocName,
                ENOMEM,
                "limit of the owner",
                s =>
                {
                    var ioas = s.DoAs(s.Poor(pages: 3), Map(s.Ioas())).IoasId;
                    return Hwpt(s) with { PtId = ioas };
                }
            ),
            Case(InfoName, EOPNOTSUPP, "flag", s => Info(s) with { Flags = (HwInfoFlags)2 }),
            Case(InfoName, EOPNOTSUPP, "reserved bytes", s => Info(s) with { Reserved = 0x10000 }),
            Case(InfoName, EOPNOTSUPP, "type", s => Info(s) with { Flags = HwInfoFlags.InputType, DataType = 4 }),
            Case(InfoName, ENOENT, "no DEVICE", s => Info(s) with { DevId = NoId }),
            Case(InfoName, EFAULT, "buffer", s => Info(s) with { DataUptr = Nowhere, DataLen = 8 }),
            Case(
                InfoName,
                EFAULT,
                "the rest of a large buffer",
                s => Info(s) with { DataUptr = Scratch + 0x4000 - 8, DataLen = 9 }
            ),
            Case("AllocatePagingHwpt", ENOENT, "no DEVICE", s => Plain(s) with { DeviceId = NoId }),
            Case("AllocatePagingHwpt", EINVAL, "no IOAS", s => Plain(s) with { IoasId = NoId }),
            Case("AllocatePagingHwpt", EOPNOTSUPP, "flag", s => Plain(s) with { Flags = (HwptAllocFlags)0x10 }),
            Case(
                "AllocatePagingHwpt",
                EADDRINUSE,
                "aperture",
                s => Plain(s) with { IoasId = s.Do(Map(s.Ioas(), 0)).IoasId }
            ),
            Case(
                "AllocatePagingHwpt",
                EFAULT,
                "no pages",
                s => Plain(s) with { IoasId = s.Do(Map(s.Ioas(), va: Nowhere)).IoasId }
            ),
            Case(
                "AllocatePagingHwpt",
                ENOMEM,
                "limit of the owner",
                s => Plain(s) with { IoasId = s.DoAs(s.Poor(pages: 3), Map(s.Ioas())).IoasId }
            ),
        ];

    private static GetHwInfo Info(ErrnoStage stage) => new() { DevId = stage.Attached().Mock.OutIdevId };

    private static AllocatePagingHwpt Plain(ErrnoStage stage)
    {
        var (ioas, mock) = stage.Attached();
        return new AllocatePagingHwpt(mock.OutIdevId, ioas, HwptAllocFlags.None, 0);
    }

    private static IEnumerable<ErrnoCase> NestedAllocs() =>
        [
            Case(AllocName, EOPNOTSUPP, "a nested parent", s => NestedOf(s, HwptAllocFlags.NestParent)),
            Case(
                AllocName,
                EOPNOTSUPP,
                "a nested one without data",
                s => NestedOf(s) with { DataType = 0, DataLen = 0 }
            ),
            Case(
                AllocName,
                EOPNOTSUPP,
                "nested data of another kind",
                s => NestedOf(s) with { DataType = HwptDataType.AmdGuest }
            ),
            Case(AllocName, EINVAL, "on a plain HWPT", s => OnPlain(s)),
            Case(AllocName, EINVAL, "on an automatic HWPT", s => OnAutomatic(s)),
            Case(
                AllocName,
                EINVAL,
                "on a nested HWPT",
                s =>
                {
                    var command = NestedOf(s);
                    return command with { PtId = s.Do(command).OutHwptId };
                }
            ),
            Case(AllocName, EINVAL, "nested data too long", s => NestedOf(s) with { DataLen = 12 }),
            Case(AllocName, EFAULT, "nested data", s => NestedOf(s) with { DataUptr = Nowhere }),
            Case(AllocName, ENOENT, "nested, no fault queue", s => NestedOf(s, HwptAllocFlags.FaultIdValid)),
            Case(
                AllocName,
                EOPNOTSUPP,
                "flag on a vIOMMU",
                s =>
                {
                    var nest = s.Nesting();
                    return s.NestedCommand(nest.Mock.OutIdevId, s.Viommu(nest), HwptAllocFlags.DirtyTracking);
                }
            ),
            Case(
                AllocName,
                EINVAL,
                "a device of another unit on a vIOMMU",
                s =>
                {
                    var viommu = s.Viommu(s.Nesting());
                    return s.NestedCommand(s.Bind("nic"), viommu);
                }
            ),
        ];

    private static HwptAlloc NestedOf(ErrnoStage stage, HwptAllocFlags flags = HwptAllocFlags.None)
    {
        var nest = stage.Nesting();
        return stage.NestedCommand(nest.Mock.OutIdevId, nest.Parent, flags, NoId);
    }

    private static HwptAlloc OnPlain(ErrnoStage stage)
    {
        var (ioas, mock) = stage.Attached();
        return stage.NestedCommand(mock.OutIdevId, stage.Paging(mock.OutIdevId, ioas));
    }

    private static HwptAlloc OnAutomatic(ErrnoStage stage)
    {
        var (_, mock) = stage.Attached();
        return stage.NestedCommand(mock.OutIdevId, mock.OutHwptId);
    }

    private static (uint Ioas, uint Hwpt) Tracked(ErrnoStage stage)
    {
        var (ioas, mock) = stage.Attached();
        return (ioas, stage.Paging(mock.OutIdevId, ioas, HwptAllocFlags.DirtyTracking));
    }

    private static HwptGetDirtyBitmap Bitmap(uint hwpt) =>
        new()
        {
            HwptId = hwpt,
            Iova = MappedAt,
            Length = 0x4000,
            PageSize = 0x1000,
            Data = Scratch,
        };

    private static IEnumerable<ErrnoCase> Dirty() =>
        [
            Case(TrackName, EOPNOTSUPP, "flag", s => new HwptSetDirtyTracking { HwptId = Tracked(s).Hwpt, Flags = 2 }),
            Case(
                TrackName,
                EOPNOTSUPP,
                "not tracking",
                s => new HwptSetDirtyTracking { HwptId = s.Attached().Mock.OutHwptId }
            ),
            Case(TrackName, ENOENT, "unused", _ => new HwptSetDirtyTracking { HwptId = NoId }),
            Case(TrackName, ENOENT, "nested", s => new HwptSetDirtyTracking { HwptId = s.Do(NestedOf(s)).OutHwptId }),
            Case(DirtyName, EOPNOTSUPP, "flag", s => Bitmap(Tracked(s).Hwpt) with { Flags = 2 }),
            Case(DirtyName, EOPNOTSUPP, "reserved word", s => Bitmap(Tracked(s).Hwpt) with { Reserved = 1 }),
            Case(DirtyName, EOPNOTSUPP, "not tracking", s => Bitmap(s.Attached().Mock.OutHwptId)),
            Case(DirtyName, ENOENT, "unused", _ => Bitmap(NoId)),
            Case(DirtyName, EOVERFLOW, "wraps", s => Bitmap(Tracked(s).Hwpt) with { Length = ulong.MaxValue }),
            Case(DirtyName, EOVERFLOW, "length 0", s => Bitmap(Tracked(s).Hwpt) with { Length = 0 }),
            Case(DirtyName, EINVAL, "IOVA misaligned", s => Bitmap(Tracked(s).Hwpt) with { Iova = MappedAt + 0x400 }),
            Case(DirtyName, EINVAL, "page size 0", s => Bitmap(Tracked(s).Hwpt) with { PageSize = 0 }),
            Case(DirtyName, EINVAL, "not whole pages", s => Bitmap(Tracked(s).Hwpt) with { PageSize = 0x8000 }),
            Case(
                DirtyName,
                EINVAL,
                "alignment wins over tracking",
                s => Bitmap(s.Attached().Mock.OutHwptId) with { Length = 0x100 }
            ),
        ];

    private static IEnumerable<ErrnoCase> Invalidations() =>
        [
            Case(InvalidateName, EOPNOTSUPP, "reserved word", _ => new HwptInvalidate { Reserved = 1 }),
            Case(InvalidateName, EOPNOTSUPP, "flag of an entry", s => InvalidateNested(s, 2, 0)),
            Case(InvalidateName, EINVAL, "no array", s => InvalidateNested(s, 0, 0) with { DataUptr = 0 }),
            Case(InvalidateName, EINVAL, "no length", s => InvalidateNested(s, 0, 0) with { EntryLen = 0 }),
            Case(
                InvalidateName,
                EINVAL,
                "entries above a page",
                s => InvalidateNested(s, 0, 0) with { EntryLen = 4097 }
            ),
            Case(InvalidateName, EINVAL, "too many", s => InvalidateNested(s, 0, 0) with { EntryNum = (1 << 19) + 1 }),
            Case(InvalidateName, EINVAL, "bounds win over the object", _ => Invalidate(NoId, 0, 1)),
            Case(InvalidateName, EINVAL, "a paging HWPT", s => Invalidate(s.Attached().Mock.OutHwptId, 8, 0)),
            Case(InvalidateName, EINVAL, "type", s => InvalidateNested(s, 0, 0) with { DataType = 1, EntryNum = 0 }),
            Case(InvalidateName, EINVAL, "entry length", s => InvalidateNested(s, 0, 0) with { EntryLen = 12 }),
            Case(InvalidateName, EINVAL, "entry 4", s => InvalidateNested(s, 0, 4)),
            Case(InvalidateName, EINVAL, "unknown vDEVICE", s => InvalidateViommu(s, 0, 9, 0)),
            Case(InvalidateName, ENOENT, "unused", _ => Invalidate(NoId, 8, 1)),
            Case(
                InvalidateName,
                EFAULT,
                "entries of a nested HWPT",
                s => InvalidateNested(s, 0, 0) with { DataUptr = Nowhere }
            ),
            Case(
                InvalidateName,
                EFAULT,
                "entries of a vIOMMU",
                s => InvalidateViommu(s, 0, 9, 0) with { DataUptr = Nowhere }
            ),
            Case(
                InvalidateName,
                E2BIG,
                "tail of a vIOMMU's entry",
                s => InvalidateViommu(s, 0, 9, 0, 1) with { EntryLen = 16 }
            ),
            new ErrnoCase(
                InvalidateName,
                EINVAL,
                "the second of two entries",
                s =>
                {
                    var command = InvalidateNested(s, 0, 1, 0, 4);
                    return command with { EntryNum = 2 };
                }
            )
            {
                Changes = true,
            },
        ];

    private static HwptInvalidate Invalidate(uint id, uint length, uint count) =>
        new()
        {
            HwptId = id,
            DataUptr = Scratch,
            DataType = InvalidateDataType.Selftest,
            EntryLen = length,
            EntryNum = count,
        };

    private static HwptInvalidate InvalidateNested(ErrnoStage stage, params ReadOnlySpan<uint> entries)
    {
        var nested = stage.Do(NestedOf(stage)).OutHwptId;
        stage.Put(Scratch, entries);
        return Invalidate(nested, 8, 1);
    }

    private static HwptInvalidate InvalidateViommu(ErrnoStage stage, params ReadOnlySpan<uint> entries)
    {
        var viommu = stage.Viommu(stage.Nesting());
        stage.Put(Scratch, entries);
        return Invalidate(viommu, 12, 1);
    }
}
