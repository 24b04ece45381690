using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

// The naive model's answers, and the changes to the memory behind the page set.
internal sealed partial class PageSetTrial
{
    /// <summary>Unmaps a page or maps a new one there; a file is cut to the page, or grows to its full size again.</summary>
    private void ChangeMapping(int page)
    {
        if (_file is not null)
        {
            bool cut = _mapped[page];
            for (int i = page; i < Pages && cut; i++)
            {
                _mapped[i] = false;
            }

            Array.Fill(_mapped, true, 0, cut ? 0 : Pages);
            _file.Truncate((ulong)(cut ? page : Pages) * Page);
            return;
        }

        if (_mapped[page])
        {
            _owner.Unmap(PinAddress(page), Page);
        }
        else
        {
            _owner.Map(PinAddress(page), Page, MemoryKind.Anonymous, PageSetTestHost.ReadWrite, false, out _);
        }

        _mapped[page] = !_mapped[page];
    }

    private Pfn FrameNow(int page)
    {
        Assert.True(_owner.TryGetPfn(At + ((ulong)page * Page), out Pfn pfn));
        return pfn;
    }

    /// <summary>What prevents pinning, or using, a page.</summary>
    private Errno Obstacle(int page, int last, bool pins)
    {
        if (_file is not null)
        {
            for (int i = page; i <= last && !IsCovered(i); i++)
            {
                if (!_mapped[i])
                {
                    return Errno.EINVAL;
                }
            }
        }

        if (pins && page == _faultyPage)
        {
            return Errno.EIO;
        }

        return _mapped[page] ? Errno.OK : Errno.EFAULT;
    }

    /// <summary>What pinning the uncovered pages of a range must give, and which pages it pins.</summary>
    private Errno PinMissing(int first, int last, out List<int> added)
    {
        added = [];
        for (int page = first; page <= last; page++)
        {
            if (IsCovered(page))
            {
                continue;
            }

            Errno obstacle = Obstacle(page, last, pins: true);
            if (obstacle != Errno.OK)
            {
                return obstacle;
            }

            added.Add(page);
        }

        bool fits = added.Count == 0 || (ulong)(Covered + added.Count) <= _limit;
        return fits || _mode == AccountingMode.None ? Errno.OK : Errno.ENOMEM;
    }

    private void CheckAnswer(
        Errno result,
        int first,
        int last,
        List<PfnRun> runs,
        List<PinnedRun> pinned,
        List<int> added
    )
    {
        if (result != Errno.OK)
        {
            Assert.Empty(runs);
            Assert.Empty(pinned);
            return;
        }

        foreach (int page in added)
        {
            _pinned[page] = FrameNow(page);
        }

        Assert.Equal(Expand(Frames(first, last)), Expand(runs));
        Assert.Equal(
            added.Select(page => ((ulong)page, _pinned[page])),
            pinned.SelectMany(pin => Expand([pin.Run]).Select((pfn, i) => (pin.FirstIndex + (ulong)i, pfn)))
        );
    }

    private List<PfnRun> Frames(int first, int last) =>
        [.. Enumerable.Range(first, last - first + 1).Select(page => new PfnRun(_pinned[page], 1))];

    private static IEnumerable<Pfn> Expand(IEnumerable<PfnRun> runs) =>
        runs.SelectMany(run => Enumerable.Range(0, (int)run.Count).Select(i => new Pfn(run.First.Value + (ulong)i)));

    private void OnArea(int pick, Action<Area> action)
    {
        if (_areas.Count > 0)
        {
            action(_areas[pick % _areas.Count]);
        }
    }

    private static void Count(int[] counts, int first, int last, int change)
    {
        for (int page = first; page <= last; page++)
        {
            counts[page] += change;
        }
    }

    private sealed class Area(ulong key, int first, int last)
    {
        public ulong Key { get; } = key;

        public int First { get; } = first;

        public int Last { get; } = last;

        public TestDomain? Domain { get; set; }
    }
}
