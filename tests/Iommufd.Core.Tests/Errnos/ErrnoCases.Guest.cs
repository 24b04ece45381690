using Iommufd.Messages;
using Iommufd.Messages.Commands;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;
using static Iommufd.Messages.Errno;

namespace Iommufd.Core.Tests.Errnos;

// Nested HWPTs of the scenario units, and what their devices report.
public static partial class ErrnoCases
{
    private const string HwptAllocName = "IOMMU_HWPT_ALLOC";

    private static (uint Device, uint Parent) Parent(ErrnoStage stage, string device)
    {
        var bound = stage.Bind(device);
        return (bound, stage.Paging(bound, stage.Ioas(), HwptAllocFlags.NestParent));
    }

    private static HwptAlloc Stage1(ErrnoStage stage, string device, uint type, params ulong[] words)
    {
        var (bound, parent) = Parent(stage, device);
        return Stage1(stage, bound, parent, type, words);
    }

    private static HwptAlloc Stage1(ErrnoStage stage, uint device, uint parent, uint type, params ulong[] words)
    {
        stage.Put(Scratch, words);
        return new HwptAlloc
        {
            DevId = device,
            PtId = parent,
            DataType = type,
            DataLen = (uint)words.Length * 8,
            DataUptr = Scratch,
        };
    }

    private static (uint Device, uint Viommu) Smmu(ErrnoStage stage)
    {
        var (device, parent) = Parent(stage, "arm");
        var viommu = stage.Do(
            new ViommuAlloc
            {
                Type = ViommuType.ArmSmmuV3,
                DevId = device,
                HwptId = parent,
            }
        );
        return (device, viommu.OutViommuId);
    }

    private static HwptAlloc Ste(ErrnoStage stage, ulong word)
    {
        var (device, viommu) = Smmu(stage);
        return Stage1(stage, device, viommu, HwptDataType.ArmSmmuV3, word, 0);
    }

    private static HwptInvalidate VtdEntry(ErrnoStage stage, uint length, params ulong[] words)
    {
        var nested = stage.Do(Stage1(stage, "far", HwptDataType.VtdS1, 0, 0x1000, 48)).OutHwptId;
        stage.Put(Scratch, words);
        return new HwptInvalidate
        {
            HwptId = nested,
            DataUptr = Scratch,
            DataType = InvalidateDataType.VtdS1,
            EntryLen = length,
            EntryNum = 1,
        };
    }

    private static HwptInvalidate Command(ErrnoStage stage, uint length, params ulong[] words)
    {
        var (_, viommu) = Smmu(stage);
        stage.Put(Scratch, words);
        return new HwptInvalidate
        {
            HwptId = viommu,
            DataUptr = Scratch,
            DataType = InvalidateDataType.ViommuArmSmmuV3,
            EntryLen = length,
            EntryNum = 1,
        };
    }

    private static IEnumerable<ErrnoCase> Guests() =>
        [
            Case(HwptAllocName, EINVAL, "VT-d, short", s => Stage1(s, "far", HwptDataType.VtdS1, 0, 0x1000)),
            Case(HwptAllocName, EINVAL, "VT-d, width", s => Stage1(s, "far", HwptDataType.VtdS1, 0, 0x1000, 39)),
            Case(HwptAllocName, EINVAL, "VT-d, root", s => Stage1(s, "far", HwptDataType.VtdS1, 0, 0x1008, 48)),
            Case(HwptAllocName, EOPNOTSUPP, "VT-d, flag", s => Stage1(s, "far", HwptDataType.VtdS1, 8, 0x1000, 48)),
            Case(
                HwptAllocName,
                EOPNOTSUPP,
                "VT-d, reserved",
                s => Stage1(s, "far", HwptDataType.VtdS1, 0, 0x1000, 48 | (1ul << 32))
            ),
            Case(
                HwptAllocName,
                EFAULT,
                "VT-d, data",
                s => Stage1(s, "far", HwptDataType.VtdS1, 0, 0x1000, 48) with { DataUptr = Nowhere }
            ),
            Case(
                HwptAllocName,
                EOPNOTSUPP,
                "VT-d's data on AMD's unit",
                s => Stage1(s, "nic", HwptDataType.VtdS1, 0, 0x1000, 48)
            ),
            Case(
                HwptAllocName,
                EOPNOTSUPP,
                "SMMUv3 without a vIOMMU",
                s => Stage1(s, "arm", HwptDataType.ArmSmmuV3, 1 | (4 << 1), 0)
            ),
            Case(HwptAllocName, EINVAL, "AMD, not valid", s => Stage1(s, "nic", HwptDataType.AmdGuest, 0, 0, 0, 0)),
            Case(HwptAllocName, EIO, "stream table entry not valid", s => Ste(s, 5 << 1)),
            Case(HwptAllocName, EIO, "stream table entry of an unknown kind", s => Ste(s, 1 | (6 << 1))),
            Case(HwptAllocName, EIO, "context descriptors in two levels", s => Ste(s, 1 | (5 << 1) | (1 << 4))),
            Case(InvalidateName, EINVAL, "VT-d, entry length", s => VtdEntry(s, 16, 0, 1, 0)),
            Case(InvalidateName, EINVAL, "VT-d, misaligned", s => VtdEntry(s, 24, 8, 1, 0)),
            Case(InvalidateName, EINVAL, "VT-d, all from somewhere", s => VtdEntry(s, 24, 0x1000, ulong.MaxValue, 0)),
            Case(InvalidateName, EOPNOTSUPP, "VT-d, flag", s => VtdEntry(s, 24, 0, 1, 2)),
            Case(InvalidateName, EFAULT, "VT-d, entry", s => VtdEntry(s, 24, 0, 1, 0) with { DataUptr = Nowhere }),
            Case(InvalidateName, EINVAL, "SMMUv3, entry length", s => Command(s, 8, 0x10)),
            Case(InvalidateName, EIO, "SMMUv3, a command of the host", s => Command(s, 16, 0x04, 0)),
            Case(InvalidateName, EFAULT, "SMMUv3, entry", s => Command(s, 16, 0x10, 0) with { DataUptr = Nowhere }),
            Case(
                "IOMMU_VIOMMU_ALLOC",
                EOPNOTSUPP,
                "SMMUv3 on another unit",
                s =>
                {
                    var (device, parent) = Parent(s, "far");
                    return new ViommuAlloc
                    {
                        Type = ViommuType.ArmSmmuV3,
                        DevId = device,
                        HwptId = parent,
                    };
                }
            ),
            Case(nameof(RequestPages), ENOENT, "unused", _ => new RequestPages(NoId, 0, 1, 1, [0])),
            Case(nameof(RequestPages), EOPNOTSUPP, "no queue", s => new RequestPages(s.Bind("nic"), 0, 1, 1, [0])),
            Case(nameof(ReportDmaFault), ENOENT, "unused", _ => new ReportDmaFault(NoId, 0, 0, false, false)),
            Case(
                nameof(ReportDmaFault),
                ENOENT,
                "no vIOMMU",
                s => new ReportDmaFault(s.Bind("nic"), 0, 0, false, false)
            ),
            Case(
                nameof(ReportDmaFault),
                EOPNOTSUPP,
                "no event queue",
                s =>
                {
                    var (device, viommu) = Smmu(s);
                    s.Vdevice(viommu, device, 7);
                    var nested = s.Do(Stage1(s, device, viommu, HwptDataType.ArmSmmuV3, 1 | (4 << 1), 0)).OutHwptId;
                    s.Do(new AttachDevice(device, nested));
                    return new ReportDmaFault(device, 0, 0, false, false);
                }
            ),
        ];
}
