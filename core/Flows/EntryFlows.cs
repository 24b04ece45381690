using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Sets how large the entries of a HWPT, or of all HWPTs of an IOAS, are kept (docs/decisions/0005).</summary>
public sealed class SetEntryPolicyFlow(ContextCore context, Caller caller, SetEntryPolicy command)
    : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if ((command.Policy & ~EntryPolicy.Known) != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        switch (Get<ContextObject>(command.PtId))
        {
            case null:
                Fail(Errno.ENOENT);
                yield break;
            case HwptObject single:
                yield return FlowWait.ForLock(single.Ioas.Mutex, exclusive: true);
                yield return Ask(single.Id);
                break;
            case IoasObject ioas:
                // The mutex keeps HWPTs from being made meanwhile: each takes the policy of before, and is told, or the new one.
                yield return FlowWait.ForLock(ioas.Mutex, exclusive: true);
                ioas.Entries = command.Policy;
                foreach (var id in ioas.Hwpts.ToArray())
                {
                    // One that went while another was asked may have given its number to another IOAS's.
                    if (Context.Objects.Find<HwptObject>(id) is { } hwpt && ReferenceEquals(hwpt.Ioas, ioas))
                    {
                        yield return Ask(id);
                    }
                }

                break;
            default:
                Fail(Errno.EINVAL);
                yield break;
        }

        Events.Add(new EntryPolicySet(command.PtId, (uint)command.Policy));
    }

    private FlowWait Ask(uint hwpt) => FlowWait.For(ParticipantKind.Hwpt, hwpt, new UseEntryPolicy(command.Policy));
}

/// <summary>Splits or merges entries of a HWPT while devices translate through them.</summary>
public sealed class ResizeEntriesFlow(ContextCore context, Caller caller, ResizeEntries command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Length == 0)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        if (!IovaRange.TryFromLength(command.Iova, command.Length, out var range))
        {
            Fail(Errno.EOVERFLOW);
            yield break;
        }

        if (Get<HwptObject>(command.HwptId) is not { } hwpt)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        yield return FlowWait.ForLock(hwpt.Ioas.IovaLock, exclusive: false);
        var resize = FlowWait.For(
            ParticipantKind.Hwpt,
            hwpt.Id,
            new ResizeRange(range, command.PageSize, command.Merge)
        );
        yield return resize;
        var changed = resize.As<EntriesChanged>();
        if (changed.Errno != Errno.OK)
        {
            Fail(changed.Errno);
            yield break;
        }

        Events.Add(new EntriesResized(hwpt.Id, range.First, range.Last, command.PageSize, command.Merge));
        Succeed(command with { OutEntries = changed.Merged });
    }
}

/// <summary>Which flow carries out which command on the size of entries, and on tables that are shared with the CPU.</summary>
public static class EntryCommandFlows
{
    /// <summary>Makes the flow; null for a command of another kind.</summary>
    public static Flow? TryCreate(ContextCore context, Caller caller, IoctlCommand command) =>
        command switch
        {
            SetEntryPolicy c => new SetEntryPolicyFlow(context, caller, c),
            ResizeEntries c => new ResizeEntriesFlow(context, caller, c),
            AllocateSharedHwpt c => new SharedHwptFlow(context, caller, c),
            AllocateKnownSharedHwpt c => new SharedHwptFlow(context, caller, c),
            _ => null,
        };
}
