using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Core.Faults;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>FAULT_QUEUE_ALLOC (facts sheet B.16).</summary>
public sealed class FaultQueueAllocFlow(ContextCore context, Caller caller, FaultQueueAlloc command)
    : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Flags != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        var fault = Context.Reserve(new FaultObject());
        var fd = Caller.Open(new FaultDescriptor(Context.Number, fault.Id));
        if (fd == DescriptorTable.None)
        {
            Context.Objects.Remove(fault);
            Fail(Errno.EMFILE);
            yield break;
        }

        fault.Users = 2;
        Context.Engine.Host.Open(new Participant(ParticipantKind.Fault, fault.Id), new FaultState());
        Context.Objects.Publish(fault);
        Events.Add(new FaultQueueAllocated(fault.Id));
        Succeed(command with { OutFaultId = fault.Id, OutFaultFd = fd });
    }
}

/// <summary>Flows that bring a device's page requests to the queue that they belong to.</summary>
public abstract class PageRequestFlow(ContextCore context, Caller caller) : Flow(context, caller)
{
    /// <summary>Flag of a request: it has a PASID.</summary>
    protected const uint PasidValid = 1;

    /// <summary>Flag of a request: the last one of its group.</summary>
    protected const uint LastPage = 2;

    /// <summary>
    /// Where requests of a group's devices go (D.11): a PASID that is not attached belongs to the user's own PASID table when the device
    /// is attached to a nested HWPT. Under the group's lock.
    /// </summary>
    protected static Attachment? Route(DeviceGroup group, uint pasid)
    {
        if (group.Attachments.TryGetValue(pasid, out var exact))
        {
            return exact;
        }

        return group.Attachments.TryGetValue(0, out var own) && own.Hwpt is NestedHwptObject ? own : null;
    }
}

/// <summary>The selftest's TRIGGER_IOPF: a mock device reports a page fault. Nobody is told whether somebody handles it.</summary>
public sealed class TriggerIopfFlow(ContextCore context, Caller caller, TestTriggerIopf command)
    : PageRequestFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<DeviceObject>(command.DevId) is not { } device)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        // Held so that the attachment cannot end, and drop its faults, between the look-up and the queue.
        var group = device.Group;
        yield return FlowWait.ForLock(group.Lock, exclusive: false);
        if (Route(group, command.Pasid) is not { Hwpt.Fault: { } fault } attachment)
        {
            yield break;
        }

        if (Strikes(FaultPoints.PriRequestLost, device.Traits.Name))
        {
            // The hardware answers for the system: nobody ever hears of it.
            yield break;
        }

        var flags = LastPage | (command.Pasid != 0 ? PasidValid : 0);
        var request = new PageRequest(flags, command.Pasid, command.GrpId, command.Perm, command.Addr);
        yield return FlowWait.For(
            ParticipantKind.Fault,
            fault.Id,
            new QueueFault(new FaultGroup(attachment.Handle, device.Id, [request]))
        );
        Events.Add(new FaultReported(fault.Id, device.Id, command.Pasid, command.GrpId, command.Perm, command.Addr));
    }
}

/// <summary>read() of a fault queue's descriptor.</summary>
public sealed class ReadFaultQueueFlow(ContextCore context, Caller caller, ReadFaultQueue command)
    : Flow(context, caller)
{
    private const int RecordSize = 40;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<FaultObject>(command.FaultId) is not { } fault)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (command.Count % RecordSize != 0)
        {
            Fail(Errno.ESPIPE);
            yield break;
        }

        yield return FlowWait.ForLock(fault.Lock, exclusive: true);
        var done = 0ul;
        var groups = 0;
        var errno = Errno.OK;
        while (errno == Errno.OK)
        {
            var take = FlowWait.For(
                ParticipantKind.Fault,
                fault.Id,
                new TakeFault((command.Count - done) / RecordSize)
            );
            yield return take;
            var taken = take.As<FaultTaken>();
            errno = taken.Errno;
            if (taken.Group is not { } group)
            {
                break;
            }

            var bytes = Format(group, taken.Cookie);
            if (Strikes(FaultPoints.QueueCopyOut) || !Caller.Memory.TryWrite(unchecked(command.Address + done), bytes))
            {
                yield return FlowWait.For(ParticipantKind.Fault, fault.Id, new ReturnFault(taken.Cookie));
                errno = Errno.EFAULT;
                break;
            }

            done += (ulong)bytes.Length;
            groups++;
        }

        if (groups > 0)
        {
            Events.Add(new FaultsRead(fault.Id, groups));
        }

        Result = done == 0 && errno != Errno.OK ? IoctlResult.Fail(errno) : new IoctlResult(Errno.OK, (long)done, null);
    }

    private static byte[] Format(FaultGroup group, uint cookie)
    {
        var bytes = new byte[group.Requests.Count * RecordSize];
        for (var i = 0; i < group.Requests.Count; i++)
        {
            var request = group.Requests[i];
            var record = bytes.AsSpan(i * RecordSize, RecordSize);
            BinaryPrimitives.WriteUInt32LittleEndian(record, request.Flags);
            BinaryPrimitives.WriteUInt32LittleEndian(record[4..], group.DeviceId);
            BinaryPrimitives.WriteUInt32LittleEndian(record[8..], request.Pasid);
            BinaryPrimitives.WriteUInt32LittleEndian(record[12..], request.GroupId);
            BinaryPrimitives.WriteUInt32LittleEndian(record[16..], request.Permissions);
            BinaryPrimitives.WriteUInt64LittleEndian(record[24..], request.Address);
            BinaryPrimitives.WriteUInt32LittleEndian(record[36..], cookie);
        }

        return bytes;
    }
}

/// <summary>write() of responses to a fault queue's descriptor.</summary>
public sealed class WriteFaultQueueFlow(ContextCore context, Caller caller, WriteFaultQueue command)
    : Flow(context, caller)
{
    private const int ResponseSize = 8;
    private const uint Invalid = 1;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<FaultObject>(command.FaultId) is not { } fault)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (command.Count % ResponseSize != 0)
        {
            Fail(Errno.ESPIPE);
            yield break;
        }

        yield return FlowWait.ForLock(fault.Lock, exclusive: true);
        var cookies = new List<uint>();
        var codes = new List<uint>();
        var asked = new List<FaultGroup>();
        var errno = Errno.OK;
        for (var done = 0ul; done < command.Count; done += ResponseSize)
        {
            errno = Read(done, out var cookie, out var code);
            if (errno != Errno.OK)
            {
                break;
            }

            var answer = FlowWait.For(ParticipantKind.Fault, fault.Id, new AnswerFault(cookie, code != Invalid));
            yield return answer;
            errno = answer.Response.Errno;
            if (errno != Errno.OK)
            {
                break;
            }

            cookies.Add(cookie);
            codes.Add(code);
            var group = answer.As<FaultAnswered>().Group;
            if (Strikes(FaultPoints.PriResponseLost))
            {
                // The device waits in vain and asks again. The lock on the queue keeps its attachment from ending meanwhile.
                yield return FlowWait.For(ParticipantKind.Fault, fault.Id, new QueueFault(group));
                asked.Add(group);
            }
            else if (Context.Objects.Find<DeviceObject>(group.DeviceId) is { } device)
            {
                // The device hears it from its driver; by now it may have gone.
                var response = new RespondToPageRequest(group.Requests[0].GroupId, code != Invalid);
                Tell(ParticipantKind.Device, device.Id, response);
            }
        }

        if (cookies.Count > 0)
        {
            Events.Add(new FaultsAnswered(fault.Id, [.. cookies], [.. codes]));
        }

        foreach (var again in asked)
        {
            var request = again.Requests[0];
            Events.Add(
                new PagesRequested(
                    fault.Id,
                    again.DeviceId,
                    request.Pasid,
                    request.GroupId,
                    request.Permissions,
                    [.. again.Requests.Select(r => r.Address)]
                )
            );
        }

        Result =
            cookies.Count == 0 && errno != Errno.OK
                ? IoctlResult.Fail(errno)
                : new IoctlResult(Errno.OK, cookies.Count * (long)ResponseSize, null);
    }

    private Errno Read(ulong at, out uint cookie, out uint code)
    {
        Span<byte> response = stackalloc byte[ResponseSize];
        cookie = 0;
        code = 0;
        if (!Caller.Memory.TryRead(unchecked(command.Address + at), response))
        {
            return Errno.EFAULT;
        }

        cookie = BinaryPrimitives.ReadUInt32LittleEndian(response);
        code = BinaryPrimitives.ReadUInt32LittleEndian(response[4..]);
        return code > Invalid ? Errno.EINVAL : Errno.OK;
    }
}

/// <summary>poll() of a fault or event queue's descriptor.</summary>
public sealed class PollQueueFlow(ContextCore context, Caller caller, ParticipantKind kind, uint id)
    : Flow(context, caller)
{
    private const long In = 1;
    private const long Out = 4;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<ContextObject>(id) is not (FaultObject or VeventqObject))
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var query = FlowWait.For(kind, id, QueryReadable.Instance);
        yield return query;
        var events = (query.As<Readable>().Any ? In : 0) | (kind == ParticipantKind.Fault ? Out : 0);
        Result = new IoctlResult(Errno.OK, events, null);
    }
}

/// <summary>The last descriptor of a fault or event queue was closed: it can be destroyed from now on.</summary>
public sealed class CloseQueueFlow(ContextCore context, Caller caller, uint id) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        switch (Context.Objects.Find<ContextObject>(id))
        {
            case FaultObject { DescriptorOpen: true } fault:
                fault.DescriptorOpen = false;
                fault.Users--;
                break;
            case VeventqObject { DescriptorOpen: true } veventq:
                veventq.DescriptorOpen = false;
                veventq.Users--;
                break;
            default:
                Fail(Errno.ENOENT);
                yield break;
        }

        // Whoever closed it took it out of the table already, unless only the driver's call was made.
        Caller.Descriptors.CloseAll(d =>
            d is FaultDescriptor f && f == new FaultDescriptor(Context.Number, id)
            || d is VeventqDescriptor v && v == new VeventqDescriptor(Context.Number, id)
        );
        Events.Add(new QueueDescriptorClosed(id));
    }
}
