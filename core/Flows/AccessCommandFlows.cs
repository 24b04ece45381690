using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Creation of an access: by a driver, or by the selftest, which gets a descriptor.</summary>
/// <param name="context">The context.</param>
/// <param name="caller">Who calls.</param>
/// <param name="ioasId">The IOAS.</param>
/// <param name="pins">Whether it pins.</param>
/// <param name="withDescriptor">Whether the caller gets a descriptor of it.</param>
/// <param name="answer">What is written back, from the ACCESS id and the descriptor.</param>
public sealed class CreateAccessFlow(
    ContextCore context,
    Caller caller,
    uint ioasId,
    bool pins,
    bool withDescriptor,
    Func<uint, int, IoctlCommand> answer
) : AccessFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        // Taken before the IOAS is looked up; the selftest reports that there is none as ENOMEM.
        var fd = DescriptorTable.None;
        if (withDescriptor)
        {
            fd = Caller.Descriptors.Reserve(Caller.Memory.RlimitOpenFiles);
            if (fd == DescriptorTable.None)
            {
                Fail(Errno.ENOMEM);
                yield break;
            }
        }

        foreach (var wait in Create(fd))
        {
            yield return wait;
        }

        if (fd != DescriptorTable.None && !Result.IsOk)
        {
            Caller.Descriptors.Cancel(fd);
        }
    }

    private IEnumerable<FlowWait> Create(int fd)
    {
        if (Get<IoasObject>(ioasId) is not { } ioas)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var access = new AccessObject { Pins = pins };
        var outcome = new Outcome();
        foreach (var wait in MakeAccess(ioas, pins, access, outcome))
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            Fail(outcome.Errno);
            yield break;
        }

        if (fd != DescriptorTable.None)
        {
            Caller.Descriptors.Install(fd, new AccessDescriptor(Context.Number, access.Id));
        }

        Events.Add(new AccessCreated(access.Id, ioasId, pins));
        Succeed(answer(access.Id, fd));
    }
}

/// <summary>Moves an access to another IOAS (C.6).</summary>
public sealed class ReplaceAccessFlow(ContextCore context, Caller caller, uint accessId, uint ioasId)
    : AccessFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<AccessObject>(accessId) is not { } access)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        yield return FlowWait.ForLock(access.Lock, exclusive: true);
        if (access.Ioas is not { } old || Get<IoasObject>(ioasId) is not { } target)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (ReferenceEquals(old, target))
        {
            yield break;
        }

        var outcome = new Outcome();
        foreach (var wait in JoinIoas(access, target, outcome))
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            Fail(outcome.Errno);
            yield break;
        }

        // Until its pins are gone the access belongs to no IOAS: new pins are refused.
        access.Ioas = null;
        foreach (var wait in LeaveIoas(access, old))
        {
            yield return wait;
        }

        access.Ioas = target;
        Events.Add(new AccessMoved(access.Id, ioasId));
    }
}

/// <summary>A driver destroys its access.</summary>
public sealed class DestroyAccessFlow(ContextCore context, Caller caller, uint accessId) : AccessFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Context.Objects.Find<AccessObject>(accessId) is not { } access)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        foreach (var wait in Destroy(access))
        {
            yield return wait;
        }

        Events.Add(new AccessDestroyed(accessId));
    }
}

/// <summary>Pins pages through an access; the selftest also compares them with the pages behind a user address.</summary>
public sealed class PinAccessFlow(
    ContextCore context,
    Caller caller,
    uint accessId,
    ulong iova,
    ulong length,
    bool write,
    ulong compareWith,
    bool byArea,
    uint recordedPin,
    Func<uint, ulong, IoctlCommand> answer
) : AccessFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<AccessObject>(accessId) is not { } access)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        yield return FlowWait.ForLock(access.Lock, exclusive: false);
        if (!access.Pins)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        var at = iova;
        if (byArea && access.Ioas is { } addressed)
        {
            var byIndex = FlowWait.For(ParticipantKind.Ioas, addressed.Id, new AreaByIndex((uint)iova));
            yield return byIndex;
            at = Addressed(byIndex.As<AreaList>(), iova);
        }

        var outcome = new Outcome();
        foreach (var wait in Pin(access, at, length, write, recordedPin, outcome))
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            Fail(outcome.Errno);
            yield break;
        }

        var compared = compareWith == 0 ? Errno.OK : ComparePages(at, compareWith);
        if (compared != Errno.OK)
        {
            // The kernel gives the number only to a pin whose pages are the expected ones.
            access.NextPin -= access.NextPin == PinId + 1 ? 1u : 0;
            foreach (var wait in Unpin(access, PinId, outcome))
            {
                yield return wait;
            }

            Fail(compared);
            yield break;
        }

        Events.Add(new AccessPinned(access.Id, PinId, at, length, write, PinnedForEvent()));
        var pages = 0ul;
        foreach (var run in PinnedRuns)
        {
            pages += run.Count;
        }

        Succeed(answer(PinId, pages));
    }

    // EFAULT for a user page that is not there, EBADE for one that is not the page pinned; the first decides.
    private Errno ComparePages(ulong at, ulong user)
    {
        var address = unchecked(user - (at & HostPage.OffsetMask)) & ~HostPage.OffsetMask;
        foreach (var run in PinnedRuns)
        {
            for (var i = 0ul; i < run.Count; i++)
            {
                if (!Caller.Memory.TryGetPfn(address, out var pfn))
                {
                    return Errno.EFAULT;
                }

                if (pfn.Value != run.First.Value + i)
                {
                    return Errno.EBADE;
                }

                address = unchecked(address + HostPage.Size);
            }
        }

        return Errno.OK;
    }
}

/// <summary>Releases one pin of an access.</summary>
public sealed class UnpinAccessFlow(ContextCore context, Caller caller, uint accessId, uint pinId)
    : AccessFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<AccessObject>(accessId) is not { } access)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var outcome = new Outcome();
        foreach (var wait in Unpin(access, pinId, outcome))
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            Fail(outcome.Errno);
            yield break;
        }

        Events.Add(new AccessUnpinned(accessId, pinId));
    }
}

/// <summary>Reads or writes through an access by the CPU.</summary>
public sealed class CopyAccessFlow(
    ContextCore context,
    Caller caller,
    uint accessId,
    ulong iova,
    byte[] buffer,
    bool write,
    bool slowPath,
    bool byArea,
    Func<byte[], IoctlResult> answer
) : AccessFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Get<AccessObject>(accessId) is not { } access)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var at = iova;
        if (byArea && access.Ioas is { } addressed)
        {
            var byIndex = FlowWait.For(ParticipantKind.Ioas, addressed.Id, new AreaByIndex((uint)iova));
            yield return byIndex;
            at = Addressed(byIndex.As<AreaList>(), iova);
        }

        var outcome = new Outcome();
        foreach (var wait in Copy(access, at, buffer, write, slowPath, outcome))
        {
            yield return wait;
        }

        if (outcome.IsOk)
        {
            Result = answer(buffer);
        }
        else
        {
            Fail(outcome.Errno);
        }
    }
}
