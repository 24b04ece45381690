using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Persistence.Tests;

/// <summary>Events of files, dma-bufs, dirty pages, processes and VFIO, applied to an empty context again.</summary>
public sealed class MemoryReplayTests
{
    private const ulong Buffer = 0x10_0000_0000;
    private const ulong Iova = 0x0100_0000;
    private const IoasMapFlags ReadWrite = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable;

    private readonly HostMachine _machine = new();
    private readonly Caller _client;
    private readonly Caller _other;
    private readonly SequentialContext _context;

    public MemoryReplayTests()
    {
        _client = _machine.StartProcess(new ProcessSpec("client", CapIpcLock: false));
        _other = _machine.StartProcess(new ProcessSpec("other", CapIpcLock: false), _client);
        _client.Memory.Map(
            Buffer,
            0x10000,
            MemoryKind.Anonymous,
            MemoryProtection.Read | MemoryProtection.Write,
            populate: true,
            out _
        );
        _context = new SequentialContext(_machine, 1);
    }

    [Fact]
    public void Files_change_hands_and_dma_bufs_are_revoked()
    {
        var ioas = Do(new IoasAlloc()).OutIoasId;
        var file = Open(new FileDescriptor(_machine.CreateFile(MemoryFileKind.Memfd, 0x8000)));
        Do(MapFile(ioas, file, Iova));
        Do(new TestMockDomain { PtId = ioas });
        Do(MapFile(ioas, file, Iova + 0x10000));
        Do(new IoasChangeProcess(), _other);
        Do(MapFile(ioas, file, Iova + 0x20000), _other);
        var buffer = (int)_context.Execute(_client, new TestDmabufGet { Length = 0x4000 }).ReturnValue;
        Do(MapFile(ioas, buffer, Iova + 0x30000));
        Do(new TestDmabufRevoke { DmabufFd = buffer });
        Do(MapFile(ioas, buffer, Iova + 0x40000));
        CheckReplay();
    }

    [Fact]
    public void Dirty_marks_and_VFIO_cuts_are_the_same_again()
    {
        var ioas = Do(new IoasAlloc()).OutIoasId;
        var device = Do(new TestMockDomain { PtId = ioas });
        var hwpt = Do(
            new HwptAlloc
            {
                DevId = device.OutIdevId,
                PtId = ioas,
                Flags = HwptAllocFlags.DirtyTracking,
            }
        ).OutHwptId;
        Do(new HwptSetDirtyTracking { HwptId = hwpt, Flags = HwptSetDirtyTracking.Enable });
        Do(new VfioIoas { Op = VfioIoasOp.Set, IoasId = ioas });
        Do(new TestMockDomainReplace { StdevId = device.OutStdevId, PtId = hwpt });
        Do(
            new VfioIommuMapDma
            {
                ArgSz = 32,
                Flags = VfioMapFlags.Read | VfioMapFlags.Write,
                Vaddr = Buffer,
                Iova = Iova,
                Size = 0x8000,
            }
        );
        Do(
            new TestDirty
            {
                HwptId = hwpt,
                Iova = Iova,
                Length = 0x8000,
                PageSize = 0x1000,
                Uptr = Buffer,
            }
        );
        Do(
            new HwptGetDirtyBitmap
            {
                HwptId = hwpt,
                Iova = Iova,
                Length = 0x1000,
                PageSize = 0x1000,
                Data = Buffer + 0xf000,
            }
        );
        CheckReplay();
    }

    [Fact]
    public void A_cut_area_is_cut_again()
    {
        var ioas = Do(new IoasAlloc()).OutIoasId;
        Do(new VfioIoas { Op = VfioIoasOp.Set, IoasId = ioas });
        Do(new VfioSetIommu { Type = VfioExtension.Type1 });
        Do(new TestMockDomain { PtId = ioas });
        Do(
            new VfioIommuMapDma
            {
                ArgSz = 32,
                Flags = VfioMapFlags.Read,
                Vaddr = Buffer,
                Iova = Iova,
                Size = 0x8000,
            }
        );
        Do(
            new VfioIommuUnmapDma
            {
                ArgSz = 24,
                Iova = Iova + 0x2000,
                Size = 0x3000,
            }
        );
        Do(new VfioIoas { Op = VfioIoasOp.Clear });
        CheckReplay();
    }

    private static IoasMapFile MapFile(uint ioas, int fd, ulong iova) =>
        new()
        {
            Flags = ReadWrite,
            IoasId = ioas,
            Fd = fd,
            Length = 0x4000,
            Iova = iova,
        };

    private int Open(Descriptor descriptor) => _client.Descriptors.Open(descriptor);

    private T Do<T>(T command, Caller? caller = null)
        where T : IoctlCommand
    {
        var result = _context.Execute(caller ?? _client, command);
        Assert.Equal(Errno.OK, result.Errno);
        return result.WriteBack as T ?? command;
    }

    private void CheckReplay()
    {
        var replayed = new ReplayedContext(1);
        replayed.Apply(new ContextOpened(EventTypes.Version, 1, _client.ProcessId));
        foreach (var process in new[] { _client, _other })
        {
            replayed.Apply(new ProcessSeen(process.ProcessId, ulong.MaxValue, false, true));
        }

        foreach (var change in _context.Events)
        {
            replayed.Apply(change);
        }

        var expected = (DescribeContextFlow)
            _context.Run(new DescribeContextFlow(_context.Core, _client, withText: true));
        var found = replayed.Describe(withText: true);
        Assert.Equal(expected.Lines, found.Lines);
        Assert.Equal(expected.Digest, found.Digest);
        replayed.Apply(new ContextClosed(0));
    }
}
