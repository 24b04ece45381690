using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;

namespace Iommufd.Core.Flows;

/// <summary>The selftest's PASID_ATTACH and PASID_REPLACE (facts sheet D.9).</summary>
public sealed class MockPasidFlow(
    ContextCore context,
    Caller caller,
    uint stdevId,
    uint pasid,
    uint ptId,
    bool replace,
    Func<uint, IoctlCommand> answer
) : DeviceFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<SelftestObject>(stdevId) is not { } stdev)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var outcome = new Outcome();
        foreach (var wait in Attach(stdev.Device, pasid, ptId, replace, outcome))
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            Fail(outcome.Errno);
            yield break;
        }

        Events.Add(
            replace
                ? new DeviceReplaced(stdev.Device.Id, pasid, ptId, UsedHwpt, PinnedForEvent())
                : new DeviceAttached(stdev.Device.Id, pasid, ptId, UsedHwpt, PinnedForEvent())
        );
        Succeed(answer(UsedHwpt));
    }
}

/// <summary>The selftest's PASID_DETACH. Detaching what is not attached succeeds.</summary>
public sealed class MockPasidDetachFlow(ContextCore context, Caller caller, TestPasidDetach command)
    : DeviceFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<SelftestObject>(command.StdevId) is not { } stdev)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        foreach (var wait in Detach(stdev.Device, command.Pasid))
        {
            yield return wait;
        }

        Events.Add(new DeviceDetached(stdev.Device.Id, command.Pasid));
    }
}
