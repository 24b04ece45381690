using Iommufd.Core.Iova;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

// Questions about areas that change nothing.
public sealed partial class IoasState
{
    private AreaList ContiguousPrefix(IovaRange range)
    {
        var found = new List<AreaView>();
        for (var at = range.First; _map.At(at) is { State: AreaState.Ready } area; at = area.Range.Last + 1)
        {
            found.Add(Slice(area, new IovaRange(at, range.Last)));
            if (area.Range.Last >= range.Last)
            {
                break;
            }
        }

        return new AreaList(Errno.OK, found, _map.LargePagesDisabled);
    }

    private PageSetList ListPageSetsInOrder()
    {
        var sets = new List<uint>();
        foreach (var area in _map.InOrder())
        {
            if (area.State != AreaState.Ready)
            {
                return new PageSetList(Errno.EBUSY, sets);
            }

            sets.Add(area.PageSet);
        }

        return new PageSetList(Errno.OK, sets);
    }
}
