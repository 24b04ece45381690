using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Core.Faults;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>VEVENTQ_ALLOC (facts sheet B.19).</summary>
public sealed class VeventqAllocFlow(ContextCore context, Caller caller, VeventqAlloc command) : Flow(context, caller)
{
    private const uint MaxDepth = 1u << 19;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Flags != 0 || command.Reserved != 0 || command.Type == VeventqType.Default)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        if (command.VeventqDepth is 0 or > MaxDepth)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        if (Get<ViommuObject>(command.ViommuId) is not { } viommu)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var veventq = Context.Reserve(
            new VeventqObject
            {
                Viommu = viommu,
                Type = command.Type,
                Depth = command.VeventqDepth,
            }
        );
        var add = FlowWait.For(ParticipantKind.Viommu, viommu.Id, new AddVeventq(command.Type, veventq.Id));
        yield return add;
        if (add.Response.Errno != Errno.OK)
        {
            Context.Objects.Remove(veventq);
            Fail(add.Response.Errno);
            yield break;
        }

        var fd = Caller.Open(new VeventqDescriptor(Context.Number, veventq.Id));
        if (fd == DescriptorTable.None)
        {
            yield return FlowWait.For(ParticipantKind.Viommu, viommu.Id, new RemoveVeventq(command.Type));
            Context.Objects.Remove(veventq);
            Fail(Errno.EMFILE);
            yield break;
        }

        viommu.Users++;
        veventq.Users = 2;
        Context.Engine.Host.Open(
            new Participant(ParticipantKind.Veventq, veventq.Id),
            new VeventqState(command.VeventqDepth)
        );
        Context.Objects.Publish(veventq);
        Events.Add(new VeventqAllocated(veventq.Id, viommu.Id, command.Type, command.VeventqDepth));
        Succeed(command with { OutVeventqId = veventq.Id, OutVeventqFd = fd });
    }
}

/// <summary>The selftest's TRIGGER_VEVENT: a mock device reports an event to the vIOMMU behind its HWPT.</summary>
public sealed class TriggerVeventFlow(ContextCore context, Caller caller, TestTriggerVevent command)
    : Flow(context, caller)
{
    // A storm that overflows a deeper queue is no quick test of anything.
    private const uint MaxStorm = 256;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<DeviceObject>(command.DevId) is not { } device)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        // Held so that the device stays attached, and the vIOMMU in use, until the event is in the queue.
        yield return FlowWait.ForLock(device.Group.Lock, exclusive: false);
        var query = FlowWait.For(ParticipantKind.Device, device.Id, QueryVirtualId.Instance);
        yield return query;
        var known = query.As<VirtualId>();
        if (known.ViommuId == 0 || known.VirtId == 0)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var find = FlowWait.For(ParticipantKind.Viommu, known.ViommuId, new FindVeventq(VeventqType.Selftest));
        yield return find;
        if (Get<VeventqObject>(find.As<VeventqFound>().VeventqId) is not { } veventq)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        var payload = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(payload, unchecked((uint)known.VirtId));
        var reports =
            veventq.Depth <= MaxStorm && Strikes(FaultPoints.VeventqOverflow, device.Traits.Name)
                ? veventq.Depth + 1
                : 1;
        for (var i = 0u; i < reports; i++)
        {
            yield return FlowWait.For(ParticipantKind.Veventq, veventq.Id, new ReportEvent(payload));
            Events.Add(new VeventReported(veventq.Id, payload));
        }
    }
}

/// <summary>read() of an event queue's descriptor.</summary>
public sealed class ReadVeventqFlow(ContextCore context, Caller caller, ReadVeventq command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<VeventqObject>(command.VeventqId) is not { } veventq)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (command.Count < VirtualEvent.HeaderSize)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        yield return FlowWait.ForLock(veventq.Lock, exclusive: true);
        var done = 0ul;
        var events = 0;
        var errno = Errno.OK;
        while (errno == Errno.OK && command.Count - done >= VirtualEvent.HeaderSize)
        {
            var take = FlowWait.For(ParticipantKind.Veventq, veventq.Id, new TakeEvent(command.Count - done));
            yield return take;
            var taken = take.As<EventTaken>();
            errno = taken.Errno;
            if (taken.Event is not { } read)
            {
                break;
            }

            var bytes = Format(read);
            if (Strikes(FaultPoints.QueueCopyOut) || !Caller.Memory.TryWrite(unchecked(command.Address + done), bytes))
            {
                yield return FlowWait.For(ParticipantKind.Veventq, veventq.Id, new ReturnEvent(read));
                errno = Errno.EFAULT;
                break;
            }

            done += (ulong)bytes.Length;
            events++;
        }

        if (events > 0)
        {
            Events.Add(new VeventsRead(veventq.Id, events));
        }

        Result = done == 0 && errno != Errno.OK ? IoctlResult.Fail(errno) : new IoctlResult(Errno.OK, (long)done, null);
    }

    private static byte[] Format(VirtualEvent read)
    {
        var bytes = new byte[read.Size];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, read.Flags);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), read.Sequence);
        read.Payload.CopyTo(bytes.AsSpan(VirtualEvent.HeaderSize));
        return bytes;
    }
}
