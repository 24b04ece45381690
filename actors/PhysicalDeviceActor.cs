using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Participants;
using Iommufd.Messages;

namespace Iommufd.Actors;

/// <summary>
/// /user/machine/device-NAME: the hardware. DMA runs in bursts, each one message, so that invalidations and switches come between
/// them as they would on a real bus; every translation is checked.
/// </summary>
public sealed class PhysicalDeviceActor(DmaEngine engine) : UntypedActor
{
    /// <summary>Blocks transferred in one burst.</summary>
    public const int BurstTransfers = 512;

    /// <summary>Makes the DMA side of a device.</summary>
    public static DmaEngine MakeEngine(string name, HostMachine machine) =>
        new(new Iotlb(IotlbGeometry.Default), Fnv1a.Empty.Add(name).Value, machine.PinOracle);

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case RunDma run:
                Burst(new DmaUnderWay(run, Sender, engine.Totals, run.Transfers));
                break;
            case DmaUnderWay more:
                Burst(more);
                break;
            case InvalidateRange invalidate:
                engine.Iotlb.Invalidate(invalidate.Range);
                invalidate.Round.Confirm();
                break;
            case SwitchDma change:
                engine.Attach((change.Root as HwptState)?.Table, change.Pasid);
                change.ReplyTo.Tell(change.Answer);
                break;
            case QueryDma:
                Sender.Tell(new DmaTotals(Self.Path.Name, engine.Totals, engine.Violations.ToArray()));
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
        if (now > 0)
        {
            engine.Run(work.Request.Pattern, now);
        }

        if (work.Left > now)
        {
            Self.Tell(work with { Left = work.Left - now });
            return;
        }

        work.ReplyTo.Tell(new DmaDone(work.Request.Tag, Errno.OK, engine.Totals - work.Before));
    }

    private sealed record DmaUnderWay(RunDma Request, IActorRef ReplyTo, DmaReport Before, long Left);
}

/// <summary>Door → device: what DMA was done so far. Answered by <see cref="DmaTotals"/>.</summary>
public sealed record QueryDma;

/// <summary>What a device did so far.</summary>
/// <param name="Device">The actor's name.</param>
/// <param name="Report">Counts.</param>
/// <param name="Violations">The first violations.</param>
public sealed record DmaTotals(string Device, DmaReport Report, IReadOnlyList<DmaViolation> Violations);
