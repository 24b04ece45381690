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

    private DmaUnderWay BurstWithRequests(DmaUnderWay work, int transfers)
    {
        var held = work.Missing?.Block;
        for (; transfers > 0; transfers--)
        {
            var report = _engine.RunUntilMissing(work.Request.Pattern, 1, held, out var missing);
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
        if (work.Attempts >= MaxAttempts || !_requester.TryFindOwner(pasid, out var owner))
        {
            return Refused(work);
        }

        var number = _requester.Add(work with { Attempts = work.Attempts + 1 });
        var missing = work.Missing!;
        var permissions = missing.Block.Access == IoptePermissions.Write ? 2u : 1u;
        owner.Context.Tell(
            new IoctlRequest(
                number,
                owner.ProcessId,
                new RequestPages(owner.DeviceId, pasid, PageRequester.GroupOf(number), permissions, [.. missing.Pages])
            ),
            Self
        );
        Timers.StartSingleTimer(number, new RequestTimedOut(number), work.Request.RequestTimeout);
        return work;
    }

    // The transfer has failed; the next one can begin.
    private DmaUnderWay Refused(DmaUnderWay work) =>
        work with
        {
            Report = work.Report + _engine.GiveUp(work.Missing!, work.Request.Pattern.Pasid),
            Left = work.Left - 1,
            Missing = null,
            Attempts = 0,
        };

    // The request is queued, or nobody handles faults of this device.
    private void OnRequestAnswered(IoctlAnswer answer)
    {
        if (!answer.Result.IsOk)
        {
            GiveUp(answer.Tag);
        }
    }

    private void Respond(PageResponse response)
    {
        if (!_requester.TryFindGroup(response.GroupId, out var number))
        {
            // Too late: the device has given up.
            return;
        }

        if (!response.Success)
        {
            GiveUp(number);
        }
        else if (_requester.Take(number) is { } work)
        {
            Timers.Cancel(number);
            Burst(work);
        }
    }

    private void GiveUp(long number)
    {
        if (_requester.Take(number) is { } work)
        {
            Timers.Cancel(number);
            var faults = _engine.Totals.Faults;
            work = Refused(work);
            ReportFaults(_engine.Totals.Faults - faults);
            GoOn(work);
        }
    }

    private void GiveUpAll(uint pasid)
    {
        foreach (var number in _requester.Of(pasid))
        {
            GiveUp(number);
        }
    }

    // What a guest has to know of: faults behind a vIOMMU. The newest that the engine remembers.
    private void ReportFaults(ulong count)
    {
        if (count == 0 || !_requester.Owners.Values.Any(o => o.HasViommu))
        {
            return;
        }

        foreach (var fault in _engine.RecentFaults().TakeLast((int)Math.Min(count, int.MaxValue)))
        {
            if (_requester.TryFindOwner(fault.Pasid, out var owner) && owner.HasViommu)
            {
                owner.Context.Tell(
                    new IoctlRequest(
                        0,
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

/// <summary>A device's page requests that wait for a response. Kept apart from the actor, so that a restart loses none.</summary>
internal sealed class PageRequester
{
    // PCI's page request group index has nine bits.
    private const long GroupMask = 0x1ff;

    private readonly SortedDictionary<long, PhysicalDeviceActor.DmaUnderWay> _waiting = [];
    private long _last;

    /// <summary>Who is told about faults of an address space.</summary>
    public SortedDictionary<uint, DmaOwner> Owners { get; } = [];

    /// <summary>The page request group index of a request.</summary>
    public static uint GroupOf(long number) => (uint)(number & GroupMask);

    /// <summary>The owner of an address space; of a PASID that the host has not attached, the device's own.</summary>
    public bool TryFindOwner(uint pasid, out DmaOwner owner) =>
        Owners.TryGetValue(pasid, out owner!) || Owners.TryGetValue(0, out owner!);

    /// <summary>Notes a request and numbers it.</summary>
    public long Add(PhysicalDeviceActor.DmaUnderWay work)
    {
        _waiting.Add(++_last, work);
        return _last;
    }

    /// <summary>The request that waits under a group index.</summary>
    public bool TryFindGroup(uint group, out long number)
    {
        number = _waiting.Keys.FirstOrDefault(n => GroupOf(n) == group);
        return number != 0;
    }

    /// <summary>Requests of an address space.</summary>
    public long[] Of(uint pasid) => [.. _waiting.Where(w => w.Value.Request.Pattern.Pasid == pasid).Select(w => w.Key)];

    /// <summary>Takes a request out; null when it is over.</summary>
    public PhysicalDeviceActor.DmaUnderWay? Take(long number) => _waiting.Remove(number, out var work) ? work : null;
}

/// <summary>Which DEVICE an address space of a physical device belongs to.</summary>
/// <param name="Context">The context.</param>
/// <param name="ProcessId">The process that opened it.</param>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="HasViommu">Whether a vIOMMU knows it.</param>
internal sealed record DmaOwner(IActorRef Context, int ProcessId, uint DeviceId, bool HasViommu);
