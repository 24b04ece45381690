using Iommufd.Messages.Commands;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;
using static Iommufd.Messages.Errno;

namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoCases
{
    private const string ViommuName = "IOMMU_VIOMMU_ALLOC";
    private const string VdeviceName = "IOMMU_VDEVICE_ALLOC";
    private const string VeventqName = "IOMMU_VEVENTQ_ALLOC";
    private const string QueueName = "IOMMU_HW_QUEUE_ALLOC";

    private static ViommuAlloc ViommuOf(Nest nest) =>
        new()
        {
            Type = ViommuType.Selftest,
            DevId = nest.Mock.OutIdevId,
            HwptId = nest.Parent,
        };

    private static IEnumerable<ErrnoCase> Viommus() =>
        [
            Case("IOMMU_FAULT_QUEUE_ALLOC", EOPNOTSUPP, "flags", _ => new FaultQueueAlloc { Flags = 1 }),
            Case(ViommuName, EOPNOTSUPP, "flags", s => ViommuOf(s.Nesting()) with { Flags = 1 }),
            Case(ViommuName, EOPNOTSUPP, "type 0", s => ViommuOf(s.Nesting()) with { Type = 0 }),
            Case(ViommuName, EOPNOTSUPP, "another driver's type", s => ViommuOf(s.Nesting()) with { Type = 1 }),
            Case(
                ViommuName,
                EOPNOTSUPP,
                "the type wins over no HWPT",
                s => ViommuOf(s.Nesting()) with { Type = 1, HwptId = NoId }
            ),
            Case(ViommuName, ENOENT, "no DEVICE", s => ViommuOf(s.Nesting()) with { DevId = NoId, Type = 1 }),
            Case(ViommuName, ENOENT, "no HWPT", s => ViommuOf(s.Nesting()) with { HwptId = NoId }),
            Case(
                ViommuName,
                ENOENT,
                "an IOAS",
                s => s.Nesting() is var n ? ViommuOf(n) with { HwptId = n.Ioas } : null!
            ),
            Case(
                ViommuName,
                EINVAL,
                "no parent",
                s => s.Nesting() is var n ? ViommuOf(n) with { HwptId = n.Mock.OutHwptId } : null!
            ),
            Case(
                ViommuName,
                EINVAL,
                "data too short",
                s => ViommuOf(s.Nesting()) with { DataLen = 7, DataUptr = Scratch }
            ),
            Case(
                ViommuName,
                EINVAL,
                "data too long",
                s => ViommuOf(s.Nesting()) with { DataLen = 25, DataUptr = Scratch }
            ),
            Case(ViommuName, EFAULT, "data cannot be read", s => ViommuOf(s.Nesting()) with { DataLen = 24 }),
            Case(
                ViommuName,
                EFAULT,
                "data cannot be written",
                s => ViommuOf(s.Nesting()) with { DataLen = 24, DataUptr = ReadOnly }
            ),
            .. Vdevices(),
            .. HwQueues(),
        ];

    private static VdeviceAlloc VdeviceOf(uint viommu, uint device, ulong virtId = 0x99) =>
        new()
        {
            ViommuId = viommu,
            DevId = device,
            VirtId = virtId,
        };

    private static IEnumerable<ErrnoCase> Vdevices() =>
        [
            Case(VdeviceName, ENOENT, "no vIOMMU", s => VdeviceOf(NoId, s.Nesting().Mock.OutIdevId)),
            Case(VdeviceName, ENOENT, "no DEVICE", s => VdeviceOf(s.Viommu(s.Nesting()), NoId)),
            Case(
                VdeviceName,
                EEXIST,
                "the device has one",
                s =>
                {
                    var nest = s.Nesting();
                    s.Vdevice(s.Viommu(nest), nest.Mock.OutIdevId, 1);
                    return VdeviceOf(s.Viommu(nest), nest.Mock.OutIdevId, 2);
                }
            ),
            Case(
                VdeviceName,
                EEXIST,
                "the number is taken",
                s =>
                {
                    var nest = s.Nesting();
                    var viommu = s.Viommu(nest);
                    s.Vdevice(viommu, nest.Mock.OutIdevId, 1);
                    return VdeviceOf(viommu, s.Mock(nest.Ioas).OutIdevId, 1);
                }
            ),
            Case(VdeviceName, EINVAL, "another unit", s => VdeviceOf(s.Viommu(s.Nesting()), s.Bind("nic"))),
            Case(VeventqName, EOPNOTSUPP, "flags", s => VeventqOf(s) with { Flags = 1 }),
            Case(VeventqName, EOPNOTSUPP, "reserved word", s => VeventqOf(s) with { Reserved = 1 }),
            Case(VeventqName, EOPNOTSUPP, "type 0", s => VeventqOf(s) with { Type = 0, VeventqDepth = 0 }),
            Case(VeventqName, EINVAL, "depth 0", s => VeventqOf(s) with { VeventqDepth = 0, ViommuId = NoId }),
            Case(VeventqName, EINVAL, "depth above 2^19", s => VeventqOf(s) with { VeventqDepth = (1 << 19) + 1 }),
            Case(VeventqName, ENOENT, "no vIOMMU", s => VeventqOf(s) with { ViommuId = NoId }),
            Case(VeventqName, EEXIST, "a second of the type", s => s.Do(VeventqOf(s))),
        ];

    private static VeventqAlloc VeventqOf(ErrnoStage stage) =>
        new()
        {
            ViommuId = stage.Viommu(stage.Nesting()),
            Type = VeventqType.Selftest,
            VeventqDepth = 1 << 19,
        };

    private static IEnumerable<ErrnoCase> HwQueues() =>
        [
            Case(QueueName, EOPNOTSUPP, "flags", s => QueueOf(s) with { Flags = 1 }),
            Case(QueueName, EOPNOTSUPP, "type 0", s => QueueOf(s) with { Type = 0, Length = 0 }),
            Case(
                QueueName,
                EOPNOTSUPP,
                "another driver's type",
                s => QueueOf(s) with { Type = HwQueueType.Tegra241Cmdqv }
            ),
            Case(QueueName, EINVAL, "length 0", s => QueueOf(s) with { Length = 0, ViommuId = NoId }),
            Case(QueueName, EINVAL, "number 2", s => QueueOf(s) with { Index = 2 }),
            Case(QueueName, EINVAL, "dma-buf", s => QueueOf(s, nest => MapFile(nest.Ioas, s.Dmabuf()))),
            Case(
                QueueName,
                EOVERFLOW,
                "wraps",
                s => QueueOf(s) with { NestingParentIova = ulong.MaxValue, Length = 2 }
            ),
            Case(QueueName, ENOENT, "no vIOMMU", s => QueueOf(s) with { ViommuId = NoId }),
            Case(QueueName, ENOENT, "not mapped", s => QueueOf(s) with { NestingParentIova = 0x4000_0000 }),
            Case(
                QueueName,
                ERANGE,
                "whole pages of nearly everything",
                s => QueueOf(s) with { NestingParentIova = 0, Length = ulong.MaxValue - 0x800 }
            ),
            Case(
                QueueName,
                ENOMEM,
                "more than 2 GiB",
                s => QueueOf(s) with { Length = (2ul << 30) + 1, NestingParentIova = 0x9000_0000 }
            ),
            Case(
                QueueName,
                EADDRINUSE,
                "a misaligned area elsewhere",
                s => QueueOf(s, n => Map(n.Ioas, 2 * MappedAt, 0x800))
            ),
            Case(
                QueueName,
                EPERM,
                "not readable",
                s => QueueOf(s, n => Map(n.Ioas) with { Flags = IoasMapFlags.FixedIova | IoasMapFlags.Writeable })
            ),
            Case(QueueName, EFAULT, "pages apart", s => QueueOf(s) with { Length = 0x2000 }),
            Case(QueueName, EEXIST, "number 0 taken", s => s.Do(QueueOf(s))),
            Case(QueueName, EIO, "number 1 before 0", s => QueueOf(s) with { Index = 1 }),
        ];

    private static HwQueueAlloc QueueOf(ErrnoStage stage, Func<Nest, IoctlCommand>? map = null)
    {
        var nest = stage.Nesting();
        stage.Do(map?.Invoke(nest) ?? Map(nest.Ioas));
        return stage.HwQueue(stage.Viommu(nest));
    }
}
