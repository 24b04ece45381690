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
        if (work.Attempts >= MaxAttempts || _requester.OwnerOf(pasid) is not { } owner)
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
        // Not by the actor's timers: a device that never asks has none.
        _requester.StartTimer(
            number,
            Context.System.Scheduler.ScheduleTellOnceCancelable(
                work.Request.RequestTimeout,
                Self,
                new RequestTimedOut(number),
                Self
            )
        );
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
        var number = _requester.WaitingIn(response.GroupId);
        if (number == 0)
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
            Burst(work);
        }
    }

    private void GiveUp(long number)
    {
        if (_requester.Take(number) is { } work)
        {
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
        if (count == 0 || !_requester.HasViommu)
        {
            return;
        }

        foreach (var fault in _engine.RecentFaults().TakeLast((int)Math.Min(count, int.MaxValue)))
        {
            if (_requester.OwnerOf(fault.Pasid) is { HasViommu: true } owner)
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

/// <summary>
/// A device's page requests that wait for a response, and who is told about them. Kept apart from the actor, so that a restart loses
/// none. Most devices have one owner and never ask for a page, so nothing more is kept for them.
/// </summary>
internal sealed class PageRequester
{
    // PCI's page request group index has nine bits.
    private const long GroupMask = 0x1ff;

    private DmaOwner? _own;
    private SortedDictionary<uint, DmaOwner>? _others;
    private SortedDictionary<long, (PhysicalDeviceActor.DmaUnderWay Work, ICancelable? Timer)>? _waiting;
    private long _last;

    /// <summary>Whether a vIOMMU knows the device.</summary>
    public bool HasViommu => _own is { HasViommu: true };

    /// <summary>The page request group index of a request.</summary>
    public static uint GroupOf(long number) => (uint)(number & GroupMask);

    /// <summary>Says who is told about faults of an address space; null for nobody.</summary>
    public void SetOwner(uint pasid, DmaOwner? owner)
    {
        if (pasid == 0)
        {
            _own = owner;
        }
        else if (owner is null)
        {
            _others?.Remove(pasid);
        }
        else
        {
            (_others ??= [])[pasid] = owner;
        }
    }

    /// <summary>The owner of an address space; of a PASID that the host has not attached, the device's own.</summary>
    public DmaOwner? OwnerOf(uint pasid) =>
        pasid != 0 && _others is not null && _others.TryGetValue(pasid, out var owner) ? owner : _own;

    /// <summary>Notes a request and numbers it.</summary>
    public long Add(PhysicalDeviceActor.DmaUnderWay work)
    {
        (_waiting ??= []).Add(++_last, (work, null));
        return _last;
    }

    /// <summary>Notes the timer of a request.</summary>
    public void StartTimer(long number, ICancelable timer) => _waiting![number] = (_waiting[number].Work, timer);

    /// <summary>The request that waits under a group index; 0 for none.</summary>
    public long WaitingIn(uint group) => _waiting?.Keys.FirstOrDefault(n => GroupOf(n) == group) ?? 0;

    /// <summary>Requests of an address space.</summary>
    public long[] Of(uint pasid) =>
        _waiting is null
            ? []
            : [.. _waiting.Where(w => w.Value.Work.Request.Pattern.Pasid == pasid).Select(w => w.Key)];

    /// <summary>Takes a request out and stops its timer; null when it is over.</summary>
    public PhysicalDeviceActor.DmaUnderWay? Take(long number)
    {
        if (_waiting is null || !_waiting.Remove(number, out var request))
        {
            return null;
        }

        request.Timer?.Cancel();
        return request.Work;
    }
}

/// <summary>Which DEVICE an address space of a physical device belongs to.</summary>
/// <param name="Context">The context.</param>
/// <param name="ProcessId">The process that opened it.</param>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="HasViommu">Whether a vIOMMU knows it.</param>
internal sealed record DmaOwner(IActorRef Context, int ProcessId, uint DeviceId, bool HasViommu);
