using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

// Page sets of files and dma-bufs, and changes of their owner.
public sealed partial class MemoryState
{
    private FlowResponse Create(CreateFilePageSet create)
    {
        PageSet set;
        var errno = create.File switch
        {
            Dmabuf buffer => PageSet.TryCreateDmabuf(create.PageSet, buffer, create.Start, create.Length, out set),
            MemoryFile file => PageSet.TryCreateFile(
                create.PageSet,
                Memory,
                file,
                create.Start,
                create.Length,
                create.Writable,
                create.ChargeProcess ? AccountingMode.Mm : AccountingMode.User,
                out set
            ),
            _ => throw new InvariantBrokenException($"a {create.File.GetType().Name} cannot be mapped"),
        };
        if (errno != Errno.OK)
        {
            return FlowResponse.Fail(errno);
        }

        _sets[KeyOf(create.Context, create.PageSet)] = set;
        return FlowResponse.Done;
    }

    private ChargesCounted Count(CountCharges count)
    {
        var set = Find(count.Context, count.PageSet);
        var pages = set.PagesToCharge(processes(count.Caller));
        return new ChargesCounted(
            set.Accounting == AccountingMode.User ? pages : 0,
            set.Accounting == AccountingMode.Mm ? pages : 0
        );
    }

    private FlowResponse Switch(SwitchOwner change)
    {
        Find(change.Context, change.PageSet).SwitchOwner(processes(change.Caller));
        return FlowResponse.Done;
    }
}
