using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Faults;
using Iommufd.Core.Participants;
using Iommufd.Messages;

namespace Iommufd.Actors;

/// <summary>
/// /user/machine/device-NAME: the hardware. DMA runs in bursts, each one message, so that invalidations and switches come between
/// them as they would on a real bus; every translation is checked. A device that was pulled out confirms invalidations (it has no
/// IOTLB any more) and takes switches without effect: its DEVICE object lives on until it is unbound.
/// </summary>
public sealed class PhysicalDeviceActor(PhysicalDevice device) : UntypedActor
{
    /// <summary>Blocks transferred in one burst.</summary>
    public const int BurstTransfers = 512;

    private readonly DmaEngine _engine = device.Engine;

    /// <summary>Makes the DMA side of a device.</summary>
    public static DmaEngine MakeEngine(string name, HostMachine machine) =>
        new(new Iotlb(IotlbGeometry.Default), Fnv1a.Empty.Add(name).Value, machine.PinOracle);

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case RunDma run:
                Burst(new DmaUnderWay(run, Sender, _engine.Totals, run.Transfers));
                break;
            case DmaUnderWay more:
                Burst(more);
                break;
            case InvalidateRange invalidate:
                Invalidate(invalidate);
                break;
            case DelayedInvalidation delayed:
                Confirm(delayed.Late);
                break;
            case SwitchDma change:
                device.Switch(change.Pasid, (change.Root as HwptState)?.Table);
                change.ReplyTo.Tell(change.Answer);
                break;
            case QueryDma:
                Sender.Tell(new DmaTotals(Self.Path.Name, _engine.Totals, _engine.Violations.ToArray()));
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

    private void Invalidate(InvalidateRange invalidate)
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

    private void Confirm(InvalidateRange invalidate)
    {
        _engine.Iotlb.Invalidate(invalidate.Range);
        invalidate.Round.Confirm(invalidate.Place);
    }

    private void Burst(DmaUnderWay work)
    {
        var failed = device.FailsNow();
        if (failed != Errno.OK)
        {
            work.ReplyTo.Tell(new DmaDone(work.Request.Tag, failed, _engine.Totals - work.Before));
            return;
        }

        var now = (int)Math.Min(BurstTransfers, work.Left);
        if (now > 0)
        {
            _engine.Run(work.Request.Pattern, now);
        }

        if (work.Left > now)
        {
            Self.Tell(work with { Left = work.Left - now });
            return;
        }

        work.ReplyTo.Tell(new DmaDone(work.Request.Tag, Errno.OK, _engine.Totals - work.Before));
    }

    private sealed record DmaUnderWay(RunDma Request, IActorRef ReplyTo, DmaReport Before, long Left);

    private sealed record DelayedInvalidation(InvalidateRange Late);
}

/// <summary>A device's hardware: what outlives a restart of its actor. Only the actor touches it.</summary>
/// <param name="name">The device's name.</param>
/// <param name="engine">Its DMA.</param>
/// <param name="machine">The machine that it is plugged into.</param>
/// <param name="faults">Decides whether it fails; null where nothing does.</param>
public sealed class PhysicalDevice(string name, DmaEngine engine, HostMachine machine, IFaultSource? faults)
{
    private readonly SortedSet<uint> _spaces = [];

    /// <summary>The device's name.</summary>
    public string Name { get; } = name;

    /// <summary>Its DMA.</summary>
    public DmaEngine Engine { get; } = engine;

    /// <summary>Decides whether it fails; null where nothing does.</summary>
    public IFaultSource? Faults { get; } = faults;

    /// <summary>Whether it was pulled out.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Switches the translation of one address space; null blocks it.</summary>
    internal void Switch(uint pasid, Core.PageTables.IoPageTable? table)
    {
        if (table is null)
        {
            _spaces.Remove(pasid);
        }
        else
        {
            _spaces.Add(pasid);
        }

        Engine.Attach(IsGone ? null : table, pasid);
    }

    /// <summary>Whether the burst that comes next can be done: OK, ENODEV for a device that is gone, EIO where it was aborted.</summary>
    internal Errno FailsNow()
    {
        if (IsGone)
        {
            return Errno.ENODEV;
        }

        if (Faults is null)
        {
            return Errno.OK;
        }

        var site = new FaultSite(0, 0, Device: Name, Operation: OperationWords.Dma);
        if (Faults.ShouldFail(FaultPoints.DeviceRemoved, site))
        {
            IsGone = true;
            machine.RemoveDevice(Name);
            foreach (var pasid in _spaces)
            {
                Engine.Attach(null, pasid);
            }

            return Errno.ENODEV;
        }

        if (Faults.ShouldFail(FaultPoints.DeviceReset, site))
        {
            Engine.Iotlb.Invalidate(IovaRange.All);
            return Errno.EIO;
        }

        return Faults.ShouldFail(FaultPoints.DmaAbort, site) ? Errno.EIO : Errno.OK;
    }
}

/// <summary>Door → device: what DMA was done so far. Answered by <see cref="DmaTotals"/>.</summary>
public sealed record QueryDma;

/// <summary>What a device did so far.</summary>
/// <param name="Device">The actor's name.</param>
/// <param name="Report">Counts.</param>
/// <param name="Violations">The first violations.</param>
public sealed record DmaTotals(string Device, DmaReport Report, IReadOnlyList<DmaViolation> Violations);
