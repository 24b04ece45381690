using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Core.Flows;

/// <summary>The selftest's MOCK_DOMAIN_REPLACE, PASID_ATTACH and PASID_REPLACE (facts sheet D.6, D.9).</summary>
/// <param name="context">The context.</param>
/// <param name="caller">Who calls.</param>
/// <param name="stdevId">The SELFTEST object.</param>
/// <param name="pasid">0 for the device's own requests.</param>
/// <param name="ptId">An IOAS or HWPT.</param>
/// <param name="replace">Whether it moves.</param>
/// <param name="answer">What is written back.</param>
public sealed class MockAttachFlow(
    ContextCore context,
    Caller caller,
    uint stdevId,
    uint pasid,
    uint ptId,
    bool replace,
    Func<uint, IoctlCommand> answer
) : AttachFlow(context, caller, pasid, ptId, replace, answer)
{
    /// <inheritdoc/>
    protected override DeviceObject? Find()
    {
        var stdev = Get<SelftestObject>(stdevId);
        if (stdev is null)
        {
            Fail(Errno.ENOENT);
        }

        return stdev?.Device;
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

        foreach (var wait in DetachAndJournal(stdev.Device, command.Pasid))
        {
            yield return wait;
        }
    }
}
