using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Dma;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

public sealed partial class PhysicalDeviceActor
{
    // A transfer that is answered "success" and finds its page missing again asks again, this often.
    private const int MaxAttempts = 8;

    // No request has it: nobody waits for the answer.
    private const long EventTag = long.MinValue + 1;

    private DmaUnderWay BurstWithRequests(DmaUnderWay work, int transfers)
    {
        var held = work.Missing?.Block;
        for (; transfers > 0; transfers--)
        {
            var report = device.Engine.RunUntilMissing(work.Request.Pattern, 1, held, out var missing);
            held = null;
            work = work with { Report = work.Report + report, Missing = missing };
            if (missing is not null)
            {
                return Request(work);
            }

            work = work with { Left = work.Left - 1, Attempts = 0 };
        }

        return work;
    }

    private DmaUnderWay Request(DmaUnderWay work)
    {
        var pasid = work.Request.Pattern.Pasid;
        if (work.Attempts >= MaxAttempts || device.OwnerOf(pasid) is not { } owner)
        {
            return Refused(work);
        }

        var number = device.Requests.TakeNumber();
        var missing = work.Missing!;
        var permissions = missing.Block.Access == IoptePermissions.Write ? 2u : 1u;
        owner.Context.Tell(
            // Negative: the process numbers its own calls upwards.
            new IoctlRequest(
                -number,
                owner.ProcessId,
                new RequestPages(owner.DeviceId, pasid, PageRequests.GroupOf(number), permissions, [.. missing.Pages])
            ),
            Self
        );
        var timeOut = Context.System.Scheduler.ScheduleTellOnceCancelable(
            work.Request.RequestTimeout,
            Self,
            new RequestTimedOut(number),
            Self
        );
        device.Requests.Add(number, work with { Attempts = work.Attempts + 1 }, timeOut);
        return work;
    }

    // The transfer has failed; the next one can begin.
    private DmaUnderWay Refused(DmaUnderWay work) =>
        work with
        {
            Report = work.Report + device.Engine.GiveUp(work.Missing!, work.Request.Pattern.Pasid),
            Left = work.Left - 1,
            Missing = null,
            Attempts = 0,
        };

    // The request is queued, or nobody handles faults of this device.
    private void OnRequestAnswered(IoctlAnswer answer)
    {
        if (!answer.Result.IsOk)
        {
            GiveUp(-answer.Tag);
        }
    }

    private void Respond(PageResponse response)
    {
        if (!device.HasRequests || !device.Requests.TryFindGroup(response.GroupId, out var number))
        {
            // Too late: the device has given up.
            return;
        }

        if (!response.Success)
        {
            GiveUp(number);
        }
        else if (device.Requests.Take(number) is { } work)
        {
            Burst(work);
        }
    }

    private void GiveUp(long number)
    {
        if (device.HasRequests && device.Requests.Take(number) is { } work)
        {
            var faults = device.Engine.Totals.Faults;
            work = Refused(work);
            ReportFaults(device.Engine.Totals.Faults - faults);
            GoOn(work);
        }
    }

    private void GiveUpAll(uint pasid)
    {
        if (!device.HasRequests)
        {
            return;
        }

        foreach (var number in device.Requests.Of(pasid))
        {
            GiveUp(number);
        }
    }

    // What a guest has to know of: faults behind a vIOMMU. The newest that the engine remembers.
    private void ReportFaults(ulong count)
    {
        if (count == 0 || !device.Owners.Any(o => o.Value.HasViommu))
        {
            return;
        }

        foreach (var fault in device.Engine.RecentFaults().TakeLast((int)Math.Min(count, int.MaxValue)))
        {
            if (device.OwnerOf(fault.Pasid) is { HasViommu: true } owner)
            {
                owner.Context.Tell(
                    new IoctlRequest(
                        EventTag,
                        owner.ProcessId,
                        new ReportDmaFault(
                            owner.DeviceId,
                            fault.Pasid,
                            fault.Iova,
                            (fault.Access & IoptePermissions.Write) != 0,
                            fault.Present
                        )
                    ),
                    Self
                );
            }
        }
    }

    private sealed record RequestTimedOut(long Request);
}

/// <summary>
/// A device's page requests that wait for a response. Kept apart from the actor, so that a restart loses none; their time-outs are the
/// scheduler's, not the actor's, for the same reason.
/// </summary>
internal sealed class PageRequests
{
    // PCI's page request group index has nine bits.
    private const long GroupMask = 0x1ff;

    private readonly SortedDictionary<long, (PhysicalDeviceActor.DmaUnderWay Work, ICancelable TimeOut)> _waiting = [];
    private long _last;

    /// <summary>Whether none waits.</summary>
    public bool IsEmpty => _waiting.Count == 0;

    /// <summary>The page request group index of a request.</summary>
    public static uint GroupOf(long number) => (uint)(number & GroupMask);

    /// <summary>The number for the next request.</summary>
    public long TakeNumber() => ++_last;

    /// <summary>Notes a request.</summary>
    public void Add(long number, PhysicalDeviceActor.DmaUnderWay work, ICancelable timeOut) =>
        _waiting.Add(number, (work, timeOut));

    /// <summary>The request that waits under a group index.</summary>
    public bool TryFindGroup(uint group, out long number)
    {
        number = _waiting.Keys.FirstOrDefault(n => GroupOf(n) == group);
        return number != 0;
    }

    /// <summary>Requests of an address space.</summary>
    public long[] Of(uint pasid) =>
        [.. _waiting.Where(w => w.Value.Work.Request.Pattern.Pasid == pasid).Select(w => w.Key)];

    /// <summary>Takes a request out; null when it is over.</summary>
    public PhysicalDeviceActor.DmaUnderWay? Take(long number)
    {
        if (!_waiting.Remove(number, out var taken))
        {
            return null;
        }

        taken.TimeOut.Cancel();
        return taken.Work;
    }
}

/// <summary>Which DEVICE an address space of a physical device belongs to.</summary>
/// <param name="Context">The context.</param>
/// <param name="ProcessId">The process that opened it.</param>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="HasViommu">Whether a vIOMMU knows it.</param>
internal readonly record struct DmaOwner(IActorRef Context, int ProcessId, uint DeviceId, bool HasViommu);
