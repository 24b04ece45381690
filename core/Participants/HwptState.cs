using Iommufd.Core.Dma;
using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>
/// The participant behind a paging HWPT: a real page table, and which areas are in it. Devices translate through the table while
/// the participant changes it; the participant itself does one request at a time.
/// </summary>
public sealed partial class HwptState : IFlowParticipant, IFailingParticipant, IDmaRoot, IDisposable
{
    // Runs read from the table in one go.
    private const int RunsAtOnce = 64;

    private readonly SortedDictionary<ulong, AreaView> _installed = [];
    private readonly Dictionary<string, int> _devices = new(StringComparer.Ordinal);
    private string[]? _devicesInOrder;
    private bool _isFreed;

    /// <summary>Makes an empty table.</summary>
    /// <param name="hwptId">The HWPT's id.</param>
    /// <param name="format">The table's format.</param>
    /// <param name="policy">Which entries it is made of.</param>
    /// <param name="canFail">Whether allocations of tables may be made to fail.</param>
    public HwptState(
        uint hwptId,
        IoPageTableFormat format,
        EntryPolicy policy = EntryPolicy.AsMapped,
        bool canFail = false
    )
    {
        HwptId = hwptId;
        Policy = policy;
        _tables = canFail ? new TableBudget() : null;
        Table = IoPageTable.Create(format, _tables);
        Translation = new DmaTranslation(Table, hwptId);
    }

    /// <inheritdoc/>
    public uint HwptId { get; }

    /// <summary>The page table; translation is safe from any thread.</summary>
    public IoPageTable Table { get; }

    /// <inheritdoc/>
    public DmaTranslation Translation { get; }

    /// <summary>The smallest page, in bytes.</summary>
    public ulong SmallestPage => Table.SmallestPage;

    /// <summary>What the table can translate.</summary>
    public IovaRange TableRange => Table.InputRange;

    /// <summary>The devices whose IOTLBs may hold translations of this table, by name.</summary>
    public IReadOnlyList<string> Devices => _devicesInOrder ??= [.. _devices.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Areas installed.</summary>
    public int InstalledCount => _installed.Count;

    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request) =>
        request switch
        {
            InstallArea install => Install(install),
            ClearArea clear => Clear(clear),
            OpenPfnSource open => new AreaInstalled(Errno.OK, new AreaPfnSource(Table, open.Area)),
            LinkDevice link => Link(link.Device, 1),
            UnlinkDevice unlink => Link(unlink.Device, -1),
            CheckMapped check => CheckMap(check),
            CompareAreas compare => Compare(compare.Areas),
            RevokePageSet revoke => Revoke(revoke.PageSet),
            TrackDirty track => Track(track.Enable),
            ReadDirty read => ReadAndClear(read),
            MarkDirty mark => Mark(mark),
            QueryPageSizes => new PageSizeBits(Table.PageSizes),
            SplitInstalled split => Split(split),
            UseEntryPolicy use => Use(use.Policy),
            ResizeRange resize => Resize(resize),
            DescribeState describe => Describe(describe.WithText),
            CheckState => Check(),
            _ => throw new InvariantBrokenException($"a HWPT is not asked for {request.GetType().Name}"),
        };

    /// <summary>Told once when the table is freed; null for nobody.</summary>
    public Action? Freed { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isFreed)
        {
            _isFreed = true;
            Table.Dispose();
            Freed?.Invoke();
        }
    }

    private AreaInstalled Install(InstallArea install)
    {
        var area = install.Area;
        if (install.Runs.Count == 0)
        {
            // A revoked dma-buf: the area is there, its translations are not.
            _installed.Add(area.Range.First, area);
            _withoutPages.Add(area.Range.First);
            return new AreaInstalled(Errno.OK, new AreaPfnSource(Table, area));
        }

        var permissions =
            ((area.Permissions & 1) != 0 ? IoptePermissions.Write : IoptePermissions.None)
            | ((area.Permissions & 2) != 0 ? IoptePermissions.Read : IoptePermissions.None);
        var errno = Table.MapPages(
            area.Range.First,
            ScratchRuns.SpanOf(install.Runs),
            area.PageOffset,
            area.Range.Length,
            permissions,
            install.PageByPage || SplitsNow ? MapOptions.PageByPage : MapOptions.None
        );
        if (errno != Errno.OK)
        {
            return new AreaInstalled(errno, null);
        }

        _installed.Add(area.Range.First, area);
        if (install.PageByPage)
        {
            _pageByPage.Add(area.Range.First);
        }

        var stale = PromotesNow ? PromoteAround(area) : null;
        return new AreaInstalled(Errno.OK, new AreaPfnSource(Table, area), stale);
    }

    private AreaCleared Clear(ClearArea clear)
    {
        var area = clear.Area;
        if (!_installed.Remove(area.Range.First))
        {
            return new AreaCleared([]);
        }

        if (_withoutPages.Remove(area.Range.First))
        {
            return new AreaCleared([]);
        }

        IReadOnlyList<PfnRun> runs = clear.WantPfns ? ReadRuns(area) : [];
        UnmapArea(area);
        return new AreaCleared(runs);
    }

    /// <summary>Reads as many runs of an installed area as there is room for, and moves past them.</summary>
    private int ReadNext(ref ulong at, ref ulong left, Span<PfnRun> runs, out ulong translated)
    {
        var count = Table.TranslateRuns(at, left, runs, out translated);
        Invariant.Holds(translated > 0, "an installed area is mapped everywhere");
        at = unchecked(at + translated);
        left -= translated;
        return count;
    }

    private IReadOnlyList<PfnRun> ReadRuns(AreaView area)
    {
        var runs = ScratchRuns.Runs;
        Span<PfnRun> buffer = stackalloc PfnRun[RunsAtOnce];
        var at = area.Range.First;
        var left = area.Range.Length;
        while (left > 0)
        {
            var count = ReadNext(ref at, ref left, buffer, out _);
            runs.AddRange(buffer[..count]);
        }

        return ScratchRuns.Copy(runs);
    }

    private FlowResponse Link(string device, int change)
    {
        _devicesInOrder = null;
        var links = _devices.GetValueOrDefault(device) + change;
        if (links > 0)
        {
            _devices[device] = links;
        }
        else
        {
            _devices.Remove(device);
        }

        return FlowResponse.Done;
    }

    private FlowResponse CheckMap(CheckMapped check)
    {
        var at = check.Iova;
        foreach (var expected in check.Physical)
        {
            if (!Table.TryTranslate(at, out ulong physical) || physical != expected)
            {
                return FlowResponse.Fail(Errno.EINVAL);
            }

            at = unchecked(at + check.Step);
        }

        return FlowResponse.Done;
    }

    private StateChecked Compare(IReadOnlyList<AreaView> areas)
    {
        var broken = new List<string>();
        if (areas.Count != _installed.Count)
        {
            broken.Add(FormattableString.Invariant($"{_installed.Count} areas installed, the IOAS has {areas.Count}"));
        }

        foreach (var area in areas)
        {
            if (
                !_installed.TryGetValue(area.Range.First, out var installed)
                || installed.Range != area.Range
                || installed.Permissions != area.Permissions
            )
            {
                broken.Add($"area {area.Range} is not installed as the IOAS has it");
            }
        }

        return new StateChecked(1, broken);
    }

    private StateDescription Describe(bool withText)
    {
        var lines = new StateLines(withText);
        lines.Add($"format {Table.Format}");
        if (Policy != EntryPolicy.AsMapped)
        {
            lines.Add($"entries {(uint)Policy}");
        }

        foreach (var area in _installed.Values)
        {
            lines.Add($"installed {area.Range} permissions {area.Permissions}");
            if (!_withoutPages.Contains(area.Range.First))
            {
                Describe(area, lines);
            }
        }

        return lines.ToDescription();
    }

    private void Describe(AreaView area, StateLines lines)
    {
        Span<PfnRun> buffer = stackalloc PfnRun[RunsAtOnce];
        var at = area.Range.First;
        for (var left = area.Range.Length; left > 0; )
        {
            var count = ReadNext(ref at, ref left, buffer, out _);
            foreach (ref readonly var run in buffer[..count])
            {
                // As Pfn writes itself, without a string for each.
                lines.Add($"  pfn:{run.First.Value:x} x {run.Count}");
            }
        }
    }

    private StateChecked Check()
    {
        var broken = new List<string>();
        try
        {
            Table.CheckInvariants();
        }
        catch (InvalidOperationException e)
        {
            broken.Add(e.Message);
        }

        return new StateChecked(1, broken);
    }
}

/// <summary>Reads an area's PFNs back from a domain's IOPTEs, without a lock.</summary>
/// <param name="table">The domain's page table.</param>
/// <param name="area">The area as it was installed.</param>
public sealed class AreaPfnSource(IoPageTable table, AreaView area) : IPfnSource
{
    private const int PagesAtOnce = 64;

    /// <inheritdoc/>
    public bool TryReadPfn(ulong pageIndex, out Pfn pfn)
    {
        if (!table.TryTranslate(IovaOf(pageIndex), out ulong physical))
        {
            pfn = default;
            return false;
        }

        pfn = Pfn.Containing(physical);
        return true;
    }

    /// <inheritdoc/>
    public int ReadPfns(ulong firstIndex, Span<Pfn> pfns)
    {
        if (pfns.IsEmpty || !TryReadPfn(firstIndex, out pfns[0]))
        {
            return 0;
        }

        // The first page of an area may begin in its middle; those behind it are a page apart.
        Span<ulong> physical = stackalloc ulong[PagesAtOnce];
        var done = 1;
        while (done < pfns.Length)
        {
            var wanted = physical[..Math.Min(physical.Length, pfns.Length - done)];
            var count = table.TranslatePages(IovaOf(firstIndex + (ulong)done), HostPage.Size, wanted);
            for (var i = 0; i < count; i++)
            {
                pfns[done + i] = Pfn.Containing(wanted[i]);
            }

            done += count;
            if (count < wanted.Length)
            {
                break;
            }
        }

        return done;
    }

    private ulong IovaOf(ulong pageIndex)
    {
        var start = pageIndex << HostPage.Shift;
        return start <= area.StartByte ? area.Range.First : unchecked(area.Range.First + (start - area.StartByte));
    }
}
