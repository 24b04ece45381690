using System.Runtime.InteropServices;
using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>
/// The participant behind a process's memory: the page sets that contexts made of it. Pins and unpins one request at a time, so
/// that a page set is never changed by two at once.
/// </summary>
/// <param name="memory">The address space.</param>
/// <param name="processes">Finds other processes by id: an access may be used by one that is not the owner.</param>
public sealed partial class MemoryState(ProcessMemory memory, Func<int, ProcessMemory> processes)
    : IFlowParticipant,
        IFailingParticipant
{
    private readonly Dictionary<ulong, PageSet> _sets = [];

    /// <summary>The address space.</summary>
    public ProcessMemory Memory { get; } = memory;

    /// <summary>Page sets in use.</summary>
    public int PageSetCount => _sets.Count;

    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request)
    {
        switch (request)
        {
            case CreatePageSet create:
                return Create(create);
            case CreateFilePageSet create:
                return Create(create);
            case CountCharges count:
                return Count(count);
            case SwitchOwner change:
                return Switch(change);
            case DropPageSet drop:
                return Drop(drop);
            case FillBegin fill:
                return Fill(fill);
            case FillCommit commit:
                Find(commit.Context, commit.PageSet).FillCommit(commit.AreaKey, commit.Storage);
                return FlowResponse.Done;
            case Unfill unfill:
                return Empty(unfill);
            case ReadPfns read:
                return Read(read);
            case MoveStorage move:
                Find(move.Context, move.PageSet).MoveStorage(move.AreaKey, move.Storage);
                return FlowResponse.Done;
            case AccessAdd add:
                return Add(add);
            case AccessRemove remove:
                Find(remove.Context, remove.PageSet).AccessRemove(remove.First, remove.Last);
                return FlowResponse.Done;
            case CopyBytes copy:
                return Copy(copy);
            case SplitCover split:
                return Split(split);
            case DescribeState describe:
                return Describe(describe.WithText);
            case CheckState:
                return Check();
            case CheckInFlight:
                return CheckNow();
            default:
                throw new InvariantBrokenException($"a memory is not asked for {request.GetType().Name}");
        }
    }

    private static ulong KeyOf(int context, uint pageSet) => ((ulong)(uint)context << 32) | pageSet;

    internal PageSet Find(int context, uint pageSet) => _sets[KeyOf(context, pageSet)];

    /// <summary>Makes a page set of user memory, as <see cref="CreatePageSet"/> does.</summary>
    internal void Add(int context, uint pageSet, ulong userVa, ulong length, bool writable, bool chargeProcess)
    {
        var errno = PageSet.TryCreateUser(
            pageSet,
            Memory,
            userVa,
            length,
            writable,
            chargeProcess ? AccountingMode.Mm : AccountingMode.User,
            out var set
        );
        Invariant.Holds(errno == Errno.OK, "a page set's range was checked before");
        _sets[KeyOf(context, pageSet)] = set!;
    }

    /// <summary>A page set lost its last area, as <see cref="DropPageSet"/> says.</summary>
    internal void Drop(int context, uint pageSet)
    {
        if (_sets.Remove(KeyOf(context, pageSet), out var set))
        {
            Invariant.Holds(set.PinnedPages == 0, "a page set without areas has no page pinned");
            set.Release();
        }
    }

    private FlowResponse Create(CreatePageSet create)
    {
        Add(create.Context, create.PageSet, create.UserVa, create.Length, create.Writable, create.ChargeProcess);
        return FlowResponse.Done;
    }

    private FlowResponse Drop(DropPageSet drop)
    {
        Drop(drop.Context, drop.PageSet);
        return FlowResponse.Done;
    }

    private PfnsReady Fill(FillBegin fill)
    {
        var (runs, pinned) = (ScratchRuns.Runs, ScratchRuns.Pinned);
        var errno = Find(fill.Context, fill.PageSet)
            .FillBegin(fill.AreaKey, fill.First, fill.Last, fill.Charge, runs, pinned);
        return Ready(errno, runs, pinned, fill.NotesPins);
    }

    private PfnsReady Read(ReadPfns read)
    {
        var runs = ScratchRuns.Runs;
        var errno = Find(read.Context, read.PageSet).ReadPfns(read.First, read.Last, runs);
        return new PfnsReady(errno, ScratchRuns.Copy(runs), PinnedRuns.None);
    }

    private static PfnsReady Ready(Errno errno, List<PfnRun> runs, List<PinnedRun> pinned, bool notesPins) =>
        new(
            errno,
            ScratchRuns.Copy(runs),
            notesPins ? PinnedRuns.Of(CollectionsMarshal.AsSpan(pinned)) : PinnedRuns.None
        );

    private FlowResponse Empty(Unfill unfill)
    {
        var set = Find(unfill.Context, unfill.PageSet);
        if (unfill.Committed)
        {
            set.Unfill(unfill.AreaKey, unfill.Runs);
        }
        else
        {
            set.FillAbort(unfill.AreaKey, unfill.Runs);
        }

        return FlowResponse.Done;
    }

    private PfnsReady Add(AccessAdd add)
    {
        var (runs, pinned) = (ScratchRuns.Runs, ScratchRuns.Pinned);
        var errno = Find(add.Context, add.PageSet).AccessAdd(add.First, add.Last, runs, pinned);
        return Ready(errno, runs, pinned, notesPins: true);
    }

    private FlowResponse Copy(CopyBytes copy)
    {
        var errno = Find(copy.Context, copy.PageSet)
            .Copy(
                copy.StartByte,
                copy.Buffer.AsSpan(copy.Offset, copy.Length),
                copy.Write,
                copy.SlowPath,
                processes(copy.Caller)
            );
        return errno == Errno.OK ? FlowResponse.Done : FlowResponse.Fail(errno);
    }

    private FlowResponse Split(SplitCover split)
    {
        Find(split.Context, split.PageSet)
            .SplitCover(
                split.WholeKey,
                split.Left.Key,
                split.Left.LastIndex,
                split.Right.Key,
                split.Right.FirstIndex,
                split.LeftStorage,
                split.RightStorage
            );
        return FlowResponse.Done;
    }

    private StateDescription Describe(bool withText)
    {
        var lines = new StateLines(withText);
        foreach (var (key, set) in _sets.OrderBy(s => s.Key))
        {
            lines.Add($"pageset {key >> 32}.{(uint)key} base 0x{set.BaseAddress:x} pages {set.PageCount}");
            lines.Add($"  writable {set.Writable} pinned {set.PinnedPages} charged {set.ChargedPages}");
        }

        return lines.ToDescription();
    }

    private MemoryChecked Check()
    {
        var broken = new List<string>();
        var pinned = 0L;
        var user = 0L;
        var process = 0L;
        foreach (var set in InOrder())
        {
            pinned += set.PinnedPages;
            user += set.Accounting == AccountingMode.User ? set.ChargedPages : 0;
            process += set.Accounting == AccountingMode.Mm ? set.ChargedPages : 0;
            Note(broken, set.CheckInvariants);
        }

        return new MemoryChecked(_sets.Count, broken, pinned, user, process);
    }

    private StateChecked CheckNow()
    {
        var broken = new List<string>();
        foreach (var set in InOrder())
        {
            Note(broken, set.CheckInFlight);
        }

        return new StateChecked(_sets.Count, broken);
    }

    private IEnumerable<PageSet> InOrder() => _sets.OrderBy(s => s.Key).Select(s => s.Value);

    private static void Note(List<string> broken, Action check)
    {
        try
        {
            check();
        }
        catch (Exception e) when (e is InvariantBrokenException or InvalidOperationException)
        {
            broken.Add(e.Message);
        }
    }
}
