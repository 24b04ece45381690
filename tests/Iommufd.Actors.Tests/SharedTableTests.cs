using Akka.Actor;
using Akka.TestKit;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Dma;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Actors.Tests;

/// <summary>
/// A device walks a virtual machine's table. Before a page goes, every device has forgotten it: with DMA under way, no check is violated.
/// </summary>
public sealed class SharedTableTests : HostFixture
{
    private const ulong At = 0x8000_0000;
    private const ulong Page = HostPage.Size;
    private const ulong Bytes = 64 * Page;
    private int _guest;
    private uint _hwpt;
    private uint _nic;

    [Fact]
    public void A_device_reaches_what_the_guest_touched_and_pins_nothing()
    {
        StartGuest();
        var untouched = Dma();
        Assert.Equal(untouched.Translations, untouched.Faults);
        Touch();
        var touched = Dma();
        Assert.Equal((0ul, 0ul), (touched.Faults, touched.Violations));
        Assert.Equal(0, Host.State.Physical.TotalPins);
        CloseAndCheck();
    }

    [Fact]
    public void A_page_is_freed_only_when_the_device_has_forgotten_it()
    {
        StartGuest();
        Touch();
        Dma();
        var lent = Host.State.Physical.LentFrames;
        Assert.True(Host.State.Process((uint)ProcessId).Memory.TryGetPfn(Buffer, out var pfn));

        // The device is busy: its mailbox has work before the invalidation.
        var dma = CreateTestProbe();
        Host.Machine.Tell(Run(500_000), dma.Ref);
        Memory.Tell(new UnmapMemory(Buffer, Page), TestActor);
        Memory.Tell(new TouchGuest(_guest, At, Page, Write: true), TestActor);

        // Refused while the page is going, or it is gone: never filled in anew in between.
        var first = ExpectMsg<HostResult>().Errno;
        var second = ExpectMsg<HostResult>().Errno;
        Assert.Contains((first, second), new[] { (Errno.EAGAIN, Errno.OK), (Errno.OK, Errno.EFAULT) });
        Assert.Equal(lent - 1, Host.State.Physical.LentFrames);
        Assert.False(Host.State.PinOracle.IsPinned(pfn));
        Assert.Equal(0ul, dma.ExpectMsg<DmaDone>().Report.Violations);
        CloseAndCheck();
    }

    [Fact]
    public void Pages_come_and_go_under_a_device_that_goes_on()
    {
        StartGuest();
        Touch();
        var dma = CreateTestProbe();
        Host.Machine.Tell(Run(1_000_000), dma.Ref);
        for (var round = 0ul; round < 40; round++)
        {
            var at = round % 60 * Page;
            object change = (round % 3) switch
            {
                0 => new DiscardMemory(Buffer + at, 2 * Page),
                1 => new ProtectMemory(Buffer + at, Page, MemoryProtection.Read | MemoryProtection.Write),
                _ => new MapMemory(
                    Buffer + at,
                    Page,
                    MemoryKind.Anonymous,
                    MemoryProtection.Read | MemoryProtection.Write
                ),
            };
            Memory.Tell(change, TestActor);
            ExpectMsg<object>();
            Touch();
        }

        Assert.Equal(0ul, dma.ExpectMsg<DmaDone>().Report.Violations);
        var after = Dma();
        Assert.Equal((0ul, 0ul), (after.Faults, after.Violations));
        CloseAndCheck();
    }

    [Fact]
    public void The_process_ends_and_its_guests_devices_reach_nothing_more()
    {
        StartGuest();
        Touch();
        Dma();
        Assert.Equal(Errno.OK, Tell<HostResult>(Memory, new EndProcess()).Errno);
        Assert.Equal(0, Host.State.Physical.LentFrames);
        var after = Dma();
        Assert.Equal(after.Translations, after.Faults);
        Assert.Equal(0ul, after.Violations);
        CloseAndCheck();
    }

    [Fact]
    public void Guest_memory_that_is_taken_away_is_out_of_reach_when_the_answer_comes()
    {
        StartGuest();
        Touch();
        Dma();
        Assert.Equal(Errno.OK, Tell<HostResult>(Memory, new RemoveGuestMemory(_guest, At)).Errno);
        Assert.Equal(Errno.ENOENT, Tell<HostResult>(Memory, new RemoveGuestMemory(_guest, At)).Errno);
        var after = Dma();
        Assert.Equal(after.Translations, after.Faults);
        CloseAndCheck();
    }

    [Fact]
    public void A_memory_whose_actor_dies_while_devices_forget_goes_on()
    {
        StartGuest();
        Touch();
        var dma = CreateTestProbe();
        Host.Machine.Tell(Run(300_000), dma.Ref);
        Memory.Tell(new DiscardMemory(Buffer, Bytes), TestActor);
        Memory.Tell(Kill.Instance);
        Assert.Equal(Errno.OK, ExpectMsg<HostResult>().Errno);
        Assert.Equal(0, Host.State.Physical.LentFrames);
        Assert.Equal(0ul, dma.ExpectMsg<DmaDone>().Report.Violations);
        CloseAndCheck();
    }

    [Fact]
    public void A_device_moves_between_a_shared_table_and_an_IOAS_while_pages_go()
    {
        StartGuest();
        Touch();
        var ioas = AllocIoas();
        Ok(MapAt(ioas, At, length: Bytes));
        Ok(new ReplaceDevice(_nic, ioas));
        Assert.Equal(Errno.OK, Tell<HostResult>(Memory, new DiscardMemory(Buffer, Page)).Errno);
        Assert.Equal(0ul, Dma().Violations);
        Ok(new ReplaceDevice(_nic, _hwpt));
        Touch();
        var after = Dma();
        Assert.Equal((0ul, 0ul), (after.Faults, after.Violations));
        CloseAndCheck();
    }

    private void StartGuest()
    {
        Start();
        var made = Tell<GuestMade>(Memory, new MakeGuest("amd-v1"));
        Assert.Equal(Errno.OK, made.Errno);
        _guest = made.Fd;
        var added = Tell<HostResult>(Memory, new AddGuestMemory(_guest, At, Buffer, Bytes));
        Assert.Equal(Errno.OK, added.Errno);
        _nic = Bind("nic");
        _hwpt = Ok(new AllocateSharedHwpt(_nic, _guest)).OutHwptId;
        Ok(new AttachDevice(_nic, _hwpt));
    }

    private void Touch() =>
        Assert.Equal(Errno.OK, Tell<HostResult>(Memory, new TouchGuest(_guest, At, Bytes, Write: true)).Errno);

    private DmaReport Dma() => Tell<DmaDone>(Host.Machine, Run(256)).Report;

    private static RunDma Run(long transfers) =>
        new(1, "nic", new DmaPattern(DmaPatternKind.Ring, new IovaRange(At, At + Bytes - 1), 4096, 50, 0), transfers);
}
