using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Flows that cut areas in two.</summary>
public abstract class CuttingFlow(ContextCore context, Caller caller) : UnmappingFlow(context, caller)
{
    /// <summary>
    /// Makes an IOVA the last byte of an area. Nothing is done where it is one already, or in no area. The IOVA lock is held
    /// exclusively.
    /// </summary>
    protected IEnumerable<FlowWait> Cut(IoasObject ioas, ulong lastOfLeft, Outcome outcome)
    {
        var cut = FlowWait.For(
            ParticipantKind.Ioas,
            ioas.Id,
            new CutArea(lastOfLeft, Context.TakeAreaKey(), Context.TakeAreaKey())
        );
        yield return cut;
        outcome.Errno = cut.Response.Errno;
        if (cut.Response is not AreaCut { Whole: { } whole, Left: { } left, Right: { } right })
        {
            yield break;
        }

        var set = Context.PageSets.Get(whole.PageSet);
        set.Areas++;
        Events.Add(new AreaCutInTwo(ioas.Id, lastOfLeft));
        if (whole.StorageHwpt == 0)
        {
            yield break;
        }

        yield return FlowWait.ForLock(set.Lock, exclusive: true);
        var asks = ioas
            .Domains.Select(id => new FlowAsk(
                new Participant(ParticipantKind.Hwpt, id),
                new SplitInstalled(whole, left, right)
            ))
            .ToArray();
        yield return FlowWait.ForAll(asks);
        var storage = (InstalledSplit)asks[ioas.Domains.IndexOf(whole.StorageHwpt)].Response!;
        yield return AskMemory(
            whole.PageSet,
            new SplitCover(Context.Number, whole.PageSet, whole.Key, left, right, storage.Left, storage.Right)
        );
        Release(set.Lock);
    }
}

/// <summary>
/// VFIO_IOMMU_UNMAP_DMA (facts sheet B.22). Where large pages are disabled (type 1, version 1) areas are first cut at both ends of
/// the range. A failure there writes nothing back; a failure of the unmap itself still tells how much is gone.
/// </summary>
public sealed class VfioUnmapFlow(ContextCore context, Caller caller, VfioIommuUnmapDma command)
    : CuttingFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if ((command.Flags & ~VfioUnmapFlags.All) != 0)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        if (Context.CompatIoas is not { } compat || Get<IoasObject>(compat.Id) is not { } ioas)
        {
            Fail(Errno.ENODEV);
            yield break;
        }

        var all = command.Flags.HasFlag(VfioUnmapFlags.All);
        if (all && (command.Iova != 0 || command.Size != 0))
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        var outcome = new Outcome();
        if (!all)
        {
            foreach (var wait in CutBothEnds(ioas, outcome))
            {
                yield return wait;
            }

            if (!outcome.IsOk)
            {
                Fail(outcome.Errno);
                yield break;
            }

            outcome.Errno = CheckRange();
        }

        if (outcome.IsOk)
        {
            var range = all ? IovaRange.All : new IovaRange(command.Iova, command.Iova + (command.Size - 1));
            foreach (var wait in UnmapRange(ioas, range, outcome))
            {
                yield return wait;
            }

            if (Unmapped.Count > 0)
            {
                Events.Add(new AreasUnmapped(ioas.Id, [.. Unmapped]));
            }
        }

        Result = new IoctlResult(outcome.Errno, 0, command with { Size = UnmappedBytes });
    }

    private Errno CheckRange()
    {
        if (command.Size == 0)
        {
            return Errno.EINVAL;
        }

        return IovaRange.TryFromLength(command.Iova, command.Size, out _) ? Errno.OK : Errno.EOVERFLOW;
    }

    // Before the range itself is checked, so a range of no bytes or one that wraps around cuts as well.
    private IEnumerable<FlowWait> CutBothEnds(IoasObject ioas, Outcome outcome)
    {
        var large = FlowWait.For(ParticipantKind.Ioas, ioas.Id, new LargePages(Disabled: null));
        yield return large;
        if (large.As<LargePagesState>().Enabled)
        {
            yield break;
        }

        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: true);
        foreach (var wait in Cut(ioas, unchecked(command.Iova + command.Size - 1), outcome))
        {
            yield return wait;
        }

        if (outcome.IsOk && command.Iova != 0)
        {
            foreach (var wait in Cut(ioas, command.Iova - 1, outcome))
            {
                yield return wait;
            }
        }

        Release(ioas.IovaLock);
    }
}
