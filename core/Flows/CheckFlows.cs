using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>The selftest's MD_CHECK_MAP: does a HWPT translate to the pages behind a user address?</summary>
public sealed class CheckMapFlow(ContextCore context, Caller caller, TestMdCheckMap command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<HwptObject>(command.HwptId) is not { } hwpt)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var step = hwpt.SmallestPage;
        if (
            command.Iova % step != 0
            || command.Length % step != 0
            || command.Uptr % step != 0
            || unchecked(command.Uptr + command.Length) < command.Uptr
        )
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        // Steps are compared in order, so a wrong translation before an unreadable user page decides.
        var expected = new List<ulong>();
        var faulted = false;
        for (var done = 0ul; done < command.Length && !faulted; done += step)
        {
            faulted = !Caller.Memory.TryGetPfn(unchecked(command.Uptr + done), out var pfn);
            if (!faulted)
            {
                expected.Add(pfn.Address | (unchecked(command.Uptr + done) & HostPage.OffsetMask));
            }
        }

        var check = FlowWait.For(ParticipantKind.Hwpt, hwpt.Id, new CheckMapped(command.Iova, expected, step));
        yield return check;
        if (check.Response.Errno != Errno.OK)
        {
            Fail(check.Response.Errno);
        }
        else if (faulted)
        {
            Fail(Errno.EFAULT);
        }
    }
}

/// <summary>The selftest's MD_CHECK_REFS: is every page behind a user address pinned that many times?</summary>
public sealed class CheckRefsFlow(ContextCore context, Caller caller, TestMdCheckRefs command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (
            command.Length % HostPage.Size != 0
            || command.Uptr % HostPage.Size != 0
            || unchecked(command.Uptr + command.Length) < command.Uptr
        )
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        for (var done = 0ul; done < command.Length; done += HostPage.Size)
        {
            var address = unchecked(command.Uptr + done);
            if (!Caller.Memory.TryGetPfn(address, out var pfn))
            {
                Fail(Errno.EFAULT);
                yield break;
            }

            if (!Caller.Memory.IsCompound(address) && Caller.Memory.Physical.PinCount(pfn) != command.Refs)
            {
                Fail(Errno.EIO);
                yield break;
            }
        }
    }
}
