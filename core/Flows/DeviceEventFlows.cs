using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>A device asks for pages: one group at the fault queue of what it is attached to.</summary>
public sealed class RequestPagesFlow(ContextCore context, Caller caller, RequestPages command)
    : PageRequestFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<DeviceObject>(command.DeviceId) is not { } device)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        // Held so that the attachment cannot end, and drop its faults, between the look-up and the queue.
        var group = device.Group;
        yield return FlowWait.ForLock(group.Lock, exclusive: false);
        if (Route(group, command.Pasid) is not { Hwpt.Fault: { } fault } attachment || command.Addresses.Length == 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        var requests = new PageRequest[command.Addresses.Length];
        for (var i = 0; i < requests.Length; i++)
        {
            var flags = (i == requests.Length - 1 ? LastPage : 0) | (command.Pasid != 0 ? PasidValid : 0);
            requests[i] = new PageRequest(
                flags,
                command.Pasid,
                command.GroupId,
                command.Permissions,
                command.Addresses[i]
            );
        }

        yield return FlowWait.For(
            ParticipantKind.Fault,
            fault.Id,
            new QueueFault(new FaultGroup(attachment.Handle, device.Id, requests))
        );
        Events.Add(
            new PagesRequested(
                fault.Id,
                device.Id,
                command.Pasid,
                command.GroupId,
                command.Permissions,
                command.Addresses
            )
        );
    }
}

/// <summary>A device's DMA was refused behind a vIOMMU: the guest is told by an event.</summary>
public sealed class ReportDmaFaultFlow(ContextCore context, Caller caller, ReportDmaFault command)
    : Flow(context, caller)
{
    private const ulong TranslationFault = 0x10;
    private const ulong PermissionFault = 0x13;
    private const ulong HasSubstream = 1 << 11;
    private const ulong IsRead = 1UL << 35;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<DeviceObject>(command.DeviceId) is not { } device)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        // Held so that the device stays attached, and the vIOMMU in use, until the event is in the queue.
        yield return FlowWait.ForLock(device.Group.Lock, exclusive: false);
        var query = FlowWait.For(ParticipantKind.Device, device.Id, QueryVirtualId.Instance);
        yield return query;
        var known = query.As<VirtualId>();
        if (known.ViommuId == 0)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        foreach (var type in new[] { VeventqType.ArmSmmuV3, VeventqType.Selftest })
        {
            var find = FlowWait.For(ParticipantKind.Viommu, known.ViommuId, new FindVeventq(type));
            yield return find;
            if (Get<VeventqObject>(find.As<VeventqFound>().VeventqId) is not { } veventq)
            {
                continue;
            }

            var payload = type == VeventqType.ArmSmmuV3 ? Record(known.VirtId) : Number(known.VirtId);
            yield return FlowWait.For(ParticipantKind.Veventq, veventq.Id, new ReportEvent(payload));
            Events.Add(new VeventReported(veventq.Id, payload));
            yield break;
        }

        Fail(Errno.EOPNOTSUPP);
    }

    private static byte[] Number(ulong virtId)
    {
        var payload = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(payload, unchecked((uint)virtId));
        return payload;
    }

    // An event record of SMMUv3: what happened, substream and stream; direction; the input address.
    private byte[] Record(ulong virtId)
    {
        var what = command.Present ? PermissionFault : TranslationFault;
        var substream = command.Pasid == 0 ? 0 : HasSubstream | ((ulong)command.Pasid << 12);
        var payload = new byte[4 * sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, what | substream | (virtId << 32));
        BinaryPrimitives.WriteUInt64LittleEndian(payload.AsSpan(8), command.Write ? 0 : IsRead);
        BinaryPrimitives.WriteUInt64LittleEndian(payload.AsSpan(16), command.Address);
        return payload;
    }
}
