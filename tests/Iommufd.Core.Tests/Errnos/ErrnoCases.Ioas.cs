using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;
using static Iommufd.Messages.Errno;

namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoCases
{
    private const string DestroyName = "IOMMU_DESTROY";
    private const string AllowName = "IOMMU_IOAS_ALLOW_IOVAS";
    private const string RangesName = "IOMMU_IOAS_IOVA_RANGES";
    private const string OptionName = "IOMMU_OPTION";
    private const string VfioIoasName = "IOMMU_VFIO_IOAS";
    private const string ProcessName = "IOMMU_IOAS_CHANGE_PROCESS";

    private static IEnumerable<ErrnoCase> IoasCommands() =>
        [
            Case(DestroyName, ENOENT, "id 0", _ => new Destroy()),
            Case(DestroyName, ENOENT, "unused", _ => new Destroy { Id = NoId }),
            Case(
                DestroyName,
                ENOENT,
                "tombstone",
                s =>
                {
                    var nest = s.Nesting();
                    var vdevice = s.Vdevice(s.Viommu(nest), nest.Mock.OutIdevId, 1);
                    s.Do(new Destroy { Id = nest.Mock.OutStdevId });
                    return new Destroy { Id = vdevice };
                }
            ),
            Case(DestroyName, EBUSY, "an IOAS with a HWPT", s => new Destroy { Id = s.Attached().Ioas }),
            Case(DestroyName, EBUSY, "a DEVICE", s => new Destroy { Id = s.Attached().Mock.OutIdevId }),
            Case(DestroyName, EBUSY, "an attached HWPT", s => new Destroy { Id = s.Attached().Mock.OutHwptId }),
            Case(
                DestroyName,
                EBUSY,
                "an ACCESS",
                s => new Destroy { Id = s.Do(new CreateAccess(s.Ioas(), true)).OutAccessId }
            ),
            Case(DestroyName, EBUSY, "an open queue", s => new Destroy { Id = s.Do(new FaultQueueAlloc()).OutFaultId }),
            Case("IOMMU_IOAS_ALLOC", EOPNOTSUPP, "flags", _ => new IoasAlloc { Flags = 1 }),
            .. AllowedRanges(),
            .. Options(),
            Case(VfioIoasName, EOPNOTSUPP, "reserved word", _ => new VfioIoas { Reserved = 1 }),
            Case(VfioIoasName, EOPNOTSUPP, "operation", _ => new VfioIoas { Op = 3 }),
            Case(VfioIoasName, ENODEV, "none", _ => new VfioIoas()),
            Case(
                VfioIoasName,
                ENODEV,
                "destroyed",
                s =>
                {
                    s.Do(new Destroy { Id = s.Compat() });
                    return new VfioIoas();
                }
            ),
            Case(VfioIoasName, ENOENT, "no IOAS", _ => new VfioIoas { Op = VfioIoasOp.Set, IoasId = NoId }),
            Case(ProcessName, EOPNOTSUPP, "reserved word", _ => new IoasChangeProcess { Reserved = 1 }),
            Case(ProcessName, EINVAL, "user memory", s => After(s.Do(Map(s.Ioas())), new IoasChangeProcess())),
            Case(
                ProcessName,
                EINVAL,
                "dma-buf",
                s => After(s.Do(MapFile(s.Ioas(), s.Dmabuf())), new IoasChangeProcess())
            ),
            Held(ProcessName, EBUSY, "being unmapped", s => After(BeingUnmapped(s), new IoasChangeProcess())),
            Case(ProcessName, ENOMEM, "limit of the user", s => MovedOverLimit(s, pages: 7)),
            Case(
                ProcessName,
                ENOMEM,
                "limit of the process",
                s =>
                {
                    s.Do(new Option { OptionId = OptionId.RlimitMode, Val64 = 1 });
                    return MovedOverLimit(s, pages: 3);
                }
            ),
        ];

    private static IoctlCommand After(IoctlCommand done, IoctlCommand command)
    {
        ArgumentNullException.ThrowIfNull(done);
        return command;
    }

    // In USER mode the user pays twice for a moment.
    private static IoasChangeProcess MovedOverLimit(ErrnoStage stage, ulong pages)
    {
        stage.DoAs(stage.Poor(pages: 8), MapFile(stage.Attached().Ioas, stage.File()));
        stage.CallAs = stage.Poor(pages);
        return new IoasChangeProcess();
    }

    private static IEnumerable<ErrnoCase> AllowedRanges() =>
        [
            Case(AllowName, EOPNOTSUPP, "reserved word", s => new IoasAllowIovas { IoasId = s.Ioas(), Reserved = 1 }),
            Case(AllowName, ENOENT, "no IOAS", _ => new IoasAllowIovas { IoasId = NoId }),
            Case(AllowName, EFAULT, "array", s => Allow(s.Ioas(), Nowhere, 1)),
            Case(AllowName, EINVAL, "one byte", s => AllowOf(s, s.Ioas(), 0x1000, 0x1000)),
            Case(AllowName, EINVAL, "overlap", s => AllowOf(s, s.Ioas(), 0x1000, 0x1fff, 0x1fff, 0x2fff)),
            Case(AllowName, EINVAL, "bad entry before an unreadable one", s => BadBeforeUnreadable(s)),
            Case(AllowName, EADDRINUSE, "outside the aperture", s => AllowOf(s, s.Attached().Ioas, 0x1000, 0x1fff)),
            Case("SetAllowedRanges", ENOENT, "no IOAS", _ => new SetAllowedRanges(NoId, [])),
            Case(
                "SetAllowedRanges",
                EADDRINUSE,
                "aperture",
                s => new SetAllowedRanges(s.Attached().Ioas, [0x1000, 0x1fff])
            ),
            Case(RangesName, EOPNOTSUPP, "reserved word", s => new IoasIovaRanges { IoasId = s.Ioas(), Reserved = 1 }),
            Case(RangesName, ENOENT, "no IOAS", _ => new IoasIovaRanges { IoasId = NoId }),
            Case(
                RangesName,
                EFAULT,
                "array",
                s => new IoasIovaRanges
                {
                    IoasId = s.Ioas(),
                    NumIovas = 1,
                    AllowedIovas = Nowhere,
                }
            ),
            Case(RangesName, EMSGSIZE, "no room", s => new IoasIovaRanges { IoasId = s.Ioas() }),
        ];

    private static IoasAllowIovas Allow(uint ioas, ulong array, uint count) =>
        new()
        {
            IoasId = ioas,
            AllowedIovas = array,
            NumIovas = count,
        };

    private static IoasAllowIovas AllowOf(ErrnoStage stage, uint ioas, params ReadOnlySpan<ulong> array)
    {
        stage.Put(Scratch, array);
        return Allow(ioas, Scratch, (uint)array.Length / 2);
    }

    private static IoasAllowIovas BadBeforeUnreadable(ErrnoStage stage)
    {
        const ulong lastEntry = Scratch + 0x4000 - 16;
        stage.Put(lastEntry, 2ul, 1ul);
        return Allow(stage.Ioas(), lastEntry, 2);
    }

    private static IEnumerable<ErrnoCase> Options() =>
        [
            Case(OptionName, EOPNOTSUPP, "reserved word", _ => new Option { Reserved = 1 }),
            Case(OptionName, EOPNOTSUPP, "option", _ => new Option { OptionId = 2 }),
            Case(OptionName, EOPNOTSUPP, "operation", _ => new Option { Op = 2 }),
            Case(OptionName, EOPNOTSUPP, "RLIMIT_MODE of an object", s => new Option { ObjectId = s.Ioas() }),
            Case(OptionName, EOPNOTSUPP, "HUGE_PAGES, operation", s => Huge(s.Ioas(), 0) with { Op = 2 }),
            Case(
                OptionName,
                EPERM,
                "no CAP_SYS_RESOURCE",
                s =>
                {
                    s.CallAs = s.Poor(pages: 8, mayChangeModes: false);
                    return new Option { Val64 = 7 };
                }
            ),
            Case(
                OptionName,
                EBUSY,
                "an object exists",
                s => After(new Destroy { Id = s.Ioas() }, new Option { Val64 = 7 })
            ),
            Case(OptionName, EINVAL, "RLIMIT_MODE 2", _ => new Option { Val64 = 2 }),
            Case(OptionName, EINVAL, "HUGE_PAGES 2", s => Huge(s.Ioas(), 2)),
            Case(
                OptionName,
                EINVAL,
                "HUGE_PAGES 0 of mapped domains",
                s => Huge(s.Do(Map(s.Attached().Ioas)).IoasId, 0)
            ),
            Case(OptionName, ENOENT, "no IOAS", _ => Huge(NoId, 0)),
            Case(OptionName, ENOENT, "no IOAS wins over the operation", _ => Huge(NoId, 0) with { Op = 2 }),
            Case(OptionName, EADDRINUSE, "misaligned", s => Huge(s.Do(Map(s.Ioas(), length: 0x800)).IoasId, 0)),
        ];

    private static Option Huge(uint ioas, ulong value) =>
        new()
        {
            OptionId = OptionId.HugePages,
            ObjectId = ioas,
            Val64 = value,
        };
}
