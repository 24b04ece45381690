using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Drill;

// Virtual IOMMUs, and accesses of in-kernel drivers.
public sealed partial class CommandDrill
{
    private IEnumerable<DrillAction> VirtualIommus()
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
        yield return Put(Scratch, 0xbeef, 0, 0, 0, 0, 0);
        DrillCall virtualIommu = Call(
            new ViommuAlloc
            {
                Type = ViommuType.Selftest,
                DevId = made.OutIdevId,
                HwptId = below,
                DataLen = 24,
                DataUptr = Scratch,
            }
        );
        yield return virtualIommu;
        if (!virtualIommu.IsOk)
        {
            yield break;
        }

        uint viommu = Made(virtualIommu.Back<ViommuAlloc>().OutViommuId);
        DrillCall window = Call(new MapWindow(0x1000, 0x2000, Executable: false, Shared: true));
        yield return window;
        if (window.IsOk)
        {
            yield return Call(new UnmapWindow(0x1000, 0x2000));
        }

        yield return Call(new HwptInvalidate { HwptId = viommu, DataType = InvalidateDataType.Selftest });
        yield return Call(new TestDevCheckCache { IdevId = made.OutIdevId, Cache = 0xbad_dad });
        foreach (DrillAction action in GuestDevice(made, ioas, viommu))
        {
            yield return action;
        }

        foreach (DrillAction action in HardwareQueue(ioas, viommu))
        {
            yield return action;
        }
    }

    private IEnumerable<DrillAction> GuestDevice(TestMockDomain made, uint ioas, uint viommu)
    {
        DrillCall guest = Call(
            new VdeviceAlloc
            {
                ViommuId = viommu,
                DevId = made.OutIdevId,
                VirtId = 7,
            }
        );
        yield return guest;
        uint vdevice = Made(guest.Back<VdeviceAlloc>().OutVdeviceId);
        DrillCall queue = Call(
            new VeventqAlloc
            {
                ViommuId = viommu,
                Type = VeventqType.Selftest,
                VeventqDepth = 2,
            }
        );
        yield return queue;
        uint veventq = Made(queue.Back<VeventqAlloc>().OutVeventqId);
        yield return Put(Scratch, InitialIotlb);
        DrillCall nested = Call(NestedOf(made.OutIdevId, viommu));
        yield return nested;
        uint top = Made(nested.Back<HwptAlloc>().OutHwptId);
        DrillCall replace = Call(new TestMockDomainReplace { StdevId = made.OutStdevId, PtId = top });
        yield return replace;
        if (queue.IsOk && replace.IsOk)
        {
            yield return Call(new TestTriggerVevent { DevId = made.OutIdevId });
            yield return Call(new PollVeventq(veventq));
            yield return Call(new ReportDmaFault(made.OutIdevId, 0, 0x5000, Write: true, Present: false));
            yield return Call(new ReadVeventq(veventq, Scratch, 100));
            yield return Call(new TestTriggerVevent { DevId = made.OutIdevId });
        }

        yield return Call(new TestMockDomainReplace { StdevId = made.OutStdevId, PtId = ioas });
        if (queue.IsOk)
        {
            yield return Call(new CloseVeventq(veventq));
        }

        yield return Call(new Destroy { Id = vdevice });
        _made.Remove(vdevice);
    }

    private IEnumerable<DrillAction> HardwareQueue(uint ioas, uint viommu)
    {
        DrillCall map = Call(MapOf(ioas, Iova, Huge, 16 * Page));
        yield return map;
        DrillCall queue = Call(
            new HwQueueAlloc
            {
                ViommuId = viommu,
                Type = HwQueueType.Selftest,
                NestingParentIova = Iova,
                Length = 2 * Page,
            }
        );
        yield return queue;
        if (queue.IsOk)
        {
            yield return Call(
                new IoasUnmap
                {
                    IoasId = ioas,
                    Iova = Iova,
                    Length = 16 * Page,
                },
                Errno.EBUSY
            );
            yield return Call(new Destroy { Id = queue.Back<HwQueueAlloc>().OutHwQueueId });
        }
    }

    // The last section: an access of the selftest lives until its descriptor is closed, and keeps its IOAS until then.
    private static IEnumerable<DrillAction> TestAccesses()
    {
        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        DrillCall other = Call(new IoasAlloc());
        yield return other;
        uint ioas = alloc.Back<IoasAlloc>().OutIoasId;
        uint target = other.Back<IoasAlloc>().OutIoasId;
        yield return Call(MapOf(ioas, Iova, Buffer, 4 * Page));
        yield return Call(MapOf(ioas, Iova + (4 * Page), Buffer + (8 * Page), 4 * Page));
        DrillCall create = Call(new TestCreateAccess { IoasId = ioas, Flags = TestCreateAccess.NeedsPinPages });
        yield return create;
        if (!create.IsOk)
        {
            yield break;
        }

        int fd = create.Back<TestCreateAccess>().OutAccessFd;
        DrillCall pin = Call(
            new TestAccessPages
            {
                AccessFd = fd,
                Flags = TestAccessPagesFlags.Write,
                Iova = Iova + Page,
                Length = 6 * Page,
            }
        );
        yield return pin;
        yield return Call(
            new TestAccessRw
            {
                AccessFd = fd,
                Flags = TestAccessRwFlags.Write,
                Iova = Iova + 100,
                Length = 5 * Page,
                Uptr = Huge,
            }
        );
        if (pin.IsOk)
        {
            yield return Call(
                new TestDestroyAccessPages
                {
                    AccessFd = fd,
                    AccessPagesId = pin.Back<TestAccessPages>().OutAccessPagesId,
                }
            );
        }

        yield return Call(new TestAccessReplaceIoas { AccessFd = fd, IoasId = target });
    }

    private IEnumerable<DrillAction> Accesses()
    {
        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        DrillCall other = Call(new IoasAlloc());
        yield return other;
        uint ioas = Made(alloc.Back<IoasAlloc>().OutIoasId);
        uint target = Made(other.Back<IoasAlloc>().OutIoasId);
        yield return Call(MapOf(ioas, Iova, Buffer, 4 * Page));
        yield return Call(MapOf(ioas, Iova + (4 * Page), Buffer, 4 * Page));
        DrillCall create = Call(new CreateAccess(ioas, NeedsPinPages: true));
        yield return create;
        if (!create.IsOk)
        {
            yield break;
        }

        uint access = create.Back<CreateAccess>().OutAccessId;
        DrillCall pin = Call(new PinAccessPages(access, Iova, 8 * Page, Write: true));
        yield return pin;
        yield return Call(new ReadWriteAccess(access, Iova + 10, new byte[5000], Write: true));
        if (pin.IsOk)
        {
            yield return Call(new UnpinAccessPages(access, pin.Back<PinAccessPages>().OutPinId));
        }

        // Unmapped under a pin: the access is told to let go.
        yield return Call(new PinAccessPages(access, Iova, 2 * Page, Write: false));
        yield return Call(
            new IoasUnmap
            {
                IoasId = ioas,
                Iova = Iova,
                Length = 4 * Page,
            }
        );
        yield return Call(new ReplaceAccessIoas(access, target));
        yield return Call(new DestroyAccess(access));
    }
}
