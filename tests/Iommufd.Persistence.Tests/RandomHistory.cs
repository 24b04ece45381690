using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Host;

namespace Iommufd.Persistence.Tests;

/// <summary>
/// A context that a seeded client used at random, and the events that it left, digests included. Many of the commands fail, as a
/// client's do.
/// </summary>
internal sealed class RandomHistory
{
    private const ulong Buffer = 0x10_0000_0000;
    private const ulong Iova = 0x0100_0000;
    private const int Slots = 12;
    private const ulong Slot = 0x10_000;

    private readonly Random _random;
    private readonly HostMachine _machine = new();
    private readonly Caller _caller;
    private readonly SequentialContext _context;
    private readonly bool _isPlain;
    private readonly List<uint> _ioases = [];
    private readonly List<uint> _devices = [];
    private readonly List<uint> _stdevs = [];
    private readonly List<uint> _hwpts = [];
    private readonly List<uint> _accesses = [];
    private readonly List<(uint Access, uint Pin)> _pins = [];
    private int _seen;

    /// <summary>Plays a history.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="commands">How many commands are tried.</param>
    /// <param name="isPlain">Whether only commands are used whose events are known to be over some day.</param>
    /// <param name="number">The context's number.</param>
    public RandomHistory(int seed, int commands, bool isPlain = false, int number = 1)
    {
        _random = new Random(seed);
        _isPlain = isPlain;
        _caller = _machine.StartProcess(new ProcessSpec("client"));
        _caller.Memory.Map(
            Buffer,
            Slots * Slot,
            MemoryKind.Anonymous,
            MemoryProtection.Read | MemoryProtection.Write,
            populate: false,
            out _
        );
        for (var unit = 0; unit < 2; unit++)
        {
            _machine.AddIommu(new IommuSpec(unit, "amd-v1", new IovaRange(0, (1ul << 48) - 1)));
        }

        for (var i = 0; i < 4; i++)
        {
            _machine.AddDevice(new DeviceSpec($"dev-{i}", i, i % 2, [new IovaRange(0xfee0_0000, 0xfeef_ffff)]));
        }

        _context = new SequentialContext(_machine, number);
        Events.Add(new ContextOpened(EventTypes.Version, number, _caller.ProcessId));
        Events.Add(new ProcessSeen(_caller.ProcessId, ulong.MaxValue, true, true));
        for (var i = 0; i < commands; i++)
        {
            Try(Next());
        }

        RecordDigest();
    }

    /// <summary>The events, from the open to a last recorded digest.</summary>
    public List<ContextEvent> Events { get; } = [];

    /// <summary>Closes the context, as its last event says.</summary>
    public RandomHistory Close()
    {
        Events.Add(new ContextClosed(_context.Close(_caller)));
        return this;
    }

    private void RecordDigest()
    {
        var describe = (DescribeContextFlow)
            _context.Run(new DescribeContextFlow(_context.Core, _caller, withText: false));
        Events.Add(new DigestRecorded(describe.Digest));
    }

    private void Try(IoctlCommand command)
    {
        _context.Execute(_caller, command);
        for (; _seen < _context.Events.Count; _seen++)
        {
            Note(_context.Events[_seen]);
            Events.Add(_context.Events[_seen]);
        }
    }

    private void Note(ContextEvent change)
    {
        switch (change)
        {
            case IoasAllocated e:
                _ioases.Add(e.IoasId);
                break;
            case DeviceBound e:
                _devices.Add(e.DeviceId);
                break;
            case DeviceUnbound e:
                _devices.Remove(e.DeviceId);
                break;
            case MockDeviceMade e:
                _stdevs.Add(e.StdevId);
                _devices.Add(e.DeviceId);
                break;
            case HwptAllocated e:
                _hwpts.Add(e.HwptId);
                break;
            case AccessCreated e:
                _accesses.Add(e.AccessId);
                break;
            case AccessPinned e:
                _pins.Add((e.AccessId, e.PinId));
                break;
            case AccessUnpinned e:
                _pins.Remove((e.AccessId, e.PinId));
                break;
            case AccessDestroyed e:
                _accesses.Remove(e.AccessId);
                break;
            default:
                break;
        }
    }

    private IoctlCommand Next() =>
        _random.Next(_isPlain ? 20 : 24) switch
        {
            0 => new IoasAlloc(),
            1 or 2 or 3 or 4 => Map(),
            5 or 6 or 7 => Unmap(),
            8 => new TestMockDomain { PtId = Any(_ioases) },
            9 => new BindDevice($"dev-{_random.Next(4)}"),
            10 or 11 => new AttachDevice(Any(_devices), AnyTable()),
            12 => new ReplaceDevice(Any(_devices), AnyTable()),
            13 => new DetachDevice(Any(_devices)),
            14 => _random.Next(2) == 0 ? new UnbindDevice(Any(_devices)) : Remove(),
            15 => new HwptAlloc { DevId = Any(_devices), PtId = Any(_ioases) },
            16 => new CreateAccess(Any(_ioases), NeedsPinPages: true),
            17 => Pin(),
            18 => Unpin(),
            19 => _random.Next(3) == 0 ? new DestroyAccess(Any(_accesses)) : Remove(),
            20 => Copy(),
            21 => new ReplaceAccessIoas(Any(_accesses), Any(_ioases)),
            22 => new TestMockDomainReplace { StdevId = Any(_stdevs), PtId = AnyTable() },
            _ => new SetAllowedRanges(Any(_ioases), [0, (1ul << 47) - 1]),
        };

    private IoctlCommand Remove() =>
        new Destroy
        {
            Id =
                _random.Next(3) == 0 ? Any(_stdevs)
                : _random.Next(3) == 0 ? Any(_ioases)
                : Any(_hwpts),
        };

    private uint AnyTable() => _random.Next(3) == 0 ? Any(_hwpts) : Any(_ioases);

    // The youngest are used most: their history is in full swing.
    private uint Any(List<uint> ids) => ids.Count == 0 ? 0 : ids[Math.Max(0, ids.Count - 1 - _random.Next(3))];

    private ulong AnySlot() => (ulong)_random.Next(Slots) * Slot;

    private IoasMap Map()
    {
        var slot = AnySlot();
        return new IoasMap
        {
            IoasId = Any(_ioases),
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            UserVa = Buffer + (_random.Next(4) == 0 ? AnySlot() : slot),
            Iova = Iova + slot,
            Length = _random.Next(3) == 0 ? 0x1000ul : 0x4000ul,
        };
    }

    private IoasUnmap Unmap() =>
        new()
        {
            IoasId = Any(_ioases),
            Iova = Iova + AnySlot(),
            Length = (ulong)_random.Next(1, 4) * Slot,
        };

    private IoasCopy Copy() =>
        new()
        {
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            SrcIoasId = Any(_ioases),
            DstIoasId = Any(_ioases),
            SrcIova = Iova + AnySlot() + (_random.Next(2) == 0 ? 0x1000ul : 0),
            DstIova = Iova + AnySlot() + 0x8000,
            Length = 0x1000,
        };

    private PinAccessPages Pin() =>
        new(Any(_accesses), Iova + AnySlot() + (_random.Next(2) == 0 ? 0x1000ul : 0), 0x1000, Write: true);

    private UnpinAccessPages Unpin()
    {
        var (access, pin) = _pins.Count == 0 ? default : _pins[_random.Next(_pins.Count)];
        return new UnpinAccessPages(access, pin);
    }
}
