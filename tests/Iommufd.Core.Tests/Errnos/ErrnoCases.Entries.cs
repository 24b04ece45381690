using Iommufd.Messages;
using Iommufd.Messages.Commands;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;
using static Iommufd.Messages.Errno;

namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoCases
{
    private static ResizeEntries Resize(ErrnoStage stage) =>
        new(stage.Attached().Mock.OutHwptId, MappedAt, 0x4000, 0x1000, Merge: false);

    private static IEnumerable<ErrnoCase> Entries() =>
        [
            Case("SetEntryPolicy", EOPNOTSUPP, "policy", s => new SetEntryPolicy(s.Ioas(), (EntryPolicy)4)),
            Case("SetEntryPolicy", ENOENT, "unused", _ => new SetEntryPolicy(NoId, EntryPolicy.Promote)),
            Case(
                "SetEntryPolicy",
                EINVAL,
                "a DEVICE",
                s => new SetEntryPolicy(s.Attached().Mock.OutIdevId, EntryPolicy.Promote)
            ),
            Case("ResizeEntries", EINVAL, "length 0", s => Resize(s) with { Length = 0 }),
            Case("ResizeEntries", EINVAL, "page size", s => Resize(s) with { PageSize = 0x3000, Length = 0x3000 }),
            Case("ResizeEntries", EINVAL, "not whole pages", s => Resize(s) with { PageSize = 0x8000 }),
            Case("ResizeEntries", EOVERFLOW, "wraps", s => Resize(s) with { Iova = ulong.MaxValue }),
            Case("ResizeEntries", ENOENT, "unused", s => Resize(s) with { HwptId = NoId }),
            Case(
                "ResizeEntries",
                ENOENT,
                "a nested HWPT",
                s => Resize(s) with { HwptId = s.Do(NestedOf(s)).OutHwptId }
            ),
            .. SharedTables(),
        ];

    private static AttachDevice Crowded(ErrnoStage stage)
    {
        var disk = stage.Bind("disk");
        var hwpt = stage.Do(new AllocateSharedHwpt(disk, stage.Guest(0x10_0000))).OutHwptId;
        return new AttachDevice(disk, hwpt);
    }

    private static HwptAlloc NestedOnShared(ErrnoStage stage)
    {
        var device = stage.Bind("nic");
        return stage.NestedCommand(device, stage.Do(new AllocateSharedHwpt(device, stage.Guest())).OutHwptId);
    }

    private static IEnumerable<ErrnoCase> SharedTables() =>
        [
            Case(
                "AllocateSharedHwpt",
                EOPNOTSUPP,
                "flag",
                s => new AllocateSharedHwpt(s.Bind("nic"), s.Guest(), HwptAllocFlags.NestParent)
            ),
            Case("AllocateSharedHwpt", ENOENT, "no DEVICE", s => new AllocateSharedHwpt(NoId, s.Guest())),
            Case("AllocateSharedHwpt", EBADF, "closed", s => new AllocateSharedHwpt(s.Bind("nic"), 77)),
            Case("AllocateSharedHwpt", EINVAL, "a file", s => new AllocateSharedHwpt(s.Bind("nic"), s.File())),
            Case("AllocateSharedHwpt", EINVAL, "another format", s => new AllocateSharedHwpt(s.Bind("far"), s.Guest())),
            Case("AttachDevice", EADDRINUSE, "guest memory in a reserved region", Crowded),
            Case(AllocName, EINVAL, "on a shared table", NestedOnShared),
        ];
}
