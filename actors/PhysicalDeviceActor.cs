using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

// PhysicalDeviceActor in parts: this file (bursts, invalidations, switches), .PageRequests (PRI: waiting for pages, events of faults).

/// <summary>
/// /user/machine/device-NAME: the hardware. DMA runs in bursts, each one message, so that invalidations and switches come between
/// them as they would on a real bus; every translation is checked.
/// </summary>
public sealed partial class PhysicalDeviceActor : UntypedActor
{
    /// <summary>Blocks transferred in one burst.</summary>
    public const int BurstTransfers = 512;

    private readonly DmaEngine _engine;
    private readonly PageRequester _requester;

    /// <summary>Makes the actor of a device.</summary>
    /// <param name="engine">Its DMA side.</param>
    /// <param name="requester">Its page requests.</param>
    internal PhysicalDeviceActor(DmaEngine engine, PageRequester requester) =>
        (_engine, _requester) = (engine, requester);

    /// <summary>Makes the DMA side of a device.</summary>
    public static DmaEngine MakeEngine(string name, HostMachine machine) =>
        new(new Iotlb(IotlbGeometry.Default), Fnv1a.Empty.Add(name).Value, machine.PinOracle, memory: machine.Physical);

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case RunDma run:
                Burst(new DmaUnderWay(run, Sender, default, run.Transfers, null));
                break;
            case DmaUnderWay more:
                Burst(more);
                break;
            case InvalidateTable invalidate:
                _engine.InvalidateTable(invalidate.HwptId, invalidate.Range);
                invalidate.Round.Confirm();
                break;
            case ForgetNested forget:
                foreach (var range in forget.Ranges)
                {
                    _engine.Iotlb.Invalidate(range, forget.Pasid);
                }

                forget.ReplyTo.Tell(forget.Answer);
                break;
            case SwitchDma change:
                Switch(change);
                break;
            case QueryDma:
                Sender.Tell(new DmaTotals(Self.Path.Name, _engine.Totals, _engine.Violations.ToArray()));
                break;
            case PageResponse response:
                Respond(response);
                break;
            case IoctlAnswer answer:
                OnRequestAnswered(answer);
                break;
            case RequestTimedOut late:
                GiveUp(late.Request);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void PreRestart(Exception reason, object message)
    {
        // The engine is the hardware; it does not go away with the actor.
    }

    /// <inheritdoc/>
    protected override void PostRestart(Exception reason) { }

    private void Burst(DmaUnderWay work)
    {
        var now = (int)Math.Min(BurstTransfers, work.Left);
        var faults = _engine.Totals.Faults;
        if (work.Request.PageRequests)
        {
            work = BurstWithRequests(work, now);
            now = 0;
        }
        else if (now > 0)
        {
            work = work with { Report = work.Report + _engine.Run(work.Request.Pattern, now) };
        }

        ReportFaults(_engine.Totals.Faults - faults);
        GoOn(work with { Left = work.Left - now });
    }

    private void GoOn(DmaUnderWay work)
    {
        if (work.Missing is not null)
        {
            return;
        }

        if (work.Left > 0)
        {
            Self.Tell(work);
            return;
        }

        work.ReplyTo.Tell(new DmaDone(work.Request.Tag, Errno.OK, work.Report));
    }

    private void Switch(SwitchDma change)
    {
        _engine.Switch((change.Root as IDmaRoot)?.Translation, change.Pasid);
        if (change.Root is null)
        {
            _requester.SetOwner(change.Pasid, null);
            GiveUpAll(change.Pasid);
        }
        else
        {
            _requester.SetOwner(change.Pasid, change.Owner);
        }

        change.ReplyTo.Tell(change.Answer);
    }

    internal sealed record DmaUnderWay(
        RunDma Request,
        IActorRef ReplyTo,
        DmaReport Report,
        long Left,
        DmaMissing? Missing,
        int Attempts = 0
    );
}

/// <summary>Door → device: what DMA was done so far. Answered by <see cref="DmaTotals"/>.</summary>
public sealed record QueryDma;

/// <summary>What a device did so far.</summary>
/// <param name="Device">The actor's name.</param>
/// <param name="Report">Counts.</param>
/// <param name="Violations">The first violations.</param>
public sealed record DmaTotals(string Device, DmaReport Report, IReadOnlyList<DmaViolation> Violations);
