using System.Buffers.Binary;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Actors.Tests;

// The scenes: every helper ends with the one command that is to be struck, everything before it is done.
public sealed partial class ObjectCrashTests
{
    private uint _ioas;
    private uint _stdev;
    private uint _idev;
    private uint _fault;
    private uint _veventq;
    private uint _access;
    private uint _hwpt;
    private int _cdev = -1;

    private VfioDeviceBindIommufd VfioBind()
    {
        _ioas = AllocIoas();
        Ok(MapAt(_ioas, Iova));
        _cdev = (int)AskMachine(new OpenVfioDevice("nic")).ReturnValue;
        return new VfioDeviceBindIommufd
        {
            Descriptor = _cdev,
            ArgSz = VfioDeviceBindIommufd.Size,
            Iommufd = IommufdDescriptor,
        };
    }

    private VfioDeviceAttachIommufdPt VfioAttach()
    {
        _idev = Ok(VfioBind()).OutDevId;
        return VfioAttachTo(_ioas);
    }

    private VfioDeviceAttachIommufdPt VfioAttachTo(uint ptId) =>
        new()
        {
            Descriptor = _cdev,
            ArgSz = VfioDeviceAttachIommufdPt.PasidSize,
            PtId = ptId,
        };

    private VfioDeviceAttachIommufdPt VfioPasid()
    {
        Ok(VfioAttach());
        var compatible = Paging(HwptAllocFlags.Pasid);
        Ok(VfioAttachTo(compatible));
        return VfioAttachTo(compatible) with { Flags = VfioDeviceAttachIommufdPt.AttachPasid, Pasid = 3 };
    }

    private void CloseCdev()
    {
        if (_cdev >= 0)
        {
            Assert.Equal(Errno.OK, AskMachine(new CloseVfioDevice(_cdev)).Errno);
            _cdev = -1;
        }
    }

    private IoctlCommand After(IoctlCommand first, IoctlCommand then)
    {
        Ok(first);
        return then;
    }

    private void Mock(MockDeviceFlags flags = MockDeviceFlags.Pasid)
    {
        _ioas = AllocIoas();
        var made = Ok(new TestMockDomainFlags { PtId = _ioas, DevFlags = flags });
        (_stdev, _idev) = (made.OutStdevId, made.OutIdevId);
    }

    private SetEntryPolicy Policy()
    {
        MapNow();
        return new SetEntryPolicy(_ioas, EntryPolicy.Promote);
    }

    private void MapNow()
    {
        Mock();
        Ok(MapAt(_ioas, Iova));
    }

    private uint Parent()
    {
        MapNow();
        return Paging(HwptAllocFlags.NestParent);
    }

    private uint Paging(HwptAllocFlags flags) =>
        Ok(
            new HwptAlloc
            {
                DevId = _idev,
                PtId = _ioas,
                Flags = flags,
            }
        ).OutHwptId;

    private HwptAlloc Nested(uint parent)
    {
        Put(0x77);
        return new HwptAlloc
        {
            DevId = _idev,
            PtId = parent,
            DataType = HwptDataType.Selftest,
            DataLen = 4,
            DataUptr = Scratch,
        };
    }

    private HwptAlloc FaultHwpt()
    {
        MapNow();
        _fault = Ok(new FaultQueueAlloc()).OutFaultId;
        return new HwptAlloc
        {
            DevId = _idev,
            PtId = _ioas,
            Flags = HwptAllocFlags.FaultIdValid,
            FaultId = _fault,
        };
    }

    private TestMockDomainReplace ReplaceBy(uint ptId) => new() { StdevId = _stdev, PtId = ptId };

    private TestTriggerIopf Fault()
    {
        var hwpt = Ok(FaultHwpt()).OutHwptId;
        Ok(ReplaceBy(hwpt));
        return new TestTriggerIopf
        {
            DevId = _idev,
            GrpId = 3,
            Perm = 1,
            Addr = 0x5000,
        };
    }

    private WriteFaultQueue Respond()
    {
        Ok(Fault());
        Assert.Equal(40, Call(new ReadFaultQueue(_fault, Scratch, 40)).ReturnValue);
        Put(1, 0);
        return new WriteFaultQueue(_fault, Scratch, 8);
    }

    private uint Viommu() =>
        Ok(
            new ViommuAlloc
            {
                HwptId = Parent(),
                DevId = _idev,
                Type = ViommuType.Selftest,
            }
        ).OutViommuId;

    private VdeviceAlloc Vdevice(uint viommu) =>
        new()
        {
            ViommuId = viommu,
            DevId = _idev,
            VirtId = 0x99,
        };

    private uint NestedBehindViommu()
    {
        var viommu = Viommu();
        Ok(Vdevice(viommu));
        return Ok(Nested(viommu)).OutHwptId;
    }

    private VeventqAlloc Veventq(uint? viommu = null) =>
        new()
        {
            ViommuId = viommu ?? Viommu(),
            Type = VeventqType.Selftest,
            VeventqDepth = 2,
        };

    private Destroy ClosedVeventq()
    {
        var queue = Ok(Veventq()).OutVeventqId;
        Ok(new CloseVeventq(queue));
        return new Destroy { Id = queue };
    }

    private TestTriggerVevent Event()
    {
        var viommu = Viommu();
        Ok(Vdevice(viommu));
        _veventq = Ok(Veventq(viommu)).OutVeventqId;
        Ok(ReplaceBy(Ok(Nested(viommu)).OutHwptId));
        return new TestTriggerVevent { DevId = _idev };
    }

    private HwQueueAlloc HwQueue() =>
        new()
        {
            ViommuId = Viommu(),
            Type = HwQueueType.Selftest,
            NestingParentIova = Iova,
            Length = 0x1000,
        };

    private TestPasidAttach AttachPasid()
    {
        MapNow();
        Ok(ReplaceBy(Paging(HwptAllocFlags.Pasid)));
        return new TestPasidAttach
        {
            StdevId = _stdev,
            Pasid = 5,
            PtId = Paging(HwptAllocFlags.Pasid),
        };
    }

    private TestPasidReplace ReplacePasid()
    {
        Ok(AttachPasid());
        return new TestPasidReplace
        {
            StdevId = _stdev,
            Pasid = 5,
            PtId = Paging(HwptAllocFlags.Pasid),
        };
    }

    private HwptInvalidate Invalidate(uint id, uint length, params ReadOnlySpan<uint> entry)
    {
        Put(entry);
        return new HwptInvalidate
        {
            HwptId = id,
            DataType = InvalidateDataType.Selftest,
            DataUptr = Scratch,
            EntryLen = length,
            EntryNum = 1,
        };
    }

    private HwptInvalidate InvalidateViommu()
    {
        var viommu = Viommu();
        Ok(Vdevice(viommu));
        return Invalidate(viommu, 12, 0, 0x99, 2);
    }

    private uint Tracking(bool on)
    {
        MapNow();
        _hwpt = Paging(HwptAllocFlags.DirtyTracking);
        if (on)
        {
            Ok(new HwptSetDirtyTracking { HwptId = _hwpt, Flags = 1 });
        }

        return _hwpt;
    }

    private TestDirty MarkDirty()
    {
        var hwpt = Tracking(on: true);
        Put(5);
        return new TestDirty
        {
            HwptId = hwpt,
            Iova = Iova,
            Length = 0x4000,
            PageSize = 0x1000,
            Uptr = Scratch,
        };
    }

    private HwptGetDirtyBitmap ReadDirty() =>
        new()
        {
            HwptId = _hwpt,
            Iova = Iova,
            Length = 0x4000,
            PageSize = 0x1000,
            Data = Scratch,
        };

    private IoasMapFile MapFile()
    {
        Mock();
        return MapFileOf(Tell<FileOpened>(Memory, new MakeFile(MemoryFileKind.Memfd, 0x4000)).Descriptor);
    }

    private IoasMapFile MapFileOf(int fd) =>
        new()
        {
            IoasId = _ioas,
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable,
            Fd = fd,
            Length = 0x4000,
            Iova = Iova,
        };

    private TestDmabufRevoke Revoke()
    {
        Mock();
        var fd = (int)Call(new TestDmabufGet { Length = 0x4000 }).ReturnValue;
        Ok(MapFileOf(fd));
        return new TestDmabufRevoke { DmabufFd = fd, Revoked = 1 };
    }

    private IoasCopy Copy()
    {
        MapNow();
        return new IoasCopy
        {
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable,
            SrcIoasId = _ioas,
            DstIoasId = _ioas,
            SrcIova = Iova,
            DstIova = 2 * Iova,
            Length = 0x4000,
        };
    }

    private VfioIommuUnmapDma CutAndUnmap()
    {
        Mock();
        Ok(new VfioIoas { Op = VfioIoasOp.Set, IoasId = _ioas });
        Ok(new VfioSetIommu { Type = VfioExtension.Type1 });
        Ok(MapAt(_ioas, Iova));
        return new VfioIommuUnmapDma
        {
            ArgSz = 24,
            Iova = Iova + 0x1000,
            Size = 0x2000,
        };
    }

    private PinAccessPages Pin()
    {
        MapNow();
        _access = Ok(new CreateAccess(_ioas, NeedsPinPages: true)).OutAccessId;
        return new PinAccessPages(_access, Iova, 0x2000, Write: false);
    }

    private ReplaceAccessIoas MoveAccess()
    {
        Ok(Pin());
        return new ReplaceAccessIoas(_access, AllocIoas());
    }

    private IoasUnmap UnmapAll() => new() { IoasId = _ioas, Length = ulong.MaxValue };

    private AttachDevice AttachShared()
    {
        var guest = Tell<GuestMade>(Memory, new MakeGuest("amd-v1")).Fd;
        var nic = Bind("nic");
        return new AttachDevice(nic, Ok(new AllocateSharedHwpt(nic, guest)).OutHwptId);
    }

    private Destroy LoneIoas()
    {
        MapNow();
        Ok(new Destroy { Id = _stdev });
        return new Destroy { Id = _ioas };
    }

    private void Put(params ReadOnlySpan<uint> words)
    {
        var memory = Host.State.Process((uint)ProcessId).Memory;
        for (var i = 0; i < words.Length; i++)
        {
            var bytes = new byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, words[i]);
            Assert.True(memory.TryWrite(Scratch + ((ulong)i * sizeof(uint)), bytes));
        }
    }
}
