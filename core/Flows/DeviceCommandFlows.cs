using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>A driver binds a device.</summary>
public sealed class BindFlow(ContextCore context, Caller caller, BindDevice command) : DeviceFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        var errno = Context.Registry.ClaimDevice(command.Device, Context.Number, out var traits);
        if (errno != Errno.OK)
        {
            Fail(errno);
            yield break;
        }

        var device = MakeDevice(traits!, owner: 0);
        Events.Add(new DeviceBound(device.Id, command.Device, TraitsForEvent(traits!)));

        // The machine's own text of the name: the caller's would be kept beside it, a million times.
        Succeed(command with { Device = device.Traits.Name, OutDeviceId = device.Id });
    }

    /// <summary>Traits as the event holds them.</summary>
    public static ulong[] TraitsForEvent(DeviceTraits traits)
    {
        const int Fixed = 7;
        var flat = new ulong[Fixed + (2 * traits.Reserved.Count)];
        flat[0] = (uint)traits.Group;
        flat[1] = (uint)traits.Iommu.Index;
        flat[2] = (ulong)traits.Iommu.Format;
        flat[3] = traits.Iommu.Aperture.First;
        flat[4] = traits.Iommu.Aperture.Last;
        flat[5] = traits.DirtyTracking ? 1ul : 0;
        flat[6] = traits.MaxPasids;
        for (var i = 0; i < traits.Reserved.Count; i++)
        {
            flat[Fixed + (2 * i)] = traits.Reserved[i].First;
            flat[Fixed + (2 * i) + 1] = traits.Reserved[i].Last;
        }

        return flat;
    }
}

/// <summary>A driver unbinds a device.</summary>
public sealed class UnbindFlow(ContextCore context, Caller caller, UnbindDevice command) : DeviceFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (
            Context.Objects.Find<DeviceObject>(command.DeviceId) is not { Owner: 0 } device
            || Context.IsLeaving(command.DeviceId)
        )
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (Context.VfioFileOf(device.Id) is not null)
        {
            Fail(Errno.EBUSY);
            yield break;
        }

        foreach (var wait in UnbindAndJournal(device))
        {
            yield return wait;
        }
    }
}

/// <summary>Attaches or moves a device (D.2, D.4, D.6), whoever asks.</summary>
/// <param name="context">The context.</param>
/// <param name="caller">Who calls.</param>
/// <param name="pasid">0 for the device's own requests.</param>
/// <param name="ptId">An IOAS or HWPT.</param>
/// <param name="replace">Whether it is attached, and moves.</param>
/// <param name="answer">What is written back, from the HWPT that is used.</param>
public abstract class AttachFlow(
    ContextCore context,
    Caller caller,
    uint pasid,
    uint ptId,
    bool replace,
    Func<uint, IoctlCommand> answer
) : DeviceFlow(context, caller)
{
    /// <summary>The device, kept in use; null fails.</summary>
    protected abstract DeviceObject? Find();

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Find() is not { } device)
        {
            yield break;
        }

        var outcome = new Outcome();
        foreach (var wait in AttachAndJournal(device, pasid, ptId, replace, outcome))
        {
            yield return wait;
        }

        if (outcome.IsOk)
        {
            Succeed(answer(UsedHwpt));
        }
        else
        {
            Fail(outcome.Errno);
        }
    }
}

/// <summary>A driver attaches or moves a device.</summary>
/// <param name="context">The context.</param>
/// <param name="caller">Who calls.</param>
/// <param name="deviceId">The DEVICE.</param>
/// <param name="pasid">0 for the device's own requests.</param>
/// <param name="ptId">An IOAS or HWPT.</param>
/// <param name="replace">Whether it moves.</param>
/// <param name="answer">What is written back.</param>
public sealed class DriverAttachFlow(
    ContextCore context,
    Caller caller,
    uint deviceId,
    uint pasid,
    uint ptId,
    bool replace,
    Func<uint, IoctlCommand> answer
) : AttachFlow(context, caller, pasid, ptId, replace, answer)
{
    /// <inheritdoc/>
    protected override DeviceObject? Find() => FindDriven(deviceId);
}

/// <summary>A driver detaches a device (D.7).</summary>
public sealed class DetachFlow(ContextCore context, Caller caller, DetachDevice command) : DeviceFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (FindDriven(command.DeviceId) is { } device)
        {
            foreach (var wait in DetachAndJournal(device, command.Pasid))
            {
                yield return wait;
            }
        }
    }
}

/// <summary>The selftest's MOCK_DOMAIN and MOCK_DOMAIN_FLAGS: makes, binds and attaches a mock device.</summary>
public sealed class MockDomainFlow(ContextCore context, Caller caller, TestMockDomainFlags command, bool hasFlags)
    : DeviceFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if ((command.DevFlags & ~(MockDeviceFlags.NoDirty | MockDeviceFlags.Pasid)) != 0)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        var stdev = Context.Reserve(new SelftestObject());
        var traits = Context.Registry.MakeMockDevice(
            Context.Number,
            stdev.Id,
            dirtyTracking: !command.DevFlags.HasFlag(MockDeviceFlags.NoDirty),
            pasid: command.DevFlags.HasFlag(MockDeviceFlags.Pasid)
        );
        var device = MakeDevice(traits, owner: stdev.Id);
        stdev.Device = device;
        var outcome = new Outcome();
        foreach (var wait in Attach(device, 0, command.PtId, replace: false, outcome))
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            foreach (var wait in Unbind(device))
            {
                yield return wait;
            }

            Context.Objects.Remove(stdev);
            Fail(outcome.Errno);
            yield break;
        }

        Context.Objects.Publish(stdev);
        Events.Add(
            new MockDeviceMade(stdev.Id, device.Id, UsedHwpt, command.PtId, (uint)command.DevFlags, PinnedForEvent())
        );
        if (hasFlags)
        {
            Succeed(command with { OutStdevId = stdev.Id, OutIdevId = device.Id, OutHwptId = UsedHwpt });
            yield break;
        }

        Succeed(
            new TestMockDomain
            {
                PtId = command.PtId,
                OutStdevId = stdev.Id,
                OutIdevId = device.Id,
                OutHwptId = UsedHwpt,
            }
        );
    }
}
