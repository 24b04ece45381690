using Akka.Actor;
using Akka.TestKit;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Dma;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Actors.Tests;

/// <summary>Entries grow and shrink under a device that goes on: it never faults, and no DMA check is violated.</summary>
public sealed class EntrySizeTests : HostFixture
{
    private const ulong Iova = 0x4000_0000;
    private const ulong Page = HostPage.Size;
    private const ulong Large = 2ul << 20;
    private readonly TestProbe _dma;

    public EntrySizeTests() => _dma = CreateTestProbe();

    [Fact]
    public void A_device_translates_on_while_its_entries_are_merged_and_split()
    {
        Start();
        var ioas = AllocIoas();
        var hwpt = Ok(new AttachDevice(Bind("nic"), ioas)).PtId;
        var huge = HugePage();
        for (var i = 0ul; i < 512; i++)
        {
            Ok(Piece(ioas, huge, i));
        }

        StartDma();
        for (var round = 0; round < 20; round++)
        {
            Assert.True(Ok(new ResizeEntries(hwpt, Iova, Large, Large, Merge: true)).OutEntries == 1);
            Ok(new ResizeEntries(hwpt, Iova, Large, Page, Merge: false));
        }

        Ok(new SetEntryPolicy(ioas, EntryPolicy.Promote));
        EndDma();
        CloseAndCheck();
    }

    [Fact]
    public void Mappings_beside_the_devices_come_and_go_and_share_its_entries()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new SetEntryPolicy(ioas, EntryPolicy.Promote));
        Ok(new AttachDevice(Bind("nic"), ioas));
        var huge = HugePage();
        for (var i = 0ul; i < 512; i++)
        {
            Ok(Piece(ioas, huge, i));
        }

        // The device works in the lower half; each round a page of the upper half splits the entry, and completes it again.
        StartDma();
        for (var round = 0ul; round < 20; round++)
        {
            var index = 256 + (round * 7);
            Ok(Unmap(ioas, Iova + (index * Page)));
            Ok(Piece(ioas, huge, index));
        }

        EndDma();
        Assert.Equal(512, Host.State.Physical.TotalPins);
        CloseAndCheck();
    }

    [Fact]
    public void After_an_unmap_has_replied_a_device_does_not_reach_the_page_through_a_larger_entry_of_its_IOTLB()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new SetEntryPolicy(ioas, EntryPolicy.Promote));
        Ok(new AttachDevice(Bind("nic"), ioas));
        var huge = HugePage();
        Ok(Piece(ioas, huge, 0));
        Ok(Piece(ioas, huge, 1));
        Assert.Equal(0ul, Dma(new IovaRange(Iova, Iova + (2 * Page) - 1), 64).Faults);
        Ok(Unmap(ioas, Iova + Page));
        var gone = Dma(new IovaRange(Iova + Page, Iova + (2 * Page) - 1), 64);
        Assert.Equal(gone.Translations, gone.Faults);
        Assert.Equal(0ul, gone.Violations);
        Assert.Equal(0ul, Dma(new IovaRange(Iova, Iova + Page - 1), 64).Faults);
        CloseAndCheck();
    }

    private ulong HugePage() =>
        Tell<MemoryMapped>(
            Memory,
            new MapMemory(1ul << 40, Large, MemoryKind.Huge2M, MemoryProtection.Read | MemoryProtection.Write)
        ).Address;

    private static IoasMap Piece(uint ioas, ulong huge, ulong index) =>
        MapAt(ioas, Iova + (index * Page), length: Page) with
        {
            UserVa = huge + (index * Page),
        };

    private static IoasUnmap Unmap(uint ioas, ulong iova) =>
        new()
        {
            IoasId = ioas,
            Iova = iova,
            Length = Page,
        };

    // Reports to a probe of its own: it may end before the commands do.
    private void StartDma() =>
        Host.Machine.Tell(Run(2, new IovaRange(Iova, Iova + (Large / 2) - 1), 2_000_000), _dma.Ref);

    private void EndDma()
    {
        var report = _dma.ExpectMsg<DmaDone>().Report;
        Assert.Equal((0ul, 0ul), (report.Faults, report.Violations));
    }

    private DmaReport Dma(IovaRange window, long transfers) =>
        Tell<DmaDone>(Host.Machine, Run(1, window, transfers)).Report;

    private static RunDma Run(long tag, IovaRange window, long transfers) =>
        new(tag, "nic", new DmaPattern(DmaPatternKind.Random, window, 4096, 50, 0), transfers);
}
