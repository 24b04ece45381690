using System.Runtime.InteropServices;
using Iommufd.Core;
using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Host;

namespace Iommufd.Persistence;

/// <summary>
/// A context brought back from its events: each is applied to the sequential model with the ids, IOVAs and frames that were chosen
/// when it was written. Not thread-safe.
/// </summary>
public sealed class ReplayedContext
{
    private HostMachine _machine = new(new PhysicalMemory(recorded: true));
    private SequentialContext _context;
    private readonly Dictionary<uint, (uint Process, ulong Base)> _pageSets = [];

    // By the number that a page set has here.
    private readonly List<uint> _recordedPageSets = [];
    private MemoryEventCommands _memory;
    private readonly List<ProcessMemory> _expecting = [];
    private readonly HashSet<uint> _named = [];
    private uint _lastNamed;
    private Caller? _owner;
    private (long At, ulong Value) _lastDigest = (-1, 0);

    /// <summary>Makes an empty context.</summary>
    /// <param name="number">Its number on the machine.</param>
    public ReplayedContext(int number)
    {
        Number = number;
        _memory = new MemoryEventCommands(_machine);
        _context = new SequentialContext(_machine, number) { KeepsEvents = false };
        _context.Core.Recorded = new RecordedChoices();
    }

    /// <summary>The context's number.</summary>
    public int Number { get; }

    /// <summary>Events applied, those included that were left out because they do not matter any more.</summary>
    public long Applied { get; internal set; }

    /// <summary>Whether events that do not matter any more are left out: frames of memory that is gone are passed over.</summary>
    internal bool IsPartial { get; init; }

    /// <summary>Whether maps and unmaps, too, are carried out by their flows: what the short way is measured by.</summary>
    internal bool UsesFlowsAlone { get; init; }

    /// <summary>Digests that the journal recorded and that were found again.</summary>
    public int DigestsVerified { get; private set; }

    /// <summary>Digests that the journal recorded and that differ, with the event's number.</summary>
    public List<(long Event, ulong Recorded, ulong Found)> Mismatches { get; } = [];

    /// <summary>
    /// At the first digest that differs: the objects that events named since the last one that was found again, as they are there.
    /// One of them is not what it was when the digest was recorded. Empty while all digests were found again.
    /// </summary>
    public IReadOnlyList<string> Suspects { get; private set; } = [];

    /// <summary>The digest just before the context was closed; null while it is open.</summary>
    public ulong? ClosedWith { get; private set; }

    /// <summary>The state.</summary>
    /// <exception cref="InvalidOperationException">The context is closed, and a replay has let it go.</exception>
    public SequentialContext State =>
        _context ?? throw new InvalidOperationException("nothing is left of a context that was closed");

    /// <summary>The digest as a run reports it: of a closed context, the one taken just before the close.</summary>
    public ulong Digest => ClosedWith ?? CurrentDigest();

    /// <summary>Describes the state in canonical lines.</summary>
    public DescribeContextFlow Describe(bool withText) =>
        (DescribeContextFlow)_context.Run(new DescribeContextFlow(_context.Core, Owner(), withText));

    /// <summary>
    /// Closes a context that its host left open, and returns the events of the close; none for one that cannot be closed, because it
    /// maps its own descriptor.
    /// </summary>
    public IReadOnlyList<ContextEvent> Close()
    {
        if (_context.Core.PageSets.HoldContextOpen)
        {
            return [];
        }

        var recorded = new DigestRecorded(Digest);
        Expect([]);
        _context.KeepsEvents = true;
        var before = _context.Events.Count;
        var leaked = _context.Close(Owner());
        Invariant.Holds(leaked == 0, "a restored context closes without leaving anything");
        ClosedWith = recorded.Digest;
        return [recorded, .. _context.Events.Skip(before)];
    }

    /// <summary>An event that this context made, with the numbers that its page sets have in the journal.</summary>
    internal ContextEvent InRecordedNumbers(ContextEvent made) =>
        made switch
        {
            AreaMapped e => e with { PageSet = Recorded(e.PageSet), Pinned = Recorded(e.Pinned) },
            FileMapped e => e with { PageSet = Recorded(e.PageSet), Pinned = Recorded(e.Pinned) },
            VfioMapped e => e with { PageSet = Recorded(e.PageSet), Pinned = Recorded(e.Pinned) },
            AreasCopied e => e with { Pinned = Recorded(e.Pinned) },
            HwptAllocated e => e with { Pinned = Recorded(e.Pinned) },
            DeviceAttached e => e with { Pinned = Recorded(e.Pinned) },
            DeviceReplaced e => e with { Pinned = Recorded(e.Pinned) },
            MockDeviceMade e => e with { Pinned = Recorded(e.Pinned) },
            AccessPinned e => e with { Pinned = Recorded(e.Pinned) },
            HwQueueAllocated e => e with { Pinned = Recorded(e.Pinned) },
            _ => made,
        };

    // Page sets count up in the order in which maps begin, and are replayed in the order in which they ended.
    private uint Recorded(uint replayed) => _recordedPageSets[(int)replayed];

    private ulong[] Recorded(ulong[] pinned) =>
        [.. pinned.Select((value, i) => i % 4 == 0 ? Recorded((uint)value) : value)];

    /// <summary>
    /// Frees what a closed context had: of thousands that are restored one after the other only their digests are wanted.
    /// </summary>
    internal void LetGo()
    {
        Invariant.Holds(ClosedWith is not null, "only a closed context is let go");
        (_machine, _context, _memory, _owner) = (null!, null!, null!, null);
        _expecting.Clear();
        _pageSets.Clear();
        _pageSets.TrimExcess();
        _recordedPageSets.Clear();
        _recordedPageSets.Capacity = 0;
        _named.Clear();
    }

    /// <summary>Applies the next event.</summary>
    /// <exception cref="JournalFormatException">The event does not fit the state: the journal is damaged, or this is a bug.</exception>
    public void Apply(ContextEvent change)
    {
        if (_context is null)
        {
            throw new JournalFormatException(
                FormattableString.Invariant(
                    $"event {Applied + 1} of context {Number} ({change.GetType().Name}) is behind its close"
                )
            );
        }

        try
        {
            ApplyKnown(change);
        }
        catch (Exception e) when (e is not (JournalFormatException or OutOfMemoryException))
        {
            // A row that was overwritten can ask for anything: a page set that never was, a process, a range beyond all addresses.
            throw new JournalFormatException(
                FormattableString.Invariant(
                    $"event {Applied + 1} of context {Number} ({change.GetType().Name}): {e.Message}"
                ),
                e
            );
        }

        Name(change);
        Applied++;
    }

    private void Name(ContextEvent change)
    {
        // Maps and unmaps, one after the other, name the same IOAS.
        var only = change switch
        {
            AreaMapped e => e.IoasId,
            AreasUnmapped e => e.IoasId,
            _ => 0u,
        };
        if (only == 0)
        {
            _named.UnionWith(EventObjects.Of(change));
        }
        else if (only != _lastNamed)
        {
            _named.Add(only);
            _lastNamed = only;
        }
    }

    private void ApplyKnown(ContextEvent change)
    {
        switch (change)
        {
            case ContextOpened opened when opened.Version > EventTypes.Version:
                throw new JournalFormatException(
                    FormattableString.Invariant(
                        $"the journal has events of version {opened.Version}; this program knows {EventTypes.Version}"
                    )
                );
            case ContextOpened opened:
                AddProcess(opened.ProcessId, new ProcessSpec("owner"));
                _owner = _machine.Process(opened.ProcessId);
                break;
            case ProcessSeen seen:
                See(seen);
                break;
            case DigestRecorded digest:
                Verify(digest);
                break;
            case ContextClosed:
                ClosedWith = CurrentDigest();
                Invariant.Holds(_context.Close(Owner()) == 0, "a replayed context closes without leaving anything");
                Invariant.Holds(_machine.Physical.TotalPins == 0, "a closed context has nothing pinned");
                break;
            case AreaMapped mapped:
                Map(mapped);
                break;
            case AreasUnmapped unmapped:
                Unmap(unmapped);
                break;
            case FileMapped mapped:
                Remember(mapped.PageSet, mapped.ProcessId, mapped.Start);
                ApplyMemory(change, mapped.Pinned);
                break;
            case VfioMapped mapped:
                Remember(mapped.PageSet, mapped.ProcessId, mapped.UserVa);
                ApplyMemory(change, mapped.Pinned);
                break;
            case ProcessChanged changed:
                // Every page set there is belongs to that process from now on.
                foreach (var number in _pageSets.Keys.ToArray())
                {
                    _pageSets[number] = _pageSets[number] with { Process = changed.ProcessId };
                }

                ApplyMemory(change, []);
                break;
            default:
                if (ApplyMemory(change, []))
                {
                    break;
                }

                ApplyCommand(change);
                break;
        }
    }

    private void ApplyCommand(ContextEvent change)
    {
        var (command, ids, pinned) = EventCommands.Of(change, _machine);
        Expect(pinned);
        _context.Core.Recorded!.Load(ids);
        foreach (var single in command)
        {
            Run(Owner(), single);
        }
    }

    private bool ApplyMemory(ContextEvent change, ulong[] pinned)
    {
        if (_memory.TryOf(change) is not { } applied)
        {
            return false;
        }

        Expect(pinned);
        Run(applied.ProcessId is { } process ? _machine.Process(process) : Owner(), applied.Command);
        return true;
    }

    private void Map(AreaMapped mapped)
    {
        Remember(mapped.PageSet, mapped.ProcessId, mapped.UserVa);
        Expect(mapped.Pinned);
        var caller = _machine.Process(mapped.ProcessId);
        var flags = (IoasMapFlags)mapped.Flags | IoasMapFlags.FixedIova;
        if (
            UsesFlowsAlone
            || !_context.TryMapAtOnce(caller, mapped.IoasId, mapped.UserVa, mapped.Length, mapped.Iova, flags)
        )
        {
            Run(
                caller,
                new IoasMap
                {
                    Flags = flags,
                    IoasId = mapped.IoasId,
                    UserVa = mapped.UserVa,
                    Length = mapped.Length,
                    Iova = mapped.Iova,
                }
            );
        }
    }

    private void Unmap(AreasUnmapped unmapped)
    {
        Expect([]);
        var removed = unmapped.Removed;
        for (var i = 0; i + 1 < removed.Length; i += 2)
        {
            var (first, last) = (removed[i], removed[i + 1]);
            if (UsesFlowsAlone || first > last || !_context.TryUnmapAtOnce(unmapped.IoasId, new IovaRange(first, last)))
            {
                Run(
                    Owner(),
                    new IoasUnmap
                    {
                        IoasId = unmapped.IoasId,
                        Iova = first,
                        Length = unchecked(last - first + 1),
                    }
                );
            }
        }
    }

    // The page set that the next map makes.
    private void Remember(uint pageSet, uint process, ulong start)
    {
        _pageSets[pageSet] = (process, start & ~HostPage.OffsetMask);
        var number = (int)_context.Core.PageSets.NextNumber;
        CollectionsMarshal.SetCount(_recordedPageSets, Math.Max(number + 1, _recordedPageSets.Count));
        _recordedPageSets[number] = pageSet;
    }

    // Frames are taken in the order recorded; a page set's frames come from the memory of its process.
    private void Expect(ulong[] pinned)
    {
        foreach (var memory in _expecting)
        {
            memory.RecordedPins!.Clear();
        }

        _expecting.Clear();
        for (var i = 0; i + 3 < pinned.Length; )
        {
            // The runs of a page set stand together, as a rule.
            var number = pinned[i];
            var end = i + 4;
            while (end + 3 < pinned.Length && pinned[end] == number)
            {
                end += 4;
            }

            if (_pageSets.TryGetValue((uint)number, out var set))
            {
                var memory = _machine.Process(set.Process).Memory;
                memory.RecordedPins!.Add(pinned, i, end, set.Base);
                if (_expecting.Count == 0 || _expecting[^1] != memory)
                {
                    _expecting.Add(memory);
                }

                i = end;
            }

            Invariant.Holds(i == end || IsPartial, "an event pins pages of memory that was mapped");
            i = end;
        }
    }

    private void Run(Caller caller, IoctlCommand command)
    {
        var result = _context.Execute(caller, command);
        if (!result.IsOk)
        {
            throw new InvariantBrokenException($"{command.GetType().Name} succeeds again (now {result.Errno})");
        }
    }

    private void Verify(DigestRecorded digest)
    {
        var found = CurrentDigest();
        // An event that records a digest changes nothing.
        _lastDigest = (Applied + 1, found);
        if (found == digest.Digest)
        {
            DigestsVerified++;
            _named.Clear();
            _lastNamed = 0;
        }
        else
        {
            if (Mismatches.Count == 0)
            {
                Suspects = StateObjects.WithIds(_named, StateObjects.Of(this));
            }

            Mismatches.Add((Applied + 1, digest.Digest, found));
        }
    }

    private void See(ProcessSeen seen)
    {
        var spec = new ProcessSpec("process", seen.RlimitMemlock, seen.CapIpcLock, seen.CapSysResource);
        if (_machine.FindProcess(seen.ProcessId) is { } known)
        {
            known.Memory.RlimitMemlockPages =
                seen.RlimitMemlock == ulong.MaxValue ? ulong.MaxValue : seen.RlimitMemlock / HostPage.Size;
            known.Memory.CapIpcLock = seen.CapIpcLock;
            known.Memory.CapSysResource = seen.CapSysResource;
        }
        else
        {
            AddProcess(seen.ProcessId, spec);
        }
    }

    private void AddProcess(uint id, ProcessSpec spec)
    {
        var memory = _machine.AddProcess(id, spec, new DescriptorTable()).Memory;
        memory.RecordedPins = new RecordedPins();
    }

    private ulong CurrentDigest() => _lastDigest.At == Applied ? _lastDigest.Value : Describe(withText: false).Digest;

    private Caller Owner() => _owner ?? throw new JournalFormatException("the journal does not begin with an open");
}
