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
        ];
}
