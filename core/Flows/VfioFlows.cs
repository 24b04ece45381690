using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>IOMMU_VFIO_IOAS (facts sheet B.10): which IOAS VFIO's own calls work on.</summary>
public sealed class VfioIoasFlow(ContextCore context, Caller caller, VfioIoas command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Reserved != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        switch (command.Op)
        {
            case VfioIoasOp.Get when Context.CompatIoas is { } current:
                Succeed(command with { IoasId = current.Id });
                break;
            case VfioIoasOp.Get:
                Fail(Errno.ENODEV);
                break;
            case VfioIoasOp.Set when Get<IoasObject>(command.IoasId) is { } ioas:
                Context.CompatIoas = ioas;
                Events.Add(new CompatIoasSet(ioas.Id));
                break;
            case VfioIoasOp.Set:
                Fail(Errno.ENOENT);
                break;
            case VfioIoasOp.Clear:
                Context.CompatIoas = null;
                Events.Add(new CompatIoasSet(0));
                break;
            default:
                Fail(Errno.EOPNOTSUPP);
                break;
        }
    }
}

/// <summary>VFIO_CHECK_EXTENSION (facts sheet B.22).</summary>
public sealed class VfioCheckExtensionFlow(ContextCore context, Caller caller, VfioCheckExtension command)
    : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        switch (command.Extension)
        {
            case VfioExtension.Type1 or VfioExtension.Type1V2 or VfioExtension.UnmapAll:
                Result = new IoctlResult(Errno.OK, 1, null);
                break;
            case VfioExtension.DmaCcIommu when Context.CompatIoas is null:
                Fail(Errno.ENODEV);
                break;
            case VfioExtension.DmaCcIommu:
                Result = new IoctlResult(Errno.OK, IsCoherent(Context.CompatIoas) ? 1 : 0, null);
                break;
            default:
                break;
        }

        yield break;
    }

    // The selftest's mock cannot enforce coherency; the units of real formats do.
    private bool IsCoherent(IoasObject ioas) =>
        ioas.Hwpts.TrueForAll(id => Context.Objects.Find<HwptObject>(id) is not { Iommu.Index: < 0 });
}

/// <summary>VFIO_SET_IOMMU (facts sheet B.22): type 1 of version 1 maps page by page, so that mappings can be cut.</summary>
public sealed class VfioSetIommuFlow(ContextCore context, Caller caller, VfioSetIommu command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Type is not (VfioExtension.Type1 or VfioExtension.Type1V2))
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        if (Context.CompatIoas is not { } compat || Get<IoasObject>(compat.Id) is not { } ioas)
        {
            Fail(Errno.ENODEV);
            yield break;
        }

        if (command.Type == VfioExtension.Type1V2)
        {
            yield break;
        }

        yield return FlowWait.ForLock(ioas.DomainsLock, exclusive: true);
        var disable = FlowWait.For(ParticipantKind.Ioas, ioas.Id, new LargePages(Disabled: true));
        yield return disable;
        if (disable.Response.Errno != Errno.OK)
        {
            Fail(disable.Response.Errno);
            yield break;
        }

        Events.Add(new LargePagesSet(ioas.Id, Enabled: false));
    }
}

/// <summary>VFIO_IOMMU_MAP_DMA (facts sheet B.22): MAP at a fixed IOVA, with fewer checks.</summary>
public sealed class VfioMapFlow(ContextCore context, Caller caller, VfioIommuMapDma command)
    : MappingFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if ((command.Flags & ~(VfioMapFlags.Read | VfioMapFlags.Write)) != 0)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        if (Context.CompatIoas is not { } compat || Get<IoasObject>(compat.Id) is not { } ioas)
        {
            Fail(Errno.ENODEV);
            yield break;
        }

        if (UserRange.Check(command.Vaddr, command.Size) is var bad && bad != Errno.OK)
        {
            Fail(bad);
            yield break;
        }

        var permissions =
            (command.Flags.HasFlag(VfioMapFlags.Write) ? 1u : 0) | (command.Flags.HasFlag(VfioMapFlags.Read) ? 2u : 0);
        var outcome = new Outcome();
        foreach (
            var wait in MapUserMemory(
                ioas,
                command.Vaddr,
                command.Size,
                fixedIova: true,
                command.Iova,
                permissions,
                outcome
            )
        )
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            Fail(outcome.Errno);
            yield break;
        }

        Events.Add(
            new VfioMapped(
                Caller.ProcessId,
                ioas.Id,
                command.Iova,
                command.Size,
                command.Vaddr,
                permissions,
                MappedPageSet,
                PinnedForEvent()
            )
        );
    }
}
