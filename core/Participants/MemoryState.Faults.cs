using Iommufd.Core.Faults;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

// Injected faults of pinning: at a page, at the charge, or because the memory is gone.
public sealed partial class MemoryState
{
    /// <inheritdoc/>
    void IFailingParticipant.Arm(FlowRequest request, IFaultSource faults, in FaultSite site)
    {
        switch (request)
        {
            case FillBegin fill:
                Arm(Find(fill.Context, fill.PageSet), fill.First, fill.Last, faults, site);
                break;
            case AccessAdd add:
                Arm(Find(add.Context, add.PageSet), add.First, add.Last, faults, site);
                break;
        }
    }

    /// <inheritdoc/>
    void IFailingParticipant.Disarm(FlowRequest request)
    {
        switch (request)
        {
            case FillBegin fill:
                Find(fill.Context, fill.PageSet).Disarm();
                break;
            case AccessAdd add:
                Find(add.Context, add.PageSet).Disarm();
                break;
        }
    }

    private void Arm(PageSet set, ulong first, ulong last, IFaultSource faults, in FaultSite site)
    {
        var pages = last - first + 1;
        if (faults.ShouldFail(FaultPoints.PinFault, site))
        {
            set.FailPins(faults.Choose(pages), Errno.EFAULT);
        }
        else if (faults.ShouldFail(FaultPoints.PinOutOfMemory, site))
        {
            set.FailPins(faults.Choose(pages), Errno.ENOMEM);
        }
        else if (faults.ShouldFail(FaultPoints.PinLimit, site))
        {
            set.FailCharge();
        }
        else if (!set.IsFile && !set.IsDmabuf && !Memory.IsShared && faults.ShouldFail(FaultPoints.MemoryGone, site))
        {
            // What is pinned stays pinned; only what has to be pinned now, or later, is not there. Where devices share a table with the
            // process, they have to forget before a page may go, which a pin cannot wait for.
            Memory.Unmap(set.BaseAddress + (first << HostPage.Shift), pages << HostPage.Shift);
        }
    }
}
