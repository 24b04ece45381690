using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>IOAS_ALLOC (facts sheet B.2).</summary>
public sealed class IoasAllocFlow(ContextCore context, Caller caller, IoasAlloc command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Flags != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        var ioas = Context.Reserve(new IoasObject());
        Context.Engine.Host.Open(new Participant(ParticipantKind.Ioas, ioas.Id), new IoasState());
        Context.Objects.Publish(ioas);
        Events.Add(new IoasAllocated(ioas.Id));
        Succeed(command with { OutIoasId = ioas.Id });
    }
}

/// <summary>IOAS_IOVA_RANGES (facts sheet B.3).</summary>
public sealed class IovaRangesFlow(ContextCore context, Caller caller, IoasIovaRanges command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Reserved != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        if (Get<IoasObject>(command.IoasId) is not { } ioas)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: false);
        var query = FlowWait.For(ParticipantKind.Ioas, ioas.Id, QueryRanges.Instance);
        yield return query;
        var usable = query.As<UsableRanges>();
        var shown = (int)Math.Min(command.NumIovas, (uint)usable.Ranges.Count);
        if (!TryWriteRanges(usable.Ranges, shown))
        {
            Fail(Errno.EFAULT);
            yield break;
        }

        var answer = command with { NumIovas = (uint)usable.Ranges.Count, OutIovaAlignment = usable.Alignment };
        Result = new IoctlResult((uint)usable.Ranges.Count > command.NumIovas ? Errno.EMSGSIZE : Errno.OK, 0, answer);
    }

    private bool TryWriteRanges(IReadOnlyList<IovaRange> ranges, int count)
    {
        Span<byte> entry = stackalloc byte[16];
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(entry, ranges[i].First);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], ranges[i].Last);
            if (!Caller.Memory.TryWrite(unchecked(command.AllowedIovas + ((ulong)i * 16)), entry))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>IOAS_ALLOW_IOVAS (facts sheet B.4).</summary>
public sealed class AllowIovasFlow(
    ContextCore context,
    Caller caller,
    IoasAllowIovas command,
    IReadOnlyList<IovaRange>? given = null
) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Reserved != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        if (Get<IoasObject>(command.IoasId) is not { } ioas)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (Read(out var ranges) is var bad && bad != Errno.OK)
        {
            Fail(bad);
            yield break;
        }

        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: true);
        var replace = FlowWait.For(ParticipantKind.Ioas, ioas.Id, new ReplaceAllowed(ranges));
        yield return replace;
        if (replace.Response.Errno != Errno.OK)
        {
            Fail(replace.Response.Errno);
            yield break;
        }

        var flat = new ulong[ranges.Count * 2];
        for (var i = 0; i < ranges.Count; i++)
        {
            flat[i * 2] = ranges[i].First;
            flat[(i * 2) + 1] = ranges[i].Last;
        }

        Events.Add(new AllowedReplaced(ioas.Id, flat));
    }

    private Errno Read(out List<IovaRange> ranges)
    {
        ranges = [];
        if (given is not null)
        {
            ranges.AddRange(given);
            return Errno.OK;
        }

        Span<byte> entry = stackalloc byte[16];
        for (var i = 0u; i < command.NumIovas; i++)
        {
            if (!Caller.Memory.TryRead(unchecked(command.AllowedIovas + (i * 16ul)), entry))
            {
                return Errno.EFAULT;
            }

            var first = BinaryPrimitives.ReadUInt64LittleEndian(entry);
            var last = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            if (first >= last)
            {
                return Errno.EINVAL;
            }

            var range = new IovaRange(first, last);
            if (ranges.Exists(r => r.Overlaps(range)))
            {
                return Errno.EINVAL;
            }

            ranges.Add(range);
        }

        return Errno.OK;
    }
}

/// <summary>OPTION (facts sheet B.9).</summary>
public sealed class OptionFlow(ContextCore context, Caller caller, Option command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Reserved != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        switch (command.OptionId)
        {
            case OptionId.RlimitMode:
                RlimitMode();
                yield break;
            case OptionId.HugePages:
                break;
            default:
                Fail(Errno.EOPNOTSUPP);
                yield break;
        }

        if (Get<IoasObject>(command.ObjectId) is not { } ioas)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (command.Op is not (OptionOp.Get or OptionOp.Set))
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        var set = command.Op == OptionOp.Set;
        if (set && command.Val64 > 1)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        yield return FlowWait.ForLock(ioas.DomainsLock, exclusive: true);
        var ask = FlowWait.For(ParticipantKind.Ioas, ioas.Id, new LargePages(set ? command.Val64 == 0 : null));
        yield return ask;
        var state = ask.As<LargePagesState>();
        if (state.Errno != Errno.OK)
        {
            Fail(state.Errno);
            yield break;
        }

        if (set)
        {
            Events.Add(new LargePagesSet(ioas.Id, command.Val64 == 1));
            Succeed(command);
        }
        else
        {
            Succeed(command with { Val64 = state.Enabled ? 1ul : 0 });
        }
    }

    private void RlimitMode()
    {
        if (command.ObjectId != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            return;
        }

        switch (command.Op)
        {
            case OptionOp.Get:
                Succeed(command with { Val64 = Context.ChargeProcess ? 1ul : 0 });
                return;
            // A replay sets what was set, also by an open as VFIO's container, which needs no capability.
            case OptionOp.Set when !Caller.Memory.CapSysResource && Context.Recorded is null:
                Fail(Errno.EPERM);
                return;
            case OptionOp.Set when !Context.Objects.IsEmpty:
                Fail(Errno.EBUSY);
                return;
            case OptionOp.Set when command.Val64 > 1:
                Fail(Errno.EINVAL);
                return;
            case OptionOp.Set:
                Context.ChargeProcess = command.Val64 == 1;
                Events.Add(new AccountingModeSet(Context.ChargeProcess));
                Succeed(command);
                return;
            default:
                Fail(Errno.EOPNOTSUPP);
                return;
        }
    }
}

/// <summary>The selftest's ADD_RESERVED: reserves a range for as long as the IOAS lives.</summary>
public sealed class AddReservedFlow(ContextCore context, Caller caller, TestAddReserved command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Length == 0)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        if (!IovaRange.TryFromLength(command.Start, command.Length, out var range))
        {
            Fail(Errno.EOVERFLOW);
            yield break;
        }

        if (Get<IoasObject>(command.IoasId) is not { } ioas)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: true);
        var reserve = FlowWait.For(ParticipantKind.Ioas, ioas.Id, new ReserveRanges(0, [range]));
        yield return reserve;
        if (reserve.Response.Errno != Errno.OK)
        {
            Fail(reserve.Response.Errno);
            yield break;
        }

        Events.Add(new RangeReserved(ioas.Id, range.First, range.Last));
    }
}
