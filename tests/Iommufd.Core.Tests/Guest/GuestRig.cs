using Iommufd.Core.Dma;
using Iommufd.Core.Dma.Guest;
using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Guest;

/// <summary>
/// A guest of 8 MiB whose memory a second stage maps at the guest-physical addresses from 1 GiB on, with tables in its second MiB, and
/// a device that translates through both.
/// </summary>
internal sealed class GuestRig : IDisposable
{
    public const ulong Memory = 0x7000_0000_0000;
    public const ulong GuestBase = 1ul << 30;
    public const ulong Bytes = 8ul << 20;
    public const ulong PoolOffset = 1ul << 20;

    public GuestRig(GuestHardware hardware, ulong poolBytes = 1ul << 20, Iotlb? iotlb = null)
    {
        Process = new ProcessMemory(1, new ProcessSpec("vm"), Physical, new UserAccount());
        const MemoryProtection readWrite = MemoryProtection.Read | MemoryProtection.Write;
        Assert.Equal(Errno.OK, Process.Map(Memory, Bytes, MemoryKind.Anonymous, readWrite, populate: true, out _));
        for (ulong at = 0; at < Bytes; at += HostPage.Size)
        {
            Assert.Equal(Errno.OK, Process.PinPage(Memory + at, write: true, out Pfn pfn));
            Assert.Equal(Errno.OK, Second.Map(GuestBase + at, pfn.Address, HostPage.Size, IoptePermissions.ReadWrite));
        }

        var pool = new IovaRange(GuestBase + PoolOffset, GuestBase + PoolOffset + poolBytes - 1);
        Writer = new GuestTableWriter(hardware, new GuestTableRoom(Memory, GuestBase, pool));
        Parent = new DmaTranslation(Second, hwptId: 5);
        Engine = new DmaEngine(
            iotlb ?? new Iotlb(IotlbGeometry.Default),
            seed: 3,
            new Pins(Physical),
            memory: Physical
        );
    }

    public PhysicalMemory Physical { get; } = new();

    public ProcessMemory Process { get; }

    public IoPageTable Second { get; } = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);

    public DmaTranslation Parent { get; }

    public GuestTableWriter Writer { get; }

    public DmaEngine Engine { get; }

    /// <summary>Starts the guest's tables and lets the device use them.</summary>
    public GuestRig Attached(uint pasid = 0)
    {
        Assert.Equal(Errno.OK, Writer.TryStart(Process));
        Engine.Switch(new DmaTranslation(Stage(), Parent), pasid);
        return this;
    }

    /// <summary>The first stage as HWPT_ALLOC understands the guest's data.</summary>
    public GuestStage Stage()
    {
        Assert.Equal(Errno.OK, GuestStageData.TryParse(Writer.DataType, Writer.Data(), out GuestStageData? data));
        return data!.Stage!;
    }

    public void Map(
        ulong iova,
        ulong offset,
        ulong length,
        IoptePermissions permissions = IoptePermissions.ReadWrite
    ) => Assert.Equal(Errno.OK, Writer.Map(Process, iova, GuestBase + offset, length, permissions));

    /// <summary>The frame behind an offset in the guest's memory.</summary>
    public ulong PhysicalOf(ulong offset)
    {
        Assert.True(Process.TryGetPfn(Memory + offset, out Pfn pfn));
        return pfn.Address | (offset & HostPage.OffsetMask);
    }

    public ulong ReadWord(ulong guestPhysical)
    {
        byte[] bytes = new byte[8];
        Assert.True(Process.TryRead(guestPhysical - GuestBase + Memory, bytes));
        return BitConverter.ToUInt64(bytes);
    }

    public void WriteWord(ulong guestPhysical, ulong word) =>
        Assert.True(Process.TryWrite(guestPhysical - GuestBase + Memory, BitConverter.GetBytes(word)));

    public bool Reads(ulong iova, uint pasid = 0) => Engine.TryTranslate(iova, IoptePermissions.Read, out _, pasid);

    public bool Writes(ulong iova, uint pasid = 0) => Engine.TryTranslate(iova, IoptePermissions.Write, out _, pasid);

    public void Dispose() => Second.Dispose();

    private sealed record Pins(PhysicalMemory Physical) : IPinOracle
    {
        public bool IsPinned(Pfn pfn) => Physical.IsPinned(pfn);
    }
}
