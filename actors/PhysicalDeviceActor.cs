using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Faults;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

// PhysicalDeviceActor in parts: this file (bursts, invalidations, switches), .PageRequests (PRI: waiting for pages, events of faults).

/// <summary>
/// /user/machine/device-NAME: the hardware. DMA runs in bursts, each one message, so that invalidations and switches come between
/// them as they would on a real bus; every translation is checked. A device that was pulled out confirms invalidations (it has no
/// IOTLB any more) and takes switches without effect: its DEVICE object lives on until it is unbound.
/// </summary>
public sealed partial class PhysicalDeviceActor(PhysicalDevice device) : UntypedActor
{
    /// <summary>Blocks transferred in one burst.</summary>
    public const int BurstTransfers = 512;

    /// <summary>Makes the DMA side of a device.</summary>
    public static DmaEngine MakeEngine(string name, HostMachine machine) =>
        new(new Iotlb(IotlbGeometry.Default), Fnv1a.Empty.Add(name).Value, machine.PinOracle, memory: machine.Physical);

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case RunDma { PageRequests: false, Transfers: <= BurstTransfers } run:
                BurstAtOnce(run);
                break;
            case RunDma run:
                Burst(new DmaUnderWay(run, Sender, default, run.Transfers, null));
                break;
            case DmaUnderWay more:
                Burst(more);
                break;
            case InvalidateTable invalidate:
                Invalidate(invalidate);
                break;
            case DelayedInvalidation delayed:
                Confirm(delayed.Late);
                break;
            case ForgetShared forget:
                foreach (var range in forget.Ranges)
                {
                    device.EngineOrNone?.Iotlb.Invalidate(range);
                }

                Sender.Tell(new SharedForgotten(forget.Ticket, forget.Device));
                break;
            case ForgetNested forget:
                foreach (var range in forget.Ranges)
                {
                    device.EngineOrNone?.Iotlb.Invalidate(range, forget.Pasid);
                }

                forget.ReplyTo.Tell(forget.Answer);
                break;
            case SwitchDma change:
                Switch(change);
                break;
            case QueryDma:
                var engine = device.EngineOrNone;
                Sender.Tell(
                    new DmaTotals(
                        Self.Path.Name,
                        engine?.Totals ?? default,
                        engine is null ? [] : engine.Violations.ToArray()
                    )
                );
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

    private void Invalidate(InvalidateTable invalidate)
    {
        if (device.Faults is { } faults)
        {
            var step = invalidate.Step;
            var site = new FaultSite(step.Context, step.Flow, Device: device.Name);
            if (faults.ShouldFail(FaultPoints.IotlbLost, site))
            {
                return;
            }

            if (faults.ShouldFail(FaultPoints.IotlbSlow, site))
            {
                var wait = TimeSpan.FromMilliseconds(1 + faults.Choose(30));
                Context.System.Scheduler.ScheduleTellOnce(wait, Self, new DelayedInvalidation(invalidate), Self);
                return;
            }
        }

        Confirm(invalidate);
    }

    private void Confirm(InvalidateTable invalidate)
    {
        device.EngineOrNone?.InvalidateTable(invalidate.HwptId, invalidate.Range);
        invalidate.Round.Confirm(invalidate.Place);
    }

    // Most DMA by far is one burst: nothing of it is kept for another.
    private void BurstAtOnce(RunDma run)
    {
        var failed = device.FailsNow();
        if (failed != Errno.OK)
        {
            Sender.Tell(new DmaDone(run.Tag, failed, default));
            return;
        }

        var report = device.Engine.Run(run.Pattern, (int)run.Transfers);
        ReportFaults(report.Faults);
        Sender.Tell(new DmaDone(run.Tag, Errno.OK, report));
    }

    private void Burst(DmaUnderWay work)
    {
        var failed = device.FailsNow();
        if (failed != Errno.OK)
        {
            work.ReplyTo.Tell(new DmaDone(work.Request.Tag, failed, work.Report));
            return;
        }

        var now = (int)Math.Min(BurstTransfers, work.Left);
        var faults = device.Engine.Totals.Faults;
        work = work.Request.PageRequests
            ? BurstWithRequests(work, now)
            : work with
            {
                Report = work.Report + device.Engine.Run(work.Request.Pattern, now),
                Left = work.Left - now,
            };
        ReportFaults(device.Engine.Totals.Faults - faults);
        GoOn(work);
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
        device.Switch(change.Pasid, (change.Root as IDmaRoot)?.Translation, change.Root is null ? null : change.Owner);
        if (change.Root is null)
        {
            GiveUpAll(change.Pasid);
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

    private sealed record DelayedInvalidation(InvalidateTable Late);
}

/// <summary>Door → device: what DMA was done so far. Answered by <see cref="DmaTotals"/>.</summary>
public sealed record QueryDma;

/// <summary>What a device did so far.</summary>
/// <param name="Device">The actor's name.</param>
/// <param name="Report">Counts.</param>
/// <param name="Violations">The first violations.</param>
public sealed record DmaTotals(string Device, DmaReport Report, IReadOnlyList<DmaViolation> Violations);
