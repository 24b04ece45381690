using Iommufd.Core.Context;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>
/// HW_QUEUE_ALLOC (facts sheet B.20): an internal access pins the queue's pages and locks the areas they are in, then the driver gets
/// the physical address.
/// </summary>
public sealed class HwQueueAllocFlow(ContextCore context, Caller caller, HwQueueAlloc command)
    : AccessFlow(context, caller)
{
    // The kernel's array of page pointers cannot be larger than 4 MiB.
    private const ulong MaxPages = (4ul << 20) / 8;

    private ulong First => command.NestingParentIova & ~HostPage.OffsetMask;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        var errno = Check(out var viommu, out var pages);
        if (errno != Errno.OK)
        {
            Fail(errno);
            yield break;
        }

        var queue = Context.Reserve(new HwQueueObject { Viommu = viommu! });
        var access = new AccessObject { Pins = true, Internal = true };
        var outcome = new Outcome();
        foreach (var wait in MakeAccess(viommu!.Parent.Ioas, pins: true, access, outcome))
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            Abandon(queue, outcome.Errno);
            yield break;
        }

        foreach (var wait in Pin(access, First, pages * HostPage.Size, write: false, recordedPin: 0, outcome))
        {
            yield return wait;
        }

        if (outcome.IsOk)
        {
            foreach (var wait in HandOver(queue, outcome))
            {
                yield return wait;
            }
        }

        if (!outcome.IsOk)
        {
            Pinned.Clear();
            foreach (var wait in Destroy(access))
            {
                yield return wait;
            }

            Abandon(queue, outcome.Errno);
            yield break;
        }

        queue.Access = access;
        viommu.Users++;
        Context.Objects.Publish(queue);
        Events.Add(
            new HwQueueAllocated(
                queue.Id,
                access.Id,
                viommu.Id,
                command.Type,
                command.Index,
                command.NestingParentIova,
                command.Length,
                PinnedForEvent()
            )
        );
        Succeed(command with { OutHwQueueId = queue.Id });
    }

    private Errno Check(out ViommuObject? viommu, out ulong pages)
    {
        viommu = null;
        pages = 0;
        if (command.Flags != 0 || command.Type == HwQueueType.Default)
        {
            return Errno.EOPNOTSUPP;
        }

        if (command.Length == 0)
        {
            return Errno.EINVAL;
        }

        if (!IovaRange.TryFromLength(command.NestingParentIova, command.Length, out _))
        {
            return Errno.EOVERFLOW;
        }

        viommu = Get<ViommuObject>(command.ViommuId);
        if (viommu is null)
        {
            return Errno.ENOENT;
        }

        if (command.Type != HwQueueType.Selftest)
        {
            return Errno.EOPNOTSUPP;
        }

        var withOffset =
            (UInt128)command.Length + (command.NestingParentIova & HostPage.OffsetMask) + HostPage.OffsetMask;
        if (withOffset > ulong.MaxValue)
        {
            return Errno.ERANGE;
        }

        pages = (ulong)withOffset >> HostPage.Shift;
        return pages > MaxPages ? Errno.ENOMEM : Errno.OK;
    }

    private void Abandon(HwQueueObject queue, Errno errno)
    {
        Context.Objects.Remove(queue);
        Fail(errno);
    }

    // The pages must follow each other, for the hardware knows only the first; then the mock's driver looks at the number.
    private IEnumerable<FlowWait> HandOver(HwQueueObject queue, Outcome outcome)
    {
        var expected = PinnedRuns[0].First.Value;
        foreach (var run in PinnedRuns)
        {
            if (run.First.Value != expected)
            {
                outcome.Errno = Errno.EFAULT;
                yield break;
            }

            expected += run.Count;
        }

        var viommu = queue.Viommu;
        var physical = PinnedRuns[0].First.Address | (command.NestingParentIova & HostPage.OffsetMask);
        yield return FlowWait.ForLock(viommu.Lock, exclusive: true);
        var query = FlowWait.For(ParticipantKind.Viommu, viommu.Id, new QueryQueueSlot(command.Index));
        yield return query;
        outcome.Errno = query.Response.Errno;
        if (outcome.IsOk)
        {
            var translated = FlowWait.For(
                ParticipantKind.Hwpt,
                viommu.Parent.Id,
                new CheckMapped(command.NestingParentIova, [physical], 1)
            );
            yield return translated;
            outcome.Errno = translated.Response.Errno == Errno.OK ? Errno.OK : Errno.EFAULT;
        }

        if (outcome.IsOk)
        {
            if (query.As<QueueSlot>().Previous is not 0 and var id)
            {
                queue.Previous = Context.Objects.Find<HwQueueObject>(id);
                Invariant.Holds(queue.Previous is not null, "a queue whose number is taken is there");
                queue.Previous.Users++;
            }

            yield return FlowWait.For(ParticipantKind.Viommu, viommu.Id, new FillQueueSlot(command.Index, queue.Id));
            Context.Engine.Host.Open(
                new Participant(ParticipantKind.HwQueue, queue.Id),
                new HwQueueState(command.Index, physical, command.Length)
            );
        }

        Release(viommu.Lock);
    }
}
