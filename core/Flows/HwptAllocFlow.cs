using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Dma.Guest;
using Iommufd.Core.Faults;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>HWPT_ALLOC: a paging HWPT on an IOAS, a nested one on a nesting parent or a vIOMMU (facts sheet B.11).</summary>
public sealed class HwptAllocFlow(
    ContextCore context,
    Caller caller,
    HwptAlloc command,
    uint tableType = 0,
    uint iotlb = 0,
    bool recorded = false,
    ulong[]? recordedStage = null
) : DeviceFlow(context, caller)
{
    private const HwptAllocFlags PagingFlags =
        HwptAllocFlags.NestParent | HwptAllocFlags.DirtyTracking | HwptAllocFlags.FaultIdValid | HwptAllocFlags.Pasid;

    private const HwptAllocFlags NestedFlags = HwptAllocFlags.FaultIdValid | HwptAllocFlags.Pasid;

    private uint _iotlb = iotlb;
    private uint _tableType = tableType;
    private GuestStageData? _stage;

    private bool WantsFaults => command.Flags.HasFlag(HwptAllocFlags.FaultIdValid);

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Reserved != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            return Nothing();
        }

        if (!recorded && (command.DataType == HwptDataType.None) != (command.DataLen == 0))
        {
            Fail(Errno.EINVAL);
            return Nothing();
        }

        if (Get<DeviceObject>(command.DevId) is not { } device)
        {
            Fail(Errno.ENOENT);
            return Nothing();
        }

        switch (Get<ContextObject>(command.PtId))
        {
            case IoasObject ioas:
                return AllocatePaging(device, ioas);
            case HwptObject parent:
                AllocateNested(device, parent, viommu: null);
                return Nothing();
            case ViommuObject viommu when viommu.Iommu == device.Traits.Iommu:
                AllocateNested(device, viommu.Parent, viommu);
                return Nothing();
            default:
                Fail(Errno.EINVAL);
                return Nothing();
        }
    }

    private static IEnumerator<FlowWait> Nothing()
    {
        yield break;
    }

    private IEnumerator<FlowWait> AllocatePaging(DeviceObject device, IoasObject ioas)
    {
        yield return FlowWait.ForLock(ioas.Mutex, exclusive: true);
        if (CheckPaging(device) is var bad && bad != Errno.OK)
        {
            Fail(bad);
            yield break;
        }

        if (Strikes(FaultPoints.HwptAlloc, device.Traits.Name))
        {
            Fail(Errno.ENOMEM);
            yield break;
        }

        var hwpt = MakeHwpt(ioas, device.Traits, command.Flags, _tableType, auto: false);
        var outcome = new Outcome();
        foreach (var wait in AddDomain(hwpt, outcome))
        {
            yield return wait;
        }

        // The fault queue is looked up last, when everything else is done already.
        if (outcome.IsOk && !TrySetFault(hwpt))
        {
            outcome.Errno = Errno.ENOENT;
            Pinned.Clear();
            foreach (var wait in RemoveDomain(hwpt))
            {
                yield return wait;
            }
        }

        if (!outcome.IsOk)
        {
            AbandonHwpt(hwpt);
            Fail(outcome.Errno);
            yield break;
        }

        ioas.Hwpts.Add(hwpt.Id);
        Context.Objects.Publish(hwpt);
        Events.Add(
            new HwptAllocated(
                hwpt.Id,
                command.DevId,
                ioas.Id,
                (uint)(command.Flags & ~HwptAllocFlags.FaultIdValid),
                _tableType,
                PinnedForEvent()
            )
        );
        if (WantsFaults)
        {
            Events.Add(new HwptFaultSet(hwpt.Id, command.FaultId));
        }

        Succeed(command with { OutHwptId = hwpt.Id });
    }

    private void AllocateNested(DeviceObject device, HwptObject parent, ViommuObject? viommu)
    {
        if (CheckNested(device, parent, viommu) is var bad && bad != Errno.OK)
        {
            Fail(bad);
            return;
        }

        if (Strikes(FaultPoints.HwptAlloc, device.Traits.Name))
        {
            Fail(Errno.ENOMEM);
            return;
        }

        var hwpt = Context.Reserve(
            new NestedHwptObject(parent, viommu)
            {
                PasidCompatible = command.Flags.HasFlag(HwptAllocFlags.Pasid),
                Iommu = device.Traits.Iommu,
            }
        );
        if (!TrySetFault(hwpt))
        {
            Context.Objects.Remove(hwpt);
            Fail(Errno.ENOENT);
            return;
        }

        var state = new NestedHwptState(hwpt.Id, (IDmaRoot)parent.Root!, _iotlb, _stage);
        hwpt.Root = state;
        hwpt.Holds.Users++;
        Context.Engine.Host.Open(new Participant(ParticipantKind.NestedHwpt, hwpt.Id), state);
        Context.Objects.Publish(hwpt);
        Events.Add(EventOf(hwpt));
        Succeed(command with { OutHwptId = hwpt.Id });
    }

    private ContextEvent EventOf(NestedHwptObject hwpt)
    {
        var fault = WantsFaults ? command.FaultId : 0;
        return _stage is null
            ? new NestedHwptAllocated(hwpt.Id, command.DevId, command.PtId, (uint)command.Flags, _iotlb, fault)
            : new GuestStageAllocated(
                hwpt.Id,
                command.DevId,
                command.PtId,
                (uint)command.Flags,
                _stage.Type,
                _stage.Words,
                fault
            );
    }

    private bool TrySetFault(HwPageTableObject hwpt)
    {
        if (!WantsFaults)
        {
            return true;
        }

        hwpt.Fault = Context.Objects.Find<FaultObject>(command.FaultId);
        if (hwpt.Fault is not { } fault)
        {
            return false;
        }

        fault.Users++;
        return true;
    }

    private Errno CheckPaging(DeviceObject device)
    {
        if ((command.Flags & ~PagingFlags) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (command.Flags.HasFlag(HwptAllocFlags.DirtyTracking) && !device.Traits.DirtyTracking)
        {
            return Errno.EOPNOTSUPP;
        }

        if (WantsFaults && command.Flags.HasFlag(HwptAllocFlags.NestParent))
        {
            return Errno.EOPNOTSUPP;
        }

        if (command.DataLen != 0 && ReadSelftestData() is var bad && bad != Errno.OK)
        {
            return bad;
        }

        return _tableType > 1 ? Errno.EOPNOTSUPP : Errno.OK;
    }

    private Errno CheckNested(DeviceObject device, HwptObject parent, ViommuObject? viommu)
    {
        if ((command.Flags & ~NestedFlags) != 0 || (command.DataLen == 0 && !recorded))
        {
            return Errno.EOPNOTSUPP;
        }

        if (viommu is null && (parent.Auto || !parent.NestParent || parent.Iommu != device.Traits.Iommu))
        {
            return Errno.EINVAL;
        }

        if (recordedStage is not null)
        {
            return GuestStageData.TryParse(command.DataType, recordedStage, out _stage);
        }

        if (recorded)
        {
            return Errno.OK;
        }

        var type = GuestStageData.TypeOf(device.Traits.Iommu, viommu is not null);
        return type != HwptDataType.None && command.DataType == type ? ReadStageData() : ReadSelftestData();
    }

    private Errno ReadStageData()
    {
        Span<byte> data = stackalloc byte[GuestStageData.SizeOf(command.DataType)];
        if (command.DataLen != (uint)data.Length)
        {
            return Errno.EINVAL;
        }

        return Caller.Memory.TryRead(command.DataUptr, data)
            ? GuestStageData.TryParse(command.DataType, GuestStageData.WordsOf(data), out _stage)
            : Errno.EFAULT;
    }

    private Errno ReadSelftestData()
    {
        if (command.DataType != HwptDataType.Selftest)
        {
            return Errno.EOPNOTSUPP;
        }

        if (command.DataLen is < 4 or > 8)
        {
            return Errno.EINVAL;
        }

        Span<byte> data = stackalloc byte[8];
        data.Clear();
        if (!Caller.Memory.TryRead(command.DataUptr, data[..(int)command.DataLen]))
        {
            return Errno.EFAULT;
        }

        _iotlb = BinaryPrimitives.ReadUInt32LittleEndian(data);
        _tableType = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
        return Errno.OK;
    }
}
