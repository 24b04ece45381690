using Iommufd.Core.Context;
using Iommufd.Core.Faults;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Flows that take areas away: UNMAP, and whatever empties an IOAS.</summary>
public abstract class UnmappingFlow(ContextCore context, Caller caller) : DomainFlow(context, caller)
{
    /// <summary>Notifications after which an unmap gives up on an access that does not let go.</summary>
    private const int MaxNotifications = 100;

    /// <summary>Bytes of the areas removed.</summary>
    protected ulong UnmappedBytes { get; private set; }

    /// <summary>The areas removed: first and last IOVA, repeated.</summary>
    protected List<ulong> Unmapped { get; } = [];

    /// <summary>
    /// Removes the areas of a range, lowest first: accesses are asked to let go, every domain is cleared and invalidated, then
    /// pages are unpinned (facts sheet C.5). What was removed before a failure stays removed.
    /// </summary>
    protected IEnumerable<FlowWait> UnmapRange(IoasObject ioas, IovaRange range, Outcome outcome)
    {
        yield return FlowWait.ForLock(ioas.DomainsLock, exclusive: false);
        var rest = range;
        var finished = 0ul;
        var notifications = 0;
        while (true)
        {
            yield return FlowWait.ForLock(ioas.IovaLock, exclusive: true);
            var next = FlowWait.For(ParticipantKind.Ioas, ioas.Id, new NextUnmap(rest, finished));
            yield return next;
            Release(ioas.IovaLock);
            finished = 0;
            var step = next.As<UnmapStep>();
            outcome.Errno = step.Errno;
            if (!outcome.IsOk || step.Action == UnmapAction.Nothing)
            {
                break;
            }

            var area = step.Area!;
            if (step.Action == UnmapAction.Notify)
            {
                Context.Faults?.Saw(Sights.UnmapWaited);

                // The kernel drops its locks here, so that the access can run while it lets go.
                Release(ioas.DomainsLock);
                rest = new IovaRange(area.Range.First, rest.Last);
                if (++notifications > MaxNotifications)
                {
                    outcome.Errno = Errno.EDEADLK;
                    yield break;
                }

                foreach (var wait in NotifyAccesses(ioas, area.Range))
                {
                    yield return wait;
                }

                yield return FlowWait.ForLock(ioas.DomainsLock, exclusive: false);
                continue;
            }

            foreach (var wait in EmptyArea(ioas, area))
            {
                yield return wait;
            }

            notifications = 0;
            finished = area.Key;
            DropAreas(area.PageSet);
            UnmappedBytes += area.Range.Length;
            Unmapped.Add(area.Range.First);
            Unmapped.Add(area.Range.Last);
            if (area.Range.Last >= rest.Last)
            {
                yield return FlowWait.For(ParticipantKind.Ioas, ioas.Id, new RemoveAreas([area.Key]));
                break;
            }

            rest = new IovaRange(area.Range.Last + 1, rest.Last);
        }

        Release(ioas.DomainsLock);
    }

    /// <summary>Tells every access of an IOAS that a range goes away, and releases what they let go of.</summary>
    protected IEnumerable<FlowWait> NotifyAccesses(IoasObject ioas, IovaRange range)
    {
        foreach (var id in ioas.Accesses.ToArray())
        {
            // One that left meanwhile has let go of everything.
            if (!ioas.Accesses.Contains(id))
            {
                continue;
            }

            var notify = FlowWait.For(ParticipantKind.Access, id, new NotifyUnmap(range));
            yield return notify;
            foreach (var wait in ReleasePins(ioas, notify.As<PinsReleased>().Pins))
            {
                yield return wait;
            }
        }
    }

    /// <summary>Unpins pieces that an access held.</summary>
    protected IEnumerable<FlowWait> ReleasePins(IoasObject ioas, IReadOnlyList<AreaView> pins, bool locked = false)
    {
        if (pins.Count == 0)
        {
            yield break;
        }

        foreach (var piece in pins)
        {
            var set = Context.PageSets.Get(piece.PageSet);
            yield return FlowWait.ForLock(set.Lock, exclusive: true);
            yield return AskMemory(
                piece.PageSet,
                new AccessRemove(Context.Number, piece.PageSet, piece.FirstIndex, piece.LastIndex)
            );
            Release(set.Lock);
        }

        yield return FlowWait.For(ParticipantKind.Ioas, ioas.Id, new CloseAreas([.. pins.Select(p => p.Key)], locked));
    }
}

/// <summary>IOAS_UNMAP (facts sheet B.8).</summary>
public sealed class UnmapFlow(ContextCore context, Caller caller, IoasUnmap command) : UnmappingFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<IoasObject>(command.IoasId) is not { } ioas)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var all = command is { Iova: 0, Length: ulong.MaxValue };
        if (!all && Validate() is var bad && bad != Errno.OK)
        {
            Fail(bad);
            yield break;
        }

        var range = all ? IovaRange.All : new IovaRange(command.Iova, command.Iova + (command.Length - 1));
        var outcome = new Outcome();
        foreach (var wait in UnmapRange(ioas, range, outcome))
        {
            yield return wait;
        }

        if (Unmapped.Count > 0)
        {
            Events.Add(new AreasUnmapped(ioas.Id, [.. Unmapped]));
        }

        if (outcome.IsOk && Unmapped.Count == 0 && !all)
        {
            outcome.Errno = Errno.ENOENT;
        }

        if (outcome.IsOk)
        {
            Succeed(command with { Length = UnmappedBytes });
        }
        else
        {
            Fail(outcome.Errno);
        }
    }

    private Errno Validate()
    {
        if (command.Iova == ulong.MaxValue || command.Length == ulong.MaxValue)
        {
            return Errno.EOVERFLOW;
        }

        if (command.Length == 0)
        {
            return Errno.EINVAL;
        }

        return IovaRange.TryFromLength(command.Iova, command.Length, out _) ? Errno.OK : Errno.EOVERFLOW;
    }
}
