using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Drill;

// Attachments, dirty tracking, nesting, page faults, PASIDs, and devices of the machine.
public sealed partial class CommandDrill
{
    private const uint InitialIotlb = 0xbad_beef;

    private IEnumerable<DrillAction> Attachments()
    {
        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        DrillCall second = Call(new IoasAlloc());
        yield return second;
        uint ioas = Made(alloc.Back<IoasAlloc>().OutIoasId);
        uint other = Made(second.Back<IoasAlloc>().OutIoasId);
        DrillCall map = Call(MapOf(ioas, Iova, Buffer, 16 * Page));
        yield return map;
        yield return Call(MapOf(ioas, Iova + (32 * Page), Buffer + (8 * Page), 16 * Page));
        yield return Call(MapOf(other, Iova, Buffer + (4 * Page), 4 * Page));
        DrillCall device = Call(new TestMockDomain { PtId = ioas });
        yield return device;
        if (!device.IsOk)
        {
            yield break;
        }

        TestMockDomain made = device.Back<TestMockDomain>();
        Made(made.OutStdevId);
        yield return Call(
            new GetHwInfo
            {
                DevId = made.OutIdevId,
                DataLen = 8,
                DataUptr = Scratch,
            }
        );
        if (map.IsOk)
        {
            yield return Call(
                new TestMdCheckMap
                {
                    HwptId = made.OutHwptId,
                    Iova = Iova,
                    Length = 16 * Page,
                    Uptr = Buffer,
                }
            );
            yield return Call(
                new TestMdCheckRefs
                {
                    Length = 4 * Page,
                    Uptr = Buffer,
                    Refs = 1,
                }
            );
            yield return Call(new ResizeEntries(made.OutHwptId, Iova, 16 * Page, Page, Merge: false));
        }

        yield return Call(new SetEntryPolicy(ioas, EntryPolicy.Promote));

        // A second HWPT on the same IOAS is filled from the first.
        DrillCall hwpt = Call(new HwptAlloc { DevId = made.OutIdevId, PtId = ioas });
        yield return hwpt;
        uint copy = Made(hwpt.Back<HwptAlloc>().OutHwptId);
        yield return Call(MapOf(ioas, Iova + (64 * Page), Buffer, 8 * Page));
        yield return Call(new TestMockDomainReplace { StdevId = made.OutStdevId, PtId = copy });
        yield return Call(new TestMockDomainReplace { StdevId = made.OutStdevId, PtId = other });
        yield return Call(
            new IoasUnmap
            {
                IoasId = ioas,
                Iova = Iova,
                Length = 16 * Page,
            }
        );
        yield return Call(new TestMockDomainReplace { StdevId = made.OutStdevId, PtId = ioas });
    }

    private IEnumerable<DrillAction> Dirty()
    {
        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        uint ioas = Made(alloc.Back<IoasAlloc>().OutIoasId);
        DrillCall device = Call(new TestMockDomain { PtId = ioas });
        yield return device;
        Made(device.Back<TestMockDomain>().OutStdevId);
        DrillCall hwpt = Call(
            new HwptAlloc
            {
                DevId = device.Back<TestMockDomain>().OutIdevId,
                PtId = ioas,
                Flags = HwptAllocFlags.DirtyTracking,
            }
        );
        yield return hwpt;
        if (!hwpt.IsOk)
        {
            yield break;
        }

        uint tracked = Made(hwpt.Back<HwptAlloc>().OutHwptId);
        yield return Call(MapOf(ioas, Iova, Buffer, 4 * Page));
        yield return Call(new HwptSetDirtyTracking { HwptId = tracked, Flags = HwptSetDirtyTracking.Enable });
        yield return Put(Scratch, 0x5);
        yield return Call(
            new TestDirty
            {
                HwptId = tracked,
                Iova = Iova,
                Length = 4 * Page,
                PageSize = Page,
                Uptr = Scratch,
            }
        );
        yield return Call(
            new HwptGetDirtyBitmap
            {
                HwptId = tracked,
                Iova = Iova,
                Length = 4 * Page,
                PageSize = Page,
                Data = Scratch,
            }
        );
        yield return Call(new HwptSetDirtyTracking { HwptId = tracked });
    }

    private static HwptAlloc NestedOf(uint device, uint parent, HwptAllocFlags flags = HwptAllocFlags.None) =>
        new()
        {
            DevId = device,
            PtId = parent,
            Flags = flags,
            DataType = HwptDataType.Selftest,
            DataLen = 4,
            DataUptr = Scratch,
        };

    private static HwptAlloc ParentOf(uint device, uint ioas, HwptAllocFlags flags = HwptAllocFlags.None) =>
        new()
        {
            DevId = device,
            PtId = ioas,
            Flags = flags | HwptAllocFlags.NestParent,
        };

    private IEnumerable<DrillAction> Nesting()
    {
        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        uint ioas = Made(alloc.Back<IoasAlloc>().OutIoasId);
        DrillCall mock = Call(new TestMockDomain { PtId = ioas });
        yield return mock;
        TestMockDomain made = mock.Back<TestMockDomain>();
        Made(made.OutStdevId);
        DrillCall parent = Call(ParentOf(made.OutIdevId, ioas));
        yield return parent;
        uint below = Made(parent.Back<HwptAlloc>().OutHwptId);
        yield return Put(Scratch, InitialIotlb);
        DrillCall nested = Call(NestedOf(made.OutIdevId, below));
        yield return nested;
        if (!nested.IsOk)
        {
            yield break;
        }

        uint top = Made(nested.Back<HwptAlloc>().OutHwptId);
        yield return Call(new TestMockDomainReplace { StdevId = made.OutStdevId, PtId = top });
        yield return Put(Scratch, 0, 2);
        yield return Call(
            new HwptInvalidate
            {
                HwptId = top,
                DataUptr = Scratch,
                DataType = InvalidateDataType.Selftest,
                EntryLen = 8,
                EntryNum = 1,
            }
        );
        yield return Call(
            new TestMdCheckIotlb
            {
                HwptId = top,
                IotlbId = 1,
                Iotlb = InitialIotlb,
            }
        );
        yield return Call(new TestMockDomainReplace { StdevId = made.OutStdevId, PtId = ioas });
    }

    private IEnumerable<DrillAction> Faults()
    {
        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        uint ioas = Made(alloc.Back<IoasAlloc>().OutIoasId);
        DrillCall mock = Call(new TestMockDomain { PtId = ioas });
        yield return mock;
        TestMockDomain made = mock.Back<TestMockDomain>();
        Made(made.OutStdevId);
        DrillCall queue = Call(new FaultQueueAlloc());
        yield return queue;
        if (!queue.IsOk)
        {
            yield break;
        }

        uint fault = Made(queue.Back<FaultQueueAlloc>().OutFaultId);
        DrillCall hwpt = Call(
            new HwptAlloc
            {
                DevId = made.OutIdevId,
                PtId = ioas,
                Flags = HwptAllocFlags.FaultIdValid,
                FaultId = fault,
            }
        );
        yield return hwpt;
        uint reporting = Made(hwpt.Back<HwptAlloc>().OutHwptId);
        DrillCall replace = Call(new TestMockDomainReplace { StdevId = made.OutStdevId, PtId = reporting });
        yield return replace;
        for (uint i = 1; i <= 2; i++)
        {
            yield return Call(
                new TestTriggerIopf
                {
                    DevId = made.OutIdevId,
                    GrpId = i,
                    Perm = 1,
                    Addr = 0xdead_0000,
                }
            );
        }

        if (replace.IsOk)
        {
            yield return Call(new RequestPages(made.OutIdevId, 0, 3, 1, [0x1000, 0x2000]));
        }

        yield return Call(new PollFaultQueue(fault));
        yield return Call(new ReadFaultQueue(fault, Scratch, 80));
        yield return Put(Scratch, 1, 0, 2, 1);
        yield return Call(new WriteFaultQueue(fault, Scratch, 16));
        yield return Call(new TestMockDomainReplace { StdevId = made.OutStdevId, PtId = ioas });
        yield return Call(new CloseFaultQueue(fault));
    }

    private IEnumerable<DrillAction> Pasids()
    {
        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        uint ioas = Made(alloc.Back<IoasAlloc>().OutIoasId);
        DrillCall mock = Call(new TestMockDomainFlags { PtId = ioas, DevFlags = MockDeviceFlags.Pasid });
        yield return mock;
        TestMockDomainFlags made = mock.Back<TestMockDomainFlags>();
        Made(made.OutStdevId);
        var compatible = new HwptAlloc
        {
            DevId = made.OutIdevId,
            PtId = ioas,
            Flags = HwptAllocFlags.Pasid,
        };
        DrillCall first = Call(compatible);
        yield return first;
        DrillCall second = Call(compatible);
        yield return second;
        if (!first.IsOk || !second.IsOk)
        {
            Made(first.Back<HwptAlloc>().OutHwptId);
            Made(second.Back<HwptAlloc>().OutHwptId);
            yield break;
        }

        uint one = Made(first.Back<HwptAlloc>().OutHwptId);
        uint two = Made(second.Back<HwptAlloc>().OutHwptId);
        uint stdev = made.OutStdevId;
        yield return Call(new TestMockDomainReplace { StdevId = stdev, PtId = one });
        DrillCall attach = Call(
            new TestPasidAttach
            {
                StdevId = stdev,
                Pasid = 7,
                PtId = one,
            }
        );
        yield return attach;
        if (attach.IsOk)
        {
            yield return Call(
                new TestPasidReplace
                {
                    StdevId = stdev,
                    Pasid = 7,
                    PtId = two,
                }
            );
            yield return Call(
                new TestPasidCheckHwpt
                {
                    StdevId = stdev,
                    Pasid = 7,
                    HwptId = two,
                }
            );
        }

        yield return Call(new TestPasidDetach { StdevId = stdev, Pasid = 7 });
        yield return Call(new TestMockDomainReplace { StdevId = stdev, PtId = ioas });
    }

    private IEnumerable<DrillAction> Devices()
    {
        if (device is null)
        {
            yield break;
        }

        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        DrillCall other = Call(new IoasAlloc());
        yield return other;
        uint ioas = Made(alloc.Back<IoasAlloc>().OutIoasId);
        uint target = Made(other.Back<IoasAlloc>().OutIoasId);
        yield return Call(MapOf(ioas, Iova, Buffer, 8 * Page));
        DrillCall bind = Call(new BindDevice(device));
        yield return bind;
        if (!bind.IsOk)
        {
            yield break;
        }

        uint id = bind.Back<BindDevice>().OutDeviceId;
        DrillCall attach = Call(new AttachDevice(id, ioas));
        yield return attach;
        if (attach.IsOk)
        {
            yield return Call(MapOf(ioas, Iova + (16 * Page), Buffer, 8 * Page));
            yield return Call(new ReplaceDevice(id, target));
            yield return Call(new ReplaceDevice(id, ioas));
            yield return Call(UnmapAll(ioas));
            yield return Call(new DetachDevice(id));
        }

        yield return Call(new UnbindDevice(id));
    }

    // The same device through VFIO's character device: bound by descriptor, moved, one PASID of it, and closed with all of it attached.
    private IEnumerable<DrillAction> VfioDevices()
    {
        if (device is null)
        {
            yield break;
        }

        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        uint ioas = Made(alloc.Back<IoasAlloc>().OutIoasId);
        yield return Call(MapOf(ioas, Iova, Buffer, 8 * Page));
        DrillCall open = Call(new OpenVfioDevice(device));
        yield return open;
        if (!open.IsOk)
        {
            yield break;
        }

        int cdev = (int)open.Result!.ReturnValue;
        DrillCall bind = Call(
            new VfioDeviceBindIommufd
            {
                Descriptor = cdev,
                ArgSz = VfioDeviceBindIommufd.Size,
                Iommufd = iommufd,
            }
        );
        yield return bind;
        if (bind.IsOk)
        {
            foreach (DrillAction action in BoundVfioDevice(cdev, bind.Back<VfioDeviceBindIommufd>().OutDevId, ioas))
            {
                yield return action;
            }
        }

        yield return Call(new CloseVfioDevice(cdev));
    }

    private IEnumerable<DrillAction> BoundVfioDevice(int cdev, uint id, uint ioas)
    {
        DrillCall duplicate = Call(new DuplicateVfioDevice(cdev));
        yield return duplicate;
        yield return Call(VfioAttach(cdev, ioas));
        DrillCall hwpt = Call(
            new HwptAlloc
            {
                DevId = id,
                PtId = ioas,
                Flags = HwptAllocFlags.Pasid,
            }
        );
        yield return hwpt;
        uint compatible = Made(hwpt.Back<HwptAlloc>().OutHwptId);
        DrillCall replace = Call(VfioAttach(cdev, compatible));
        yield return replace;
        DrillCall info = Call(new GetHwInfo { DevId = id });
        yield return info;
        if (replace.IsOk && info.Back<GetHwInfo>().OutMaxPasidLog2 > 2)
        {
            yield return Call(VfioAttach(cdev, compatible, 3));
            yield return Call(VfioAttach(cdev, compatible, 4));
            yield return Call(
                new VfioDeviceDetachIommufdPt
                {
                    Descriptor = cdev,
                    ArgSz = VfioDeviceDetachIommufdPt.PasidSize,
                    Flags = VfioDeviceDetachIommufdPt.DetachPasid,
                    Pasid = 3,
                }
            );
        }

        yield return Call(
            new VfioDeviceDetachIommufdPt { Descriptor = cdev, ArgSz = VfioDeviceDetachIommufdPt.PlainSize }
        );
        yield return Call(VfioAttach(cdev, compatible));
        if (duplicate.IsOk)
        {
            yield return Call(new CloseVfioDevice((int)duplicate.Result!.ReturnValue));
        }
    }

    private static VfioDeviceAttachIommufdPt VfioAttach(int cdev, uint ptId, uint? pasid = null) =>
        new()
        {
            Descriptor = cdev,
            ArgSz = VfioDeviceAttachIommufdPt.PasidSize,
            Flags = pasid is null ? 0 : VfioDeviceAttachIommufdPt.AttachPasid,
            PtId = ptId,
            Pasid = pasid ?? 0,
        };

    private static IEnumerable<DrillAction> Oddities()
    {
        yield return Call(new TestSetTempMemoryLimit { Limit = 16 });
        yield return Call(new TestUnknownOp { Op = 99 }, Errno.EOPNOTSUPP);
        yield return Call(new Option { OptionId = OptionId.RlimitMode, Op = OptionOp.Get });
        yield return Call(new Destroy { Id = 9999 }, Errno.ENOENT);
    }
}
