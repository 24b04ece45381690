using System.Collections.Concurrent;
using Iommufd.Core.Dma;
using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Core.Context;

/// <summary>
/// The simulated host: physical memory, processes, IOMMU units and devices, and which context has claimed which device. Safe from
/// any thread.
/// </summary>
public sealed class HostMachine : IHostRegistry
{
    /// <summary>The selftest's mock IOMMU.</summary>
    public static readonly IommuTraits MockIommu = new(
        -1,
        IoPageTableFormat.AmdV1Mock,
        new IovaRange(0x0100_0000, 0x7fff_ffff)
    );

    private const uint MockPasids = 1u << 20;

    // Mock devices get groups above everything that a scenario numbers.
    private const int FirstMockGroup = 1 << 28;

    private readonly ConcurrentDictionary<uint, Caller> _processes = new();
    private readonly ConcurrentDictionary<int, IommuTraits> _iommus = new();
    private readonly ConcurrentDictionary<string, PhysicalDevice> _devices = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, GroupBlock> _groups = new();
    private int _nextProcess;
    private int _nextFile;
    private int _tables;
    private int _nextMockGroup = FirstMockGroup - 1;

    /// <summary>Makes an empty machine.</summary>
    /// <param name="physical">Its memory; a new one when null.</param>
    public HostMachine(PhysicalMemory? physical = null)
    {
        Physical = physical ?? new PhysicalMemory();
        PinOracle = new FramePins(Physical);
    }

    /// <summary>All frames, their pins and contents.</summary>
    public PhysicalMemory Physical { get; }

    /// <summary>Tells DMA checks which frames are pinned.</summary>
    public IPinOracle PinOracle { get; }

    /// <summary>The user that owns every process; locked memory in USER mode is charged here.</summary>
    public UserAccount User { get; } = new();

    /// <summary>Contexts of the sequential model that are open on it, by number.</summary>
    internal ConcurrentDictionary<int, SequentialContext> Sequential { get; } = new();

    /// <summary>Who has opened which device through VFIO.</summary>
    public VfioDevices Vfio { get; } = new();

    /// <summary>Processes, by id.</summary>
    public IEnumerable<Caller> Processes => _processes.Values.OrderBy(p => p.ProcessId);

    /// <summary>Parses the name of a page-table format as scenarios write it.</summary>
    public static bool TryParseFormat(string name, out IoPageTableFormat format)
    {
        (var known, format) = name switch
        {
            "amd-v1" => (true, IoPageTableFormat.AmdV1),
            "amd-v1-mock" => (true, IoPageTableFormat.AmdV1Mock),
            "amd-v1-mock-huge" => (true, IoPageTableFormat.AmdV1MockHuge),
            "vtd-ss" => (true, IoPageTableFormat.VtdSecondStage),
            "x86-64" => (true, IoPageTableFormat.X8664FirstStage),
            "sv39" => (true, IoPageTableFormat.RiscVSv39),
            "sv48" => (true, IoPageTableFormat.RiscVSv48),
            "sv57" => (true, IoPageTableFormat.RiscVSv57),
            "armv8-4k" => (true, IoPageTableFormat.ArmV8Lpae4K),
            _ => (false, default),
        };
        return known;
    }

    /// <summary>Adds a unit. EINVAL for an unknown format, EEXIST for a number in use.</summary>
    public Errno AddIommu(IommuSpec spec)
    {
        if (!TryParseFormat(spec.Format, out var format))
        {
            return Errno.EINVAL;
        }

        return _iommus.TryAdd(spec.Index, new IommuTraits(spec.Index, format, spec.Aperture)) ? Errno.OK : Errno.EEXIST;
    }

    /// <summary>Adds a device. ENODEV for an unknown unit, EEXIST for a name in use.</summary>
    public Errno AddDevice(DeviceSpec spec)
    {
        if (!_iommus.TryGetValue(spec.Unit, out var iommu))
        {
            return Errno.ENODEV;
        }

        var traits = new DeviceTraits(
            spec.Name,
            spec.Group,
            iommu,
            spec.ReservedRegions,
            spec.DirtyTracking,
            Math.Max(1, spec.MaxPasids)
        );
        return AddDevice(traits);
    }

    /// <summary>Adds a device whose traits are known in full (a replay). EEXIST for a name in use.</summary>
    public Errno AddDevice(DeviceTraits traits)
    {
        var added = new PhysicalDevice(traits, isMock: false, BlockOf(traits.Group));
        var isNew =
            _devices.TryAdd(traits.Name, added)
            || (
                _devices.TryGetValue(traits.Name, out var known)
                && known.IsGone
                && _devices.TryUpdate(traits.Name, added, known)
            );
        return isNew ? Errno.OK : Errno.EEXIST;
    }

    /// <summary>Starts a process; a child shares its parent's descriptors.</summary>
    public Caller StartProcess(ProcessSpec spec, Caller? parent = null)
    {
        var id = (uint)Interlocked.Increment(ref _nextProcess);
        return AddProcess(id, spec, parent?.Descriptors ?? new DescriptorTable());
    }

    /// <summary>Adds a process with a known id (a replay).</summary>
    public Caller AddProcess(uint id, ProcessSpec spec, DescriptorTable descriptors)
    {
        var caller = new Caller(id, new ProcessMemory((int)id, spec, Physical, User), descriptors);
        Invariant.Holds(_processes.TryAdd(id, caller), "a process id is used once");
        return caller;
    }

    /// <inheritdoc/>
    public Caller Process(uint processId) => _processes[processId];

    /// <summary>Finds a process that may not exist.</summary>
    public Caller? FindProcess(uint processId) => _processes.GetValueOrDefault(processId);

    /// <summary>Makes a file; the caller, usually a descriptor, holds the first reference.</summary>
    public MemoryFile CreateFile(MemoryFileKind kind, ulong size) =>
        new(Physical, kind, size) { Number = (uint)Interlocked.Increment(ref _nextFile) };

    /// <inheritdoc/>
    public Dmabuf CreateDmabuf(ulong length) =>
        new(Physical, length) { Number = (uint)Interlocked.Increment(ref _nextFile) };

    /// <summary>Whether a device is there.</summary>
    public bool HasDevice(string name) =>
        _devices.TryGetValue(name, out var device) && device is { IsMock: false, IsGone: false };

    /// <summary>Removes a device for good: it was pulled out. What stands for its hardware is still found.</summary>
    public bool RemoveDevice(string name) => _devices.TryGetValue(name, out var device) && device.Remove();

    /// <summary>
    /// Notes what stands for a device's hardware where it lives (an actor). Kept here, as an index of its own would cost a million
    /// devices 60 bytes each.
    /// </summary>
    public void SetHardware(string name, object hardware) => _devices[name].Hardware = hardware;

    /// <summary>What stands for a device's hardware, also once it was pulled out; null where nothing does.</summary>
    public object? HardwareOf(string name) => _devices.TryGetValue(name, out var device) ? device.Hardware : null;

    /// <inheritdoc/>
    public Errno ClaimDevice(string name, int context, out DeviceTraits? traits)
    {
        traits = null;
        if (!_devices.TryGetValue(name, out var device) || device.IsGone)
        {
            return Errno.ENODEV;
        }

        if (!device.TryClaim(context))
        {
            return Errno.EBUSY;
        }

        traits = device.Traits;
        return Errno.OK;
    }

    /// <inheritdoc/>
    public DeviceTraits MakeMockDevice(int context, uint stdev, bool dirtyTracking, bool pasid)
    {
        var traits = new DeviceTraits(
            FormattableString.Invariant($"mock-{context}-{stdev}"),
            Interlocked.Increment(ref _nextMockGroup),
            MockIommu,
            [],
            dirtyTracking,
            pasid ? MockPasids : 1
        );
        var device = new PhysicalDevice(traits, isMock: true, new GroupBlock(1));
        Invariant.Holds(device.TryClaim(context), "a new mock device is nobody's");
        Invariant.Holds(_devices.TryAdd(traits.Name, device), "a mock device's name is free");
        return traits;
    }

    /// <summary>Page tables that were made and not freed: 0 when nothing is open.</summary>
    public int Tables => Volatile.Read(ref _tables);

    /// <inheritdoc/>
    public void CountTables(int change) => Interlocked.Add(ref _tables, change);

    /// <inheritdoc/>
    public void ReleaseDevice(string name)
    {
        if (_devices.TryGetValue(name, out var device) && !device.IsGone)
        {
            device.Release();
            if (device.IsMock)
            {
                _devices.TryRemove(name, out _);
            }
        }
    }

    private GroupBlock BlockOf(int number) =>
        _groups.GetOrAdd((int)((uint)number / GroupBlock.Size), static _ => new GroupBlock(GroupBlock.Size));

    // DMA ownership is per group: every claimed device of a group belongs to one context.
    private struct IsolationGroup
    {
        public int Owner { get; set; }

        public int Claimed { get; set; }
    }

    // Groups by number, a block of them together: there may be a million, of one device each. The block is their lock.
    private sealed class GroupBlock(int size)
    {
        public const int Size = 256;

        private readonly IsolationGroup[] _groups = new IsolationGroup[size];

        // A mock device's group is alone in its block.
        public ref IsolationGroup Of(int number) => ref _groups[(uint)number % (uint)_groups.Length];
    }

    private sealed class PhysicalDevice(DeviceTraits traits, bool isMock, GroupBlock block)
    {
        private bool _claimed;
        private bool _gone;

        public object? Hardware { get; set; }

        public bool IsGone => Volatile.Read(ref _gone);

        public DeviceTraits Traits { get; } = traits;

        public bool IsMock { get; } = isMock;

        public bool Remove() => !Interlocked.Exchange(ref _gone, true);

        public bool TryClaim(int context)
        {
            lock (block)
            {
                ref var group = ref block.Of(Traits.Group);
                if (_claimed || (group.Claimed > 0 && group.Owner != context))
                {
                    return false;
                }

                _claimed = true;
                group.Owner = context;
                group.Claimed++;
                return true;
            }
        }

        public void Release()
        {
            lock (block)
            {
                ref var group = ref block.Of(Traits.Group);
                group.Claimed -= _claimed ? 1 : 0;
                _claimed = false;
            }
        }
    }
}
