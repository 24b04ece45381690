using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

/// <summary>
/// A page set and the naive model of it, side by side. The model knows for every page how many access ranges and areas
/// cover it and which frame was pinned; nothing about tiers, runs or spans.
/// </summary>
internal sealed partial class PageSetTrial
{
    private const int Pages = 12;
    private const ulong At = PageSetTestHost.BufferAddress;
    private const ulong Page = HostPage.Size;

    private readonly PageSetTestHost _host = new();
    private readonly ProcessMemory _owner;
    private readonly ProcessMemory _stranger;
    private readonly MemoryFile? _file;
    private readonly PageSet _set;
    private readonly AccountingMode _mode;

    // The model.
    private readonly int[] _cover = new int[Pages];
    private readonly int[] _access = new int[Pages];
    private readonly Pfn[] _pinned = new Pfn[Pages];
    private readonly bool[] _mapped = [.. Enumerable.Repeat(true, Pages)];
    private readonly List<Area> _areas = [];
    private readonly List<(int First, int Last)> _ranges = [];
    private ulong _limit = Pages;
    private int _faultyPage = -1;
    private ulong _keys;

    public PageSetTrial(bool file, AccountingMode mode)
    {
        _mode = mode;
        _owner = _host.Process(limitPages: _limit);
        _owner.CapIpcLock = mode == AccountingMode.None;
        _stranger = _host.Process();
        if (file)
        {
            _file = new MemoryFile(_host.Physical, MemoryFileKind.Memfd, Pages * Page);
            _owner.MapFile(At, Pages * Page, _file, 0, PageSetTestHost.ReadWrite, out _);
            _set = _host.FilePages(_owner, _file, 0, Pages * Page, mode);
        }
        else
        {
            _owner.Map(At, Pages * Page, MemoryKind.Anonymous, PageSetTestHost.ReadWrite, true, out _);
            _set = _host.UserPages(_owner, Pages, mode: mode);
        }
    }

    private int Covered => Enumerable.Range(0, Pages).Count(IsCovered);

    public void Do(int step)
    {
        int first = (step >> 8) % Pages;
        int last = first + ((step >> 12) % (Pages - first));
        int pick = (step >> 16) & 0xff;
        switch (step & 15)
        {
            case 0 or 1 or 2:
                Fill(first, last, commit: true);
                break;
            case 3:
                Fill(first, last, commit: false);
                break;
            case 4:
                OnArea(pick, Commit);
                break;
            case 5:
                OnArea(pick, area => Leave(area, abort: true));
                break;
            case 6:
                OnArea(pick, area => Leave(area, abort: false));
                break;
            case 7:
                OnArea(pick, area => MoveOrSplit(area, first));
                break;
            case 8 or 9:
                AccessAdd(first, last);
                break;
            case 10 or 11:
                AccessRemove(pick);
                break;
            case 12:
                Copy(first, last, (byte)pick, write: (pick & 1) != 0, forced: (pick & 2) != 0, (pick & 4) != 0);
                break;
            case 13:
                ChangeMapping(first);
                break;
            case 14:
                _limit = (ulong)(pick % (Pages + 2));
                _owner.RlimitMemlockPages = _limit;
                break;
            default:
                _faultyPage = (pick & 1) == 0 ? -1 : first;
                _owner.PinFault =
                    _faultyPage < 0 ? null : (address, _) => address == PinAddress(_faultyPage) ? Errno.EIO : Errno.OK;
                break;
        }
    }

    public void Check()
    {
        _set.CheckInvariants();
        Assert.Equal(Covered, _set.PinnedPages);
        Assert.Equal(Covered, _host.Physical.TotalPins);
        long charged = _mode == AccountingMode.None ? 0 : Covered;
        Assert.Equal(charged, _set.ChargedPages);
        Assert.Equal(_mode == AccountingMode.User ? charged : 0, _host.User.LockedPages);
        Assert.Equal(_mode == AccountingMode.Mm ? charged : 0, _owner.LockedVmPages);
        Assert.Equal(Covered, _owner.PinnedVmPages);
        for (int page = 0; page < Pages; page++)
        {
            if (IsCovered(page))
            {
                Assert.Equal(1, _host.Physical.PinCount(_pinned[page]));
            }
        }
    }

    public void RemoveEverything()
    {
        while (_areas.Count > 0)
        {
            Leave(_areas[0], abort: false);
        }

        while (_ranges.Count > 0)
        {
            AccessRemove(0);
        }
    }

    public void CheckNothingLeft()
    {
        Assert.True(_set.Release());
        _owner.Exit();
        _file?.Release();
        Assert.Equal(0, _host.Physical.TotalPins);
        Assert.Equal(0, _host.Physical.AllocationsInUse);
        Assert.Equal((0L, 0L, 0L), (_host.User.LockedPages, _owner.LockedVmPages, _owner.PinnedVmPages));
    }

    private bool IsCovered(int page) => _cover[page] + _access[page] > 0;

    private ulong PinAddress(int page) => (_file is null ? At : 0) + ((ulong)page * Page);

    private void Fill(int first, int last, bool commit)
    {
        var area = new Area(_keys++, first, last);
        var runs = new List<PfnRun>();
        var pinned = new List<PinnedRun>();
        Errno expected = PinMissing(first, last, out List<int> added);
        Assert.Equal(expected, _set.FillBegin(area.Key, (ulong)first, (ulong)last, true, runs, pinned));
        CheckAnswer(expected, first, last, runs, pinned, added);
        if (expected != Errno.OK)
        {
            return;
        }

        Count(_cover, first, last, 1);
        _areas.Add(area);
        if (commit)
        {
            Commit(area);
        }
    }

    private void Commit(Area area)
    {
        if (area.Domain is not null)
        {
            return;
        }

        area.Domain = new TestDomain();
        area.Domain.Install((ulong)area.First, Frames(area.First, area.Last));
        _set.FillCommit(area.Key, area.Domain);
    }

    private void Leave(Area area, bool abort)
    {
        List<PfnRun> frames = Frames(area.First, area.Last);
        if (area.Domain is not null)
        {
            if (area.Key % 2 == 0)
            {
                // The IOPTEs go first, and something else looks for the frames before the unfill.
                _set.HoldPfns(area.Key);
                area.Domain.Clear((ulong)area.First, (ulong)area.Last);
                var read = new List<PfnRun>();
                _set.ReadPfns((ulong)area.First, (ulong)area.Last, read);
                Assert.Equal(Expand(frames), Expand(read));
            }
            else
            {
                frames = area.Domain.Clear((ulong)area.First, (ulong)area.Last);
            }
        }

        if (abort)
        {
            _set.FillAbort(area.Key, frames);
        }
        else
        {
            _set.Unfill(area.Key, frames);
        }

        Count(_cover, area.First, area.Last, -1);
        _areas.Remove(area);
    }

    private void MoveOrSplit(Area area, int at)
    {
        if (area.Domain is null)
        {
            return;
        }

        if (at < area.First || at >= area.Last)
        {
            var other = new TestDomain();
            other.Install((ulong)area.First, Frames(area.First, area.Last));
            _set.MoveStorage(area.Key, other);
            area.Domain = other;
            return;
        }

        // An odd key: the cut is inside page `at`, both parts have it.
        int rightFirst = area.Key % 2 == 0 ? at + 1 : at;
        var left = new Area(_keys++, area.First, at) { Domain = new TestDomain() };
        var right = new Area(_keys++, rightFirst, area.Last) { Domain = new TestDomain() };
        left.Domain.Install((ulong)left.First, Frames(left.First, left.Last));
        right.Domain.Install((ulong)right.First, Frames(right.First, right.Last));
        _set.SplitCover(area.Key, left.Key, (ulong)left.Last, right.Key, (ulong)right.First, left.Domain, right.Domain);
        Count(_cover, area.First, area.Last, -1);
        Count(_cover, left.First, left.Last, 1);
        Count(_cover, right.First, right.Last, 1);
        _areas.Remove(area);
        _areas.AddRange([left, right]);
    }

    private void AccessAdd(int first, int last)
    {
        var runs = new List<PfnRun>();
        var pinned = new List<PinnedRun>();
        Errno expected = PinMissing(first, last, out List<int> added);
        Assert.Equal(expected, _set.AccessAdd((ulong)first, (ulong)last, runs, pinned));
        CheckAnswer(expected, first, last, runs, pinned, added);
        if (expected == Errno.OK)
        {
            Count(_access, first, last, 1);
            _ranges.Add((first, last));
        }
    }

    private void AccessRemove(int pick)
    {
        if (_ranges.Count > 0)
        {
            (int first, int last) = _ranges[pick % _ranges.Count];
            _set.AccessRemove((ulong)first, (ulong)last);
            Count(_access, first, last, -1);
            _ranges.Remove((first, last));
        }
    }

    private void Copy(int first, int last, byte value, bool write, bool forced, bool byStranger)
    {
        last = Math.Min(last, first + 2);
        bool plain = _file is null && !forced && !byStranger;
        bool onePage = _file is null && !plain && first == last;
        var frames = new List<Pfn>();
        Errno expected = Errno.OK;
        for (int page = first; page <= last && expected == Errno.OK; page++)
        {
            bool throughTiers = !plain && !onePage && IsCovered(page);
            expected = throughTiers ? Errno.OK : Obstacle(page, last, pins: !plain);
            if (expected == Errno.OK)
            {
                frames.Add(throughTiers ? _pinned[page] : FrameNow(page));
            }
        }

        var data = new byte[(last - first + 1) * (int)Page];
        data.AsSpan().Fill(value);
        Errno result = _set.Copy((ulong)first * Page, data, write, forced, byStranger ? _stranger : _owner);
        Assert.Equal(expected, result);
        if (expected != Errno.OK && !plain)
        {
            return;
        }

        // Written or read, the bytes of the pages that were reached are now those of the frames.
        var inFrame = new byte[Page];
        for (int i = 0; i < frames.Count; i++)
        {
            _host.Physical.Read(frames[i], 0, inFrame);
            Assert.True(data.AsSpan(i * (int)Page, (int)Page).SequenceEqual(inFrame));
            Assert.True(!write || inFrame.AsSpan().Count(value) == (int)Page);
        }
    }
}
