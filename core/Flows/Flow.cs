using Iommufd.Core.Context;
using Iommufd.Core.Faults;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>
/// One command on its way through a context. A flow is a coroutine: <see cref="Run"/> yields what it waits for (answers of
/// participants, or a lock) and is resumed by the <see cref="FlowEngine"/>. Everything between two yields happens at once, in
/// the context. Rollback is written where the step that can fail is. The object survives a restart of the context's actor.
/// </summary>
public abstract class Flow
{
    private static readonly List<ContextEvent> NoEvents = [];

    // Lists come with their first entry: flows are made by the million, and most need few of them.
    private List<(FlowLock Lock, bool Exclusive)>? _held;
    private List<ContextObject>? _references;
    private List<IReadOnlyList<PinnedRun>>? _pinned;
    private List<(uint PageSet, ulong First, ulong Last)>? _shared;
    private List<ContextEvent>? _events;
    private IEnumerator<FlowWait>? _steps;
    private int _nextStep;

    /// <summary>Makes a flow of a context.</summary>
    protected Flow(ContextCore context, Caller caller)
    {
        Context = context;
        Caller = caller;
    }

    /// <summary>Unique in the context.</summary>
    public ulong Id { get; internal set; }

    /// <summary>The client's number for the call; only the actor uses it.</summary>
    public long Tag { get; set; }

    /// <summary>Whoever waits for the answer; only the actor uses it.</summary>
    public object? ReplyTo { get; set; }

    /// <summary>Whose calls it counts among; null for none. Only the actor uses it.</summary>
    public object? Account { get; set; }

    /// <summary>What the flow is doing, for crash reports and the list of operations in progress.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>The command that it carries out; null for a check, a description or the close.</summary>
    public IoctlCommand? Command { get; internal set; }

    /// <summary>The operation's word in fault plans and reports.</summary>
    public virtual string Operation => Command is { } command ? OperationWords.Of(command) : OperationWords.None;

    /// <summary>How the command ended; valid once the flow has completed.</summary>
    public IoctlResult Result { get; protected set; } = IoctlResult.Success;

    /// <summary>What the command changed, for the journal, in order; empty when nothing did.</summary>
    public IReadOnlyList<ContextEvent> Journalled => _events ?? NoEvents;

    /// <summary>What it waits for now.</summary>
    internal FlowWait? Waiting { get; set; }

    /// <summary>Where the steps of the flow put <see cref="Journalled"/>.</summary>
    protected List<ContextEvent> Events => _events ??= [];

    /// <summary>The context it runs in.</summary>
    protected ContextCore Context { get; }

    /// <summary>The process that called.</summary>
    protected Caller Caller { get; }

    /// <summary>
    /// Pages newly pinned on the way, for the event, as the answers brought them; cleared by a rollback that unpins them. The
    /// answers' lists are read only: a large one is not copied.
    /// </summary>
    protected List<IReadOnlyList<PinnedRun>> Pinned
    {
        get
        {
            if (_pinned is null)
            {
                _pinned = [];
                Context.Engine.PinningCount++;
            }

            return _pinned;
        }
    }

    /// <summary>Adds pages that the flow uses now, for the event.</summary>
    /// <param name="pageSet">Their page set.</param>
    /// <param name="first">Index of the first page.</param>
    /// <param name="last">Index of the last page.</param>
    /// <param name="newly">Those of them that nobody had pinned before; not changed afterwards.</param>
    protected void AddPinned(uint pageSet, ulong first, ulong last, IReadOnlyList<PinnedRun> newly)
    {
        if (newly.Count > 0)
        {
            Pinned.Add(newly);
        }

        // Whoever pinned the others and has not journalled it is still running, and keeps its list until then.
        if (Context.Engine.PinningCount > (_pinned is null ? 0 : 1) && PagesOf(newly) <= last - first)
        {
            (_shared ??= []).Add((pageSet, first, last));
        }
    }

    /// <summary>
    /// <see cref="Pinned"/> as events hold it: page set, first index, first PFN, count; repeated. Pages that a flow pinned which goes
    /// on are listed too where this one shares them: its event comes first, and whoever replays it has to know the frames.
    /// </summary>
    protected ulong[] PinnedForEvent()
    {
        if (!Context.NotesPins)
        {
            return [];
        }

        if (_shared is not null)
        {
            AddSharedWithOthers();
        }

        return _pinned is null ? [] : PinnedRuns.Joined(_pinned).Numbers;
    }

    private static ulong PagesOf(IReadOnlyList<PinnedRun> runs)
    {
        var pages = 0ul;
        for (var i = 0; i < runs.Count; i++)
        {
            pages += runs[i].Run.Count;
        }

        return pages;
    }

    private void AddSharedWithOthers()
    {
        var found = new List<PinnedRun>();
        foreach (var other in Context.Engine.Others(this))
        {
            foreach (var run in other._pinned?.SelectMany(p => p) ?? [])
            {
                AddShared(run, found);
            }
        }

        if (found.Count > 0)
        {
            Pinned.Add(found);
        }

        _shared = null;
    }

    private void AddShared(PinnedRun run, List<PinnedRun> found)
    {
        var runLast = run.FirstIndex + (run.Run.Count - 1);
        foreach (var (pageSet, first, last) in _shared!)
        {
            if (run.PageSet == pageSet && run.FirstIndex <= last && runLast >= first)
            {
                var from = Math.Max(run.FirstIndex, first);
                var frame = new Pfn(run.Run.First.Value + (from - run.FirstIndex));
                found.Add(new PinnedRun(pageSet, from, new PfnRun(frame, Math.Min(runLast, last) - from + 1)));
            }
        }
    }

    /// <summary>The steps of the flow.</summary>
    protected abstract IEnumerator<FlowWait> Run();

    /// <summary>Advances to the next wait; false at the end.</summary>
    internal bool MoveNext(out FlowWait? wait)
    {
        _steps ??= Run();
        if (_steps.MoveNext())
        {
            wait = _steps.Current;
            return true;
        }

        wait = null;
        return false;
    }

    /// <summary>The flow threw: whatever it had found so far does not count.</summary>
    internal void Crash()
    {
        _events?.Clear();
        Fail(Errno.EIO);
    }

    /// <summary>A command that fails before it has begun: its struct cannot be read, or there is no memory for it.</summary>
    internal bool FailsAtOnce()
    {
        if (_steps is not null || Command is not { } command)
        {
            return false;
        }

        if (command is not DriverCommand && Strikes(FaultPoints.CommandCopyIn))
        {
            Fail(Errno.EFAULT);
            return true;
        }

        if (CommandFlows.Allocates(command) && Strikes(FaultPoints.CommandAlloc))
        {
            Fail(Errno.ENOMEM);
            return true;
        }

        return false;
    }

    /// <summary>Whether a fault strikes this flow here; false where no faults are injected.</summary>
    protected bool Strikes(FaultPoint point, string? device = null) =>
        Context.Faults is { } faults && faults.ShouldFail(point, new FaultSite(Context.Number, Id, Device: device));

    /// <summary>The number for the next question to a participant.</summary>
    internal int TakeStep() => _nextStep++;

    /// <summary>A lock was granted, at once or after waiting.</summary>
    internal void Granted(FlowLock flowLock, bool exclusive) => (_held ??= []).Add((flowLock, exclusive));

    /// <summary>Releases every lock and reference; the flow is over.</summary>
    internal void Finish(Queue<Flow> woken)
    {
        for (var i = (_held?.Count ?? 0) - 1; i >= 0; i--)
        {
            _held![i].Lock.Release(this, _held[i].Exclusive, woken);
        }

        _held = null;
        if (_pinned is not null)
        {
            Context.Engine.PinningCount--;
        }

        foreach (var reference in _references ?? [])
        {
            reference.Users--;
        }

        _references = null;
    }

    /// <summary>Ends the command with an errno that writes nothing back.</summary>
    protected void Fail(Errno errno) => Result = IoctlResult.Fail(errno);

    /// <summary>Ends the command successfully with its struct.</summary>
    protected void Succeed(IoctlCommand writeBack) => Result = IoctlResult.Ok(writeBack);

    /// <summary>Looks an object up by id and type and keeps it in use until the flow ends; null is ENOENT.</summary>
    protected T? Get<T>(uint id)
        where T : ContextObject
    {
        var found = Context.Objects.Find<T>(id);
        if (found is DeviceObject && Context.IsLeaving(id))
        {
            return null;
        }

        if (found is not null)
        {
            found.Users++;
            (_references ??= []).Add(found);
        }

        return found;
    }

    /// <summary>Whether it keeps an object in use.</summary>
    internal bool Uses(ContextObject what) => _references?.Contains(what) ?? false;

    /// <summary>Lets go of an object before the flow ends.</summary>
    protected void Put(ContextObject reference)
    {
        Invariant.Holds(_references?.Remove(reference) ?? false, "a flow puts what it got");
        reference.Users--;
    }

    /// <summary>Gives a lock back before the flow ends.</summary>
    protected void Release(FlowLock flowLock)
    {
        var index = (_held?.Count ?? 0) - 1;
        while (index >= 0 && !ReferenceEquals(_held![index].Lock, flowLock))
        {
            index--;
        }

        Invariant.Holds(index >= 0, "a flow releases a lock that it holds");
        var exclusive = _held![index].Exclusive;
        _held.RemoveAt(index);
        Context.Engine.Released(this, flowLock, exclusive);
    }

    /// <summary>Sends a request that wants no answer.</summary>
    protected void Tell(ParticipantKind kind, uint id, FlowRequest request) =>
        Context.Engine.Tell(this, new Participant(kind, id), request);

    /// <summary>Tells the memory that a page set lives in.</summary>
    protected void TellMemory(uint pageSet, FlowRequest request) =>
        Tell(ParticipantKind.Memory, Context.PageSets.ProcessOf(pageSet), request);

    /// <summary>Asks the memory that a page set lives in.</summary>
    protected FlowWait AskMemory(uint pageSet, FlowRequest request) =>
        FlowWait.For(ParticipantKind.Memory, Context.PageSets.ProcessOf(pageSet), request);
}
