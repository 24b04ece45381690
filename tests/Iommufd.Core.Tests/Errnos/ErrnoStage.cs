using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Core.Sharing;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Errnos;

/// <summary>
/// A machine, one client and one open iommufd, for one case: without actors here, with actors in Iommufd.Actors.Tests. The helpers set the
/// scene; every one of them must succeed.
/// </summary>
public abstract class ErrnoStage : IDisposable
{
    public const ulong UserBuffer = 0x10_0000_0000;
    public const ulong ReadOnly = 0x10_8000_0000;
    public const ulong Scratch = 0x12_0000_0000;
    public const ulong Nowhere = 0x13_0000_0000;
    public const ulong MappedAt = 0x0100_0000;
    public const uint NoId = 999;
    public const IoasMapFlags FixedReadWrite = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable;

    private readonly List<int> _cdevs = [];
    private Caller? _client;

    public abstract HostMachine Machine { get; }

    /// <summary>The client; it has no limit, and CAP_IPC_LOCK.</summary>
    public Caller Client => _client ??= NewClient();

    /// <summary>Who makes the call of the case.</summary>
    public Caller? CallAs { get; set; }

    /// <summary>The client's descriptor of the iommufd.</summary>
    public abstract int Iommufd { get; }

    /// <summary>Carries out a command.</summary>
    public abstract IoctlResult Run(Caller caller, IoctlCommand command);

    /// <summary>The digest of the context's state.</summary>
    public abstract ulong Digest();

    /// <summary>Everything is over: the invariants hold, and after the close nothing is pinned.</summary>
    public abstract void End();

    public abstract void Dispose();

    public T Do<T>(T command)
        where T : IoctlCommand => DoAs(Client, command);

    public T DoAs<T>(Caller caller, T command)
        where T : IoctlCommand
    {
        var result = Run(caller, command);
        Assert.Equal(Errno.OK, result.Errno);
        return result.WriteBack as T ?? command;
    }

    public int Fd(IoctlCommand command)
    {
        var result = Run(Client, command);
        Assert.Equal(Errno.OK, result.Errno);
        return (int)result.ReturnValue;
    }

    /// <summary>The id that the next object gets.</summary>
    public uint NextId()
    {
        var id = Ioas();
        Do(new Destroy { Id = id });
        return id;
    }

    /// <summary>A process that shares the client's descriptors, with the same mappings in memory of its own.</summary>
    public Caller Poor(ulong pages, bool mayChangeModes = true)
    {
        var poor = StartProcess(
            new ProcessSpec("poor", pages * HostPage.Size, CapIpcLock: false, CapSysResource: mayChangeModes),
            Client
        );
        Populate(poor);
        return poor;
    }

    public uint Ioas() => Do(new IoasAlloc()).OutIoasId;

    public TestMockDomainFlags Mock(uint ptId, MockDeviceFlags flags = MockDeviceFlags.None) =>
        Do(new TestMockDomainFlags { PtId = ptId, DevFlags = flags });

    /// <summary>An IOAS with a mock device on it.</summary>
    public (uint Ioas, TestMockDomainFlags Mock) Attached(MockDeviceFlags flags = MockDeviceFlags.None)
    {
        var ioas = Ioas();
        return (ioas, Mock(ioas, flags));
    }

    public static IoasMap Map(uint ioas, ulong iova = MappedAt, ulong length = 0x4000, ulong va = UserBuffer) =>
        new()
        {
            Flags = FixedReadWrite,
            IoasId = ioas,
            UserVa = va,
            Length = length,
            Iova = iova,
        };

    public static IoasMapFile MapFile(
        uint ioas,
        int fd,
        ulong length = 0x4000,
        ulong start = 0,
        ulong iova = MappedAt
    ) =>
        new()
        {
            Flags = FixedReadWrite,
            IoasId = ioas,
            Fd = fd,
            Start = start,
            Length = length,
            Iova = iova,
        };

    public static IoasCopy Copy(uint source, uint destination, ulong to = 2 * MappedAt, ulong length = 0x4000) =>
        new()
        {
            Flags = FixedReadWrite,
            SrcIoasId = source,
            DstIoasId = destination,
            Length = length,
            SrcIova = MappedAt,
            DstIova = to,
        };

    public static IoasUnmap Unmap(uint ioas, ulong iova = MappedAt, ulong length = 0x4000) =>
        new()
        {
            IoasId = ioas,
            Iova = iova,
            Length = length,
        };

    public int File(MemoryFileKind kind = MemoryFileKind.Memfd, ulong size = 0x8000) =>
        Client.Descriptors.Open(new FileDescriptor(Machine.CreateFile(kind, size)));

    public int Dmabuf(uint length = 0x4000) => Fd(new TestDmabufGet { Length = length });

    /// <summary>A virtual machine with memory at an address.</summary>
    public int Guest(ulong at = 0)
    {
        var table = new SharedTable(Client.Memory, IoPageTableFormat.AmdV1);
        Assert.Equal(Errno.OK, table.AddSlot(new GuestSlot(at, UserBuffer, 0x4000, Writable: true)));
        return Client.Descriptors.Open(new GuestDescriptor(table));
    }

    public int Access(uint ioas, bool pins = true) =>
        Do(new TestCreateAccess { IoasId = ioas, Flags = pins ? TestCreateAccess.NeedsPinPages : 0 }).OutAccessFd;

    public uint Paging(uint device, uint ioas, HwptAllocFlags flags = HwptAllocFlags.None) =>
        Do(
            new HwptAlloc
            {
                DevId = device,
                PtId = ioas,
                Flags = flags,
            }
        ).OutHwptId;

    public HwptAlloc NestedCommand(uint device, uint ptId, HwptAllocFlags flags = HwptAllocFlags.None, uint fault = 0)
    {
        Put(Scratch, 0xbad_beef);
        return new HwptAlloc
        {
            DevId = device,
            PtId = ptId,
            Flags = flags,
            FaultId = fault,
            DataType = HwptDataType.Selftest,
            DataLen = 4,
            DataUptr = Scratch,
        };
    }

    public uint Nested(uint device, uint ptId, HwptAllocFlags flags = HwptAllocFlags.None, uint fault = 0) =>
        Do(NestedCommand(device, ptId, flags, fault)).OutHwptId;

    /// <summary>A nesting parent, with a mock device that has PASIDs.</summary>
    public Nest Nesting()
    {
        var (ioas, mock) = Attached(MockDeviceFlags.Pasid);
        return new Nest(ioas, mock, Paging(mock.OutIdevId, ioas, HwptAllocFlags.NestParent));
    }

    public uint Viommu(Nest nest) =>
        Do(
            new ViommuAlloc
            {
                Type = ViommuType.Selftest,
                DevId = nest.Mock.OutIdevId,
                HwptId = nest.Parent,
            }
        ).OutViommuId;

    public uint Vdevice(uint viommu, uint device, ulong virtId) =>
        Do(
            new VdeviceAlloc
            {
                ViommuId = viommu,
                DevId = device,
                VirtId = virtId,
            }
        ).OutVdeviceId;

    public VeventqAlloc Veventq(uint viommu) =>
        Do(
            new VeventqAlloc
            {
                ViommuId = viommu,
                Type = VeventqType.Selftest,
                VeventqDepth = 2,
            }
        );

    /// <summary>A device behind a vIOMMU with an event waiting; the queue's id.</summary>
    public uint WaitingEvent()
    {
        var nest = Nesting();
        var viommu = Viommu(nest);
        Vdevice(viommu, nest.Mock.OutIdevId, 0x99);
        var queue = Veventq(viommu).OutVeventqId;
        var nested = Nested(nest.Mock.OutIdevId, viommu);
        Do(new TestMockDomainReplace { StdevId = nest.Mock.OutStdevId, PtId = nested });
        Do(new TestTriggerVevent { DevId = nest.Mock.OutIdevId });
        return queue;
    }

    /// <summary>A fault queue with a fault waiting; the queue's id.</summary>
    public uint WaitingFault()
    {
        var (ioas, mock) = Attached();
        var fault = Do(new FaultQueueAlloc()).OutFaultId;
        var hwpt = Do(
            new HwptAlloc
            {
                DevId = mock.OutIdevId,
                PtId = ioas,
                Flags = HwptAllocFlags.FaultIdValid,
                FaultId = fault,
            }
        ).OutHwptId;
        Do(new TestMockDomainReplace { StdevId = mock.OutStdevId, PtId = hwpt });
        Do(
            new TestTriggerIopf
            {
                DevId = mock.OutIdevId,
                GrpId = 2,
                Perm = 3,
                Addr = 0xdead_b000,
            }
        );
        return fault;
    }

    public HwQueueAlloc HwQueue(uint viommu, ulong iova = MappedAt, ulong length = 0x1000, uint index = 0) =>
        new()
        {
            ViommuId = viommu,
            Type = HwQueueType.Selftest,
            Index = index,
            NestingParentIova = iova,
            Length = length,
        };

    /// <summary>An IOAS for VFIO's own calls.</summary>
    public uint Compat(bool attached = false)
    {
        var ioas = Ioas();
        if (attached)
        {
            Mock(ioas);
        }

        Do(new VfioIoas { Op = VfioIoasOp.Set, IoasId = ioas });
        return ioas;
    }

    public static VfioIommuMapDma VfioMap(ulong iova = MappedAt, ulong size = 0x4000, ulong va = UserBuffer) =>
        new()
        {
            ArgSz = 32,
            Flags = VfioMapFlags.Read | VfioMapFlags.Write,
            Vaddr = va,
            Iova = iova,
            Size = size,
        };

    public static VfioIommuUnmapDma VfioUnmap(ulong iova = MappedAt, ulong size = 0x4000) =>
        new()
        {
            ArgSz = 24,
            Iova = iova,
            Size = size,
        };

    /// <summary>Opens a VFIO device; it is closed at the end.</summary>
    public int Cdev(string device)
    {
        var cdev = Fd(new OpenVfioDevice(device));
        _cdevs.Add(cdev);
        return cdev;
    }

    /// <summary>A VFIO device's descriptor is closed already.</summary>
    public void Forget(int cdev) => _cdevs.Remove(cdev);

    public VfioDeviceBindIommufd BindCommand(int cdev) =>
        new()
        {
            Descriptor = cdev,
            ArgSz = VfioDeviceBindIommufd.Size,
            Iommufd = Iommufd,
        };

    public static VfioDeviceAttachIommufdPt AttachCommand(int cdev, uint ptId, uint? pasid = null) =>
        new()
        {
            Descriptor = cdev,
            ArgSz = VfioDeviceAttachIommufdPt.PasidSize,
            Flags = pasid is null ? 0 : VfioDeviceAttachIommufdPt.AttachPasid,
            PtId = ptId,
            Pasid = pasid ?? 0,
        };

    /// <summary>Opens and binds a VFIO device.</summary>
    public int BoundCdev(string device)
    {
        var cdev = Cdev(device);
        Do(BindCommand(cdev));
        return cdev;
    }

    /// <summary>Opens and binds a VFIO device; its DEVICE.</summary>
    public uint VfioDevice(string device) => Do(BindCommand(Cdev(device))).OutDevId;

    /// <summary>Opens, binds and attaches a VFIO device.</summary>
    public int AttachedCdev(string device)
    {
        var cdev = BoundCdev(device);
        Do(AttachCommand(cdev, Ioas()));
        return cdev;
    }

    public uint Bind(string device) => Do(new BindDevice(device)).OutDeviceId;

    public void Put(ulong address, params ReadOnlySpan<uint> words)
    {
        Span<byte> bytes = stackalloc byte[words.Length * sizeof(uint)];
        for (var i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[(i * sizeof(uint))..], words[i]);
        }

        Assert.True(Client.Memory.TryWrite(address, bytes));
    }

    public void Put(ulong address, params ReadOnlySpan<ulong> words)
    {
        foreach (var word in words)
        {
            Put(address, (uint)word, (uint)(word >> 32));
            address += sizeof(ulong);
        }
    }

    /// <summary>Closes what is open of VFIO devices: they hold the iommufd open.</summary>
    protected void CloseCdevs()
    {
        foreach (var cdev in _cdevs)
        {
            Do(new CloseVfioDevice(cdev));
        }
    }

    protected abstract Caller StartProcess(ProcessSpec spec, Caller? parent);

    protected abstract void AddHardware(IReadOnlyList<IommuSpec> units, IReadOnlyList<DeviceSpec> devices);

    private Caller NewClient()
    {
        AddHardware(
            [
                new IommuSpec(0, "amd-v1", new IovaRange(0, (1ul << 48) - 1)),
                new IommuSpec(1, "vtd-ss", new IovaRange(0, (1ul << 48) - 1)),
                new IommuSpec(2, "armv8-4k", new IovaRange(0, (1ul << 48) - 1)),
            ],
            [
                new DeviceSpec("nic", 1, 0, []),
                new DeviceSpec("twin", 1, 0, []),
                new DeviceSpec("disk", 2, 0, [new IovaRange(0x10_0000, 0x10_ffff)]),
                new DeviceSpec("far", 3, 1, [], DirtyTracking: false),
                new DeviceSpec("arm", 4, 2, []),
            ]
        );
        var client = StartProcess(new ProcessSpec("client"), null);
        Populate(client);
        return client;
    }

    private static void Populate(Caller caller)
    {
        const MemoryProtection readWrite = MemoryProtection.Read | MemoryProtection.Write;
        foreach (
            var (address, pages, protection) in new[]
            {
                (UserBuffer, 16ul, readWrite),
                (ReadOnly, 4ul, MemoryProtection.Read),
                (Scratch, 4ul, readWrite),
            }
        )
        {
            Assert.Equal(
                Errno.OK,
                caller.Memory.Map(
                    address,
                    pages * HostPage.Size,
                    MemoryKind.Anonymous,
                    protection,
                    populate: true,
                    out _
                )
            );
        }
    }
}

/// <summary>A nesting parent and its device.</summary>
/// <param name="Ioas">The IOAS.</param>
/// <param name="Mock">A mock device with PASIDs, attached to the IOAS.</param>
/// <param name="Parent">The nesting parent.</param>
public sealed record Nest(uint Ioas, TestMockDomainFlags Mock, uint Parent);
