using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>VIOMMU_ALLOC (facts sheet B.17).</summary>
public sealed class ViommuAllocFlow(
    ContextCore context,
    Caller caller,
    ViommuAlloc command,
    bool hasWindow = false,
    uint windowWord = 0
) : Flow(context, caller)
{
    private const int LeastData = 8;
    private const int MostData = 24;
    private const ulong WindowLength = 2 * HostPage.Size;

    private uint _inData = windowWord;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        var errno = Check(out var device, out var parent);
        if (errno != Errno.OK)
        {
            Fail(errno);
            yield break;
        }

        var window = hasWindow || command.DataLen != 0 ? Context.Windows.Add(WindowLength) : null;
        if (window is not null && command.DataLen != 0 && !TryWriteData(window))
        {
            Context.Windows.Remove(window);
            Fail(Errno.EFAULT);
            yield break;
        }

        var viommu = Context.Reserve(
            new ViommuObject
            {
                Parent = parent!,
                Iommu = device!.Traits.Iommu,
                Window = window,
            }
        );
        parent!.Users++;
        if (window is not null)
        {
            window.Owner = viommu;
            window.Write(0, _inData);
        }

        Context.Engine.Host.Open(new Participant(ParticipantKind.Viommu, viommu.Id), new ViommuState());
        Context.Objects.Publish(viommu);
        Events.Add(
            new ViommuAllocated(
                viommu.Id,
                command.DevId,
                command.HwptId,
                command.Type,
                window is not null,
                window?.Read(0) ?? 0
            )
        );
        Succeed(command with { OutViommuId = viommu.Id });
    }

    private Errno Check(out DeviceObject? device, out HwptObject? parent)
    {
        device = null;
        parent = null;
        if (command.Flags != 0 || command.Type == ViommuType.Default)
        {
            return Errno.EOPNOTSUPP;
        }

        device = Get<DeviceObject>(command.DevId);
        if (device is null)
        {
            return Errno.ENOENT;
        }

        if (command.Type != ViommuType.Selftest && !IsOwnType(device))
        {
            return Errno.EOPNOTSUPP;
        }

        parent = Get<HwptObject>(command.HwptId);
        if (parent is null)
        {
            return Errno.ENOENT;
        }

        if (!parent.NestParent || parent.Iommu != device.Traits.Iommu)
        {
            return Errno.EINVAL;
        }

        return command.DataLen == 0 ? Errno.OK : ReadData();
    }

    // Arm's has no data of its own.
    private bool IsOwnType(DeviceObject device) =>
        command is { Type: ViommuType.ArmSmmuV3, DataLen: 0 }
        && device.Traits.Iommu is { Index: >= 0, Format: PageTables.IoPageTableFormat.ArmV8Lpae4K };

    private Errno ReadData()
    {
        if (command.DataLen is < LeastData or > MostData)
        {
            return Errno.EINVAL;
        }

        Span<byte> data = stackalloc byte[MostData];
        if (!Caller.Memory.TryRead(command.DataUptr, data[..(int)command.DataLen]))
        {
            return Errno.EFAULT;
        }

        _inData = BinaryPrimitives.ReadUInt32LittleEndian(data);
        return Errno.OK;
    }

    private bool TryWriteData(MmapWindow window)
    {
        Span<byte> data = stackalloc byte[MostData];
        BinaryPrimitives.WriteUInt32LittleEndian(data, _inData);
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], _inData);
        BinaryPrimitives.WriteUInt64LittleEndian(data[8..], window.Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(data[16..], window.Length);
        return Caller.Memory.TryWrite(command.DataUptr, data[..(int)command.DataLen]);
    }
}

/// <summary>VDEVICE_ALLOC (facts sheet B.18).</summary>
public sealed class VdeviceAllocFlow(ContextCore context, Caller caller, VdeviceAlloc command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<ViommuObject>(command.ViommuId) is not { } viommu || Get<DeviceObject>(command.DevId) is not { } device)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (viommu.Iommu != device.Traits.Iommu)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        // The group's lock excludes an unbind, which takes the vDEVICE with it, and another vDEVICE of the same device.
        yield return FlowWait.ForLock(device.Group.Lock, exclusive: true);
        yield return FlowWait.ForLock(viommu.Lock, exclusive: true);
        if (device.Phase != ObjectPhase.Live)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (device.Vdevice is not null)
        {
            Fail(Errno.EEXIST);
            yield break;
        }

        var vdevice = Context.Reserve(
            new VdeviceObject
            {
                Viommu = viommu,
                Device = device,
                VirtId = command.VirtId,
            }
        );
        var add = FlowWait.For(ParticipantKind.Viommu, viommu.Id, new AddVdevice(command.VirtId, device.Id));
        yield return add;
        if (add.Response.Errno != Errno.OK)
        {
            Context.Objects.Remove(vdevice);
            Fail(add.Response.Errno);
            yield break;
        }

        device.Vdevice = vdevice;
        viommu.Users++;
        device.Users++;
        Context.Engine.Host.Open(
            new Participant(ParticipantKind.Vdevice, vdevice.Id),
            new VdeviceState(device.Id, viommu.Id, command.VirtId)
        );
        Context.Objects.Publish(vdevice);
        Events.Add(new VdeviceAllocated(vdevice.Id, viommu.Id, device.Id, command.VirtId));
        Succeed(command with { OutVdeviceId = vdevice.Id });
    }
}

/// <summary>mmap() of the iommufd (facts sheet A.11).</summary>
public sealed class MapWindowFlow(ContextCore context, Caller caller, MapWindow command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Length == 0 || (command.Length & HostPage.OffsetMask) != 0 || !command.Shared)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        if (command.Executable)
        {
            Fail(Errno.EPERM);
            yield break;
        }

        if (Context.Windows.Find(command.Offset, command.Length) is not { Owner.Phase: ObjectPhase.Live } window)
        {
            Fail(Errno.ENXIO);
            yield break;
        }

        window.Owner.Users++;
        window.Mappings++;
        Events.Add(new WindowMapped(window.Offset, window.Length));
        Succeed(command with { OutWindow = window });
    }
}

/// <summary>munmap() of a window.</summary>
public sealed class UnmapWindowFlow(ContextCore context, Caller caller, UnmapWindow command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Context.Windows.Find(command.Offset, command.Length) is not { Mappings: > 0 } window)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        window.Owner.Users--;
        window.Mappings--;
        Events.Add(new WindowUnmapped(window.Offset, window.Length));
    }
}
