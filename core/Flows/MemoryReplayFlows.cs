using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Marks pages dirty as recorded, without a bitmap in user memory.</summary>
public sealed class MarkPagesDirtyFlow(ContextCore context, Caller caller, MarkPagesDirty command)
    : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<HwptObject>(command.HwptId) is not { } hwpt)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var mark = FlowWait.For(
            ParticipantKind.Hwpt,
            hwpt.Id,
            new MarkDirty(command.Iova, command.PageSize, command.Pages, command.Bits)
        );
        yield return mark;
        if (mark.Response.Errno != Errno.OK)
        {
            Fail(mark.Response.Errno);
            yield break;
        }

        Events.Add(new PagesMarkedDirty(hwpt.Id, command.Iova, command.PageSize, command.Pages, command.Bits));
    }
}

/// <summary>Cuts an area in two as recorded.</summary>
public sealed class CutAreaInTwoFlow(ContextCore context, Caller caller, CutAreaInTwo command)
    : CuttingFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<IoasObject>(command.IoasId) is not { } ioas)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var outcome = new Outcome();
        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: true);
        foreach (var wait in Cut(ioas, command.LastOfLeft, outcome))
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            Fail(outcome.Errno);
        }
    }
}
