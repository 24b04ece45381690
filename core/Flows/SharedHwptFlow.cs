using Iommufd.Core.Context;
using Iommufd.Core.PageTables;
using Iommufd.Core.Participants;
using Iommufd.Core.Sharing;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Makes a HWPT of a virtual machine's second-stage table (docs/decisions/0006-kvm-shared-table.md).</summary>
public sealed class SharedHwptFlow : Flow
{
    private readonly AllocateSharedHwpt _command;
    private readonly SharedTable? _known;

    /// <summary>Of the table behind a descriptor.</summary>
    public SharedHwptFlow(ContextCore context, Caller caller, AllocateSharedHwpt command)
        : base(context, caller) => _command = command;

    /// <summary>In a replay: of an empty table.</summary>
    public SharedHwptFlow(ContextCore context, Caller caller, AllocateKnownSharedHwpt command)
        : this(context, caller, new AllocateSharedHwpt(command.DeviceId, -1, command.Flags)) =>
        _known = new SharedTable(null, (IoPageTableFormat)command.Format);

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if ((_command.Flags & ~HwptAllocFlags.Pasid) != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        if (Get<DeviceObject>(_command.DeviceId) is not { } device)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (Hold(device, out var errno) is not { } table)
        {
            Fail(errno);
            yield break;
        }

        var hwpt = Context.Reserve(
            new SharedHwptObject(table)
            {
                PasidCompatible = _command.Flags.HasFlag(HwptAllocFlags.Pasid),
                Iommu = device.Traits.Iommu,
            }
        );
        var state = new SharedHwptState(hwpt.Id, table);
        hwpt.Root = state;
        Context.Engine.Host.Open(new Participant(ParticipantKind.Hwpt, hwpt.Id), state);
        Context.Objects.Publish(hwpt);
        Events.Add(new SharedHwptAllocated(hwpt.Id, _command.DeviceId, (uint)_command.Flags, (uint)table.Table.Format));
        Succeed(_command with { OutHwptId = hwpt.Id });
    }

    // The descriptor's hold becomes the HWPT's.
    private SharedTable? Hold(DeviceObject device, out Errno errno)
    {
        errno = Errno.OK;
        if (_known is not null)
        {
            return _known;
        }

        switch (Caller.Descriptors.Hold(_command.GuestFd))
        {
            case null:
                errno = Errno.EBADF;
                return null;
            case GuestDescriptor { Table: var table } when table.Table.Format == device.Traits.Iommu.Format:
                return table;
            case { } other:
                other.Release();
                errno = Errno.EINVAL;
                return null;
        }
    }
}
