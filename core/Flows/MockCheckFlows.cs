using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>The selftest's MD_CHECK_IOTLB: has an entry of a nested HWPT's IOTLB this value?</summary>
public sealed class CheckIotlbFlow(ContextCore context, Caller caller, TestMdCheckIotlb command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<NestedHwptObject>(command.HwptId) is not { } nested)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var check = FlowWait.For(ParticipantKind.NestedHwpt, nested.Id, new CheckWord(command.IotlbId, command.Iotlb));
        yield return check;
        if (check.Response.Errno != Errno.OK)
        {
            Fail(check.Response.Errno);
        }
    }
}

/// <summary>The selftest's DEV_CHECK_CACHE: has a word of a mock device's cache this value?</summary>
public sealed class CheckCacheFlow(ContextCore context, Caller caller, TestDevCheckCache command)
    : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<DeviceObject>(command.IdevId) is not { } device)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var check = FlowWait.For(ParticipantKind.Device, device.Id, new CheckWord(command.CacheId, command.Cache));
        yield return check;
        if (check.Response.Errno != Errno.OK)
        {
            Fail(check.Response.Errno);
        }
    }
}

/// <summary>The selftest's PASID_CHECK_HWPT: is a PASID of a mock device attached to this HWPT, or to none?</summary>
public sealed class CheckPasidFlow(ContextCore context, Caller caller, TestPasidCheckHwpt command)
    : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<SelftestObject>(command.StdevId) is not { } stdev)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var group = stdev.Device.Group;
        yield return FlowWait.ForLock(group.Lock, exclusive: false);
        group.Attachments.TryGetValue(command.Pasid, out var attachment);
        if (command.HwptId != 0 && Get<ContextObject>(command.HwptId) is var expected)
        {
            if (expected is null)
            {
                Fail(Errno.ENOENT);
            }
            else if (!ReferenceEquals(expected, attachment?.Hwpt))
            {
                Fail(Errno.EINVAL);
            }
        }
        else if (attachment is not null)
        {
            Fail(Errno.EINVAL);
        }
    }
}
