using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Context;

/// <summary>A process as a context sees its caller.</summary>
/// <param name="ProcessId">The machine's number for it; also names its memory as a participant.</param>
/// <param name="Memory">Its address space, for user copies: safe from any thread.</param>
/// <param name="Descriptors">Its open descriptors.</param>
public sealed record Caller(uint ProcessId, ProcessMemory Memory, DescriptorTable Descriptors)
{
    /// <summary>Opens a descriptor; <see cref="DescriptorTable.None"/> where RLIMIT_NOFILE does not allow another (EMFILE).</summary>
    public int Open(Descriptor descriptor) => Descriptors.Open(descriptor, Memory.RlimitOpenFiles);
}

/// <summary>The machine as a context sees it. Safe from any thread.</summary>
public interface IHostRegistry
{
    /// <summary>Finds a process.</summary>
    Caller Process(uint processId);

    /// <summary>Claims a physical device for a context. ENODEV unknown or removed, EBUSY claimed by another.</summary>
    Errno ClaimDevice(string name, int context, out DeviceTraits? traits);

    /// <summary>Makes a mock device, in a group of its own, claimed by the context.</summary>
    DeviceTraits MakeMockDevice(int context, uint stdev, bool dirtyTracking, bool pasid);

    /// <summary>Makes a dma-buf of device memory; the caller holds the first reference.</summary>
    /// <param name="length">Bytes, at least 1.</param>
    Dmabuf CreateDmabuf(ulong length);

    /// <summary>Gives a device back; a mock device disappears.</summary>
    void ReleaseDevice(string name);

    /// <summary>A page table was made (1) or freed (-1).</summary>
    void CountTables(int change);
}

/// <summary>Which of a context's page sets lives in which memory, and how many areas are on it.</summary>
public sealed class PageSetTable
{
    private readonly Dictionary<uint, PageSetObject> _sets = [];
    private static readonly Comparison<PageSetObject> ByMemory = static (a, b) =>
        a.Process != b.Process ? a.Process.CompareTo(b.Process)
        : a.BaseAddress != b.BaseAddress ? a.BaseAddress.CompareTo(b.BaseAddress)
        : a.Writable != b.Writable ? a.Writable.CompareTo(b.Writable)
        : a.Areas.CompareTo(b.Areas);

    private uint _next = 1;

    /// <summary>Page sets that have areas.</summary>
    public int Count => _sets.Count;

    /// <summary>The sets, by number.</summary>
    public IEnumerable<PageSetObject> InOrder => _sets.Values.OrderBy(s => s.Number);

    /// <summary>The sets in an order that does not depend on their numbers: by process, address, whether writable, areas.</summary>
    public List<PageSetObject> InOrderOfMemory()
    {
        var sets = new List<PageSetObject>(_sets.Count);
        foreach (var set in _sets.Values)
        {
            sets.Add(set);
        }

        sets.Sort(ByMemory);
        return sets;
    }

    /// <summary>The number that the next set gets.</summary>
    public uint NextNumber => _next;

    /// <summary>Registers a set with no area yet.</summary>
    public PageSetObject Add(uint process, bool writable, ulong baseAddress, IMappableFile? file = null)
    {
        var made = new PageSetObject(_next++, process, writable, baseAddress) { File = file };
        _sets.Add(made.Number, made);
        return made;
    }

    /// <summary>Whether a set maps the context's own descriptor, which then keeps the context open for ever.</summary>
    public bool HoldContextOpen => _sets.Values.Any(s => s.HoldsContextOpen);

    /// <summary>The sets on a dma-buf, by number.</summary>
    public IEnumerable<PageSetObject> Of(Dmabuf buffer) => InOrder.Where(s => ReferenceEquals(s.File, buffer));

    /// <summary>Whether a set is still there.</summary>
    public bool Contains(PageSetObject set) => _sets.TryGetValue(set.Number, out var found) && found == set;

    /// <summary>Finds a set.</summary>
    public PageSetObject Get(uint number) => _sets[number];

    /// <summary>The process whose memory participant holds a set.</summary>
    public uint ProcessOf(uint number) => _sets[number].Process;

    /// <summary>Forgets a set.</summary>
    public void Remove(PageSetObject set) => _sets.Remove(set.Number);
}

/// <summary>A page set as the context knows it; the pages themselves are with the memory participant.</summary>
/// <param name="number">Unique in the context.</param>
/// <param name="process">Whose memory.</param>
/// <param name="writable">Whether it may be mapped writeable.</param>
/// <param name="baseAddress">Page-aligned address, or file offset, of its first page.</param>
public sealed class PageSetObject(uint number, uint process, bool writable, ulong baseAddress)
{
    /// <summary>Page-aligned address, or file offset, of its first page: decides the alignment of automatic IOVAs.</summary>
    public ulong BaseAddress { get; } = baseAddress;

    /// <summary>Unique in the context.</summary>
    public uint Number { get; } = number;

    /// <summary>The process whose memory participant holds it.</summary>
    public uint Process { get; } = process;

    /// <summary>Whether it may be mapped writeable.</summary>
    public bool Writable { get; } = writable;

    /// <summary>The file or dma-buf that its pages are of; null for the process's own memory.</summary>
    public IMappableFile? File { get; init; }

    /// <summary>Whether it was made of the context's own descriptor.</summary>
    public bool HoldsContextOpen { get; set; }

    /// <summary>Whether its pages are a dma-buf's.</summary>
    public bool IsDmabuf => File is Dmabuf;

    /// <summary>Areas on it, in all IOASes.</summary>
    public int Areas { get; set; }

    /// <summary>pages->mutex: held while pages move between tiers.</summary>
    public FlowLock Lock { get; } = new();
}

/// <summary>
/// One open /dev/iommu: its objects, groups, page sets and running flows. Single-threaded: its actor calls it, one message at a
/// time. It outlives the actor's restarts.
/// </summary>
public sealed class ContextCore
{
    private readonly Dictionary<int, DeviceGroup> _groups = [];
    private ulong _nextArea = 1;
    private ulong _nextHandle = 1;

    // Most contexts have none.
    private SortedDictionary<uint, VfioFile>? _vfioFiles;
    private HashSet<uint>? _leaving;

    /// <summary>Makes an empty context.</summary>
    /// <param name="number">Its number on the machine.</param>
    /// <param name="registry">The machine.</param>
    /// <param name="host">Where its participants live.</param>
    public ContextCore(int number, IHostRegistry registry, IParticipantHost host)
    {
        Number = number;
        Registry = registry;
        Engine = new FlowEngine(number, host);
    }

    /// <summary>Its number on the machine; the actor is /user/iommufd-N.</summary>
    public int Number { get; }

    /// <summary>The machine.</summary>
    public IHostRegistry Registry { get; }

    /// <summary>Its running flows.</summary>
    public FlowEngine Engine { get; }

    /// <summary>Decides whether something fails; null where nothing does.</summary>
    public IFaultSource? Faults => Engine.Faults;

    /// <summary>Its objects.</summary>
    public ObjectTable Objects { get; } = new();

    /// <summary>Its page sets.</summary>
    public PageSetTable PageSets { get; } = new();

    /// <summary>Whether locked memory is charged to the process (MM) instead of the user (OPTION RLIMIT_MODE).</summary>
    public bool ChargeProcess { get; set; }

    /// <summary>
    /// The IOAS that VFIO's own calls work on; null for none. It holds no reference: destroying the IOAS clears it.
    /// </summary>
    public IoasObject? CompatIoas
    {
        get => field is { Phase: ObjectPhase.Live } ? field : null;
        set;
    }

    /// <summary>Whether events say which pages were pinned for them; nobody reads them where events are not kept.</summary>
    public bool NotesPins { get; set; } = true;

    /// <summary>Values that a replay dictates: ids and IOVAs that were chosen when the journal was written.</summary>
    public RecordedChoices? Recorded { get; set; }

    /// <summary>The groups that have devices here, by number.</summary>
    public IEnumerable<DeviceGroup> Groups => _groups.Values.OrderBy(g => g.Number);

    /// <summary>The key that the next area gets.</summary>
    public ulong NextAreaKey => _nextArea;

    /// <summary>VFIO devices that are bound here: each holds the iommufd open.</summary>
    public int VfioDevices => _vfioFiles?.Count ?? 0;

    /// <summary>The opens that they are bound through, by DEVICE id.</summary>
    public IEnumerable<KeyValuePair<uint, VfioFile>> VfioFiles => _vfioFiles ?? [];

    /// <summary>Whether the iommufd's last descriptor was closed while VFIO devices hold it open.</summary>
    public bool IsDescriptorClosed { get; set; }

    /// <summary>What can be mapped of this iommufd.</summary>
    public WindowTable Windows { get; } = new();

    /// <summary>Whether a DEVICE is being unbound: commands that come now do not find it.</summary>
    public bool IsLeaving(uint deviceId) => _leaving is { Count: > 0 } && _leaving.Contains(deviceId);

    /// <summary>A DEVICE begins to be unbound, or is.</summary>
    public void SetLeaving(uint deviceId, bool leaves)
    {
        if (leaves)
        {
            (_leaving ??= []).Add(deviceId);
        }
        else
        {
            _leaving?.Remove(deviceId);
        }
    }

    /// <summary>The VFIO open that a DEVICE is bound through; null for none.</summary>
    public VfioFile? VfioFileOf(uint deviceId) => _vfioFiles?.GetValueOrDefault(deviceId);

    /// <summary>A DEVICE is bound through a VFIO open.</summary>
    public void AddVfioFile(uint deviceId, VfioFile file) => (_vfioFiles ??= []).Add(deviceId, file);

    /// <summary>A DEVICE is gone: the VFIO open that it was bound through, if there is one, may be bound again.</summary>
    public void ReleaseVfioFile(uint deviceId)
    {
        if (_vfioFiles is not null && _vfioFiles.Remove(deviceId, out var file))
        {
            file.Unbind();
        }
    }

    /// <summary>Takes a number for a new attachment to a HWPT.</summary>
    public ulong TakeAttachHandle() => _nextHandle++;

    /// <summary>Takes a new area key.</summary>
    public ulong TakeAreaKey() => _nextArea++;

    /// <summary>Takes an id for a new object: the recorded one during a replay.</summary>
    public T Reserve<T>(T made)
        where T : ContextObject => Objects.Reserve(made, Recorded?.TakeId() ?? 0);

    /// <summary>Finds or makes a group.</summary>
    public DeviceGroup GroupOf(int number)
    {
        if (!_groups.TryGetValue(number, out var group))
        {
            group = new DeviceGroup(number);
            _groups.Add(number, group);
        }

        return group;
    }

    /// <summary>A device of the group was unbound; the group goes with its last one.</summary>
    public void LeaveGroup(DeviceGroup group)
    {
        group.Devices--;
        if (group.Devices == 0)
        {
            _groups.Remove(group.Number);
        }
    }
}

/// <summary>Values that a replay dictates instead of choosing them anew, in the order in which they were chosen.</summary>
public sealed class RecordedChoices
{
    private readonly Queue<uint> _ids = new();

    /// <summary>Replaces what is dictated.</summary>
    public void Load(params ReadOnlySpan<uint> ids)
    {
        _ids.Clear();
        foreach (var id in ids)
        {
            _ids.Enqueue(id);
        }
    }

    /// <summary>The next id, 0 when none is dictated.</summary>
    public uint TakeId() => _ids.TryDequeue(out var id) ? id : 0;
}
