using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>
/// IOAS_CHANGE_PROCESS (additions A.4, E.3): every page set of every IOAS changes hands, or none. Three passes: all of them may, the
/// caller can pay for all, all are switched.
/// </summary>
public sealed class ChangeProcessFlow(ContextCore context, Caller caller, IoasChangeProcess command)
    : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Reserved != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        // In id order, as every flow that holds several of these locks must take them.
        var spaces = Context.Objects.Live.OfType<IoasObject>().ToArray();
        foreach (var ioas in spaces)
        {
            Get<IoasObject>(ioas.Id);
        }

        foreach (var ioas in spaces)
        {
            yield return FlowWait.ForLock(ioas.IovaLock, exclusive: true);
        }

        var sets = new SortedSet<uint>();
        foreach (var ioas in spaces)
        {
            var list = FlowWait.For(ParticipantKind.Ioas, ioas.Id, ListPageSets.Instance);
            yield return list;
            if (Collect(list.As<PageSetList>(), sets) is var bad && bad != Errno.OK)
            {
                Fail(bad);
                yield break;
            }
        }

        var user = 0L;
        var process = 0L;
        foreach (var set in sets)
        {
            var count = AskMemory(set, new CountCharges(Context.Number, set, (int)Caller.ProcessId));
            yield return count;
            user += count.As<ChargesCounted>().User;
            process += count.As<ChargesCounted>().Process;
        }

        if (!TryCharge(user, process))
        {
            Fail(Errno.ENOMEM);
            yield break;
        }

        foreach (var set in sets)
        {
            yield return AskMemory(set, new SwitchOwner(Context.Number, set, (int)Caller.ProcessId));
        }

        Events.Add(new ProcessChanged(Caller.ProcessId));
    }

    private Errno Collect(PageSetList list, SortedSet<uint> sets)
    {
        foreach (var number in list.PageSets)
        {
            if (Context.PageSets.Get(number) is not { File: not null, IsDmabuf: false })
            {
                return Errno.EINVAL;
            }

            sets.Add(number);
        }

        return list.Errno;
    }

    private bool TryCharge(long user, long process)
    {
        if (Caller.Memory.Charge(AccountingMode.User, user) != Errno.OK)
        {
            return false;
        }

        if (Caller.Memory.Charge(AccountingMode.Mm, process) == Errno.OK)
        {
            return true;
        }

        Caller.Memory.Charge(AccountingMode.User, -user);
        return false;
    }
}
