using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Actors.Tests;

/// <summary>What the kernel lets run at the same time runs at the same time, and what it excludes waits (facts sheet C.13).</summary>
public sealed class OverlapTests : HostFixture
{
    [Fact]
    public void Two_maps_of_disjoint_ranges_pin_at_the_same_time()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        var memory = InterceptMemory();

        Send(1, MapAt(ioas, 0x100000));
        Send(2, MapAt(ioas, 0x200000, offset: 0x8000));
        ExpectStep<CreatePageSet>(memory);
        var firstSender = memory.LastSender;
        var first = ExpectStep<FillBegin>(memory);
        ExpectStep<CreatePageSet>(memory);
        var second = ExpectStep<FillBegin>(memory);

        // Both fills are under way and neither has been answered.
        Assert.NotEqual(first.Flow, second.Flow);
        ExpectNoMsg(0);
        Assert.Equal(Iommufd, firstSender);
    }

    [Fact]
    public void The_later_of_two_overlapping_fills_may_finish_first()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        var memory = InterceptMemory();

        Send(1, MapAt(ioas, 0x100000));
        PassOn(memory, ExpectStep<CreatePageSet>(memory));
        var held = ExpectStep<FillBegin>(memory);
        Send(2, MapAt(ioas, 0x200000, offset: 0x8000));
        PassOn(memory, ExpectStep<CreatePageSet>(memory));
        PassOn(memory, ExpectStep<FillBegin>(memory));
        PassOn(memory, ExpectStep<FillCommit>(memory));
        Assert.Equal(2, ExpectMsg<IoctlAnswer>().Tag);

        PassOn(memory, held);
        PassOn(memory, ExpectStep<FillCommit>(memory));
        Assert.Equal(1, ExpectMsg<IoctlAnswer>().Tag);
        Host.Options.Memories[ProcessId] = Memory;
        CloseAndCheck();
    }

    [Fact]
    public void A_map_over_a_pending_area_is_EEXIST()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        var memory = InterceptMemory();

        Send(1, MapAt(ioas, 0x100000));
        PassOn(memory, ExpectStep<CreatePageSet>(memory));
        var held = ExpectStep<FillBegin>(memory);
        Send(2, MapAt(ioas, 0x101000, length: 0x1000));
        var answer = ExpectMsg<IoctlAnswer>();
        Assert.Equal((2, Errno.EEXIST), (answer.Tag, answer.Result.Errno));
        PassOn(memory, ExpectStep<CreatePageSet>(memory));
        PassOn(memory, ExpectStep<DropPageSet>(memory));

        PassOn(memory, held);
        PassOn(memory, ExpectStep<FillCommit>(memory));
        Assert.Equal(Errno.OK, ExpectMsg<IoctlAnswer>(a => a.Tag == 1).Result.Errno);
        Host.Options.Memories[ProcessId] = Memory;
        CloseAndCheck();
    }

    [Fact]
    public void An_unmap_of_a_pending_area_is_EBUSY()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        var memory = InterceptMemory();

        Send(1, MapAt(ioas, 0x100000));
        PassOn(memory, ExpectStep<CreatePageSet>(memory));
        ExpectStep<FillBegin>(memory);
        Send(
            2,
            new IoasUnmap
            {
                IoasId = ioas,
                Iova = 0x100000,
                Length = 0x4000,
            }
        );
        Assert.Equal(Errno.EBUSY, ExpectMsg<IoctlAnswer>(a => a.Tag == 2).Result.Errno);
    }

    [Fact]
    public void An_attach_waits_for_the_fills_in_flight_and_then_has_their_areas()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        var disk = Bind("disk");
        var memory = InterceptMemory();

        Send(1, MapAt(ioas, 0x100000));
        PassOn(memory, ExpectStep<CreatePageSet>(memory));
        var held = ExpectStep<FillBegin>(memory);
        var hwpt = new HwptAlloc { DevId = disk, PtId = ioas };
        Send(2, hwpt);
        memory.ExpectNoMsg(TimeSpan.FromMilliseconds(100));

        PassOn(memory, held);
        PassOn(memory, ExpectStep<FillCommit>(memory));
        Assert.Equal(1, ExpectMsg<IoctlAnswer>().Tag);
        PassOn(memory, ExpectStep<ReadPfns>(memory));
        var made = (HwptAlloc)ExpectMsg<IoctlAnswer>(a => a.Tag == 2).Result.WriteBack!;
        Host.Options.Memories[ProcessId] = Memory;
        var check = new TestMdCheckMap
        {
            HwptId = made.OutHwptId,
            Iova = 0x100000,
            Length = 0x4000,
            Uptr = Buffer,
        };
        Assert.Equal(Errno.OK, Call(check).Errno);
        CloseAndCheck();
    }

    [Fact]
    public void A_map_that_comes_after_a_waiting_attach_waits_behind_it()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        var disk = Bind("disk");
        var memory = InterceptMemory();

        Send(1, MapAt(ioas, 0x100000));
        PassOn(memory, ExpectStep<CreatePageSet>(memory));
        var held = ExpectStep<FillBegin>(memory);
        Send(2, new HwptAlloc { DevId = disk, PtId = ioas });
        Send(3, MapAt(ioas, 0x200000, offset: 0x8000));
        ExpectStep<CreatePageSet>(memory);
        memory.ExpectNoMsg(TimeSpan.FromMilliseconds(100));
        PassOn(memory, held);
        ExpectStep<FillCommit>(memory);
        Assert.Equal(1, ExpectMsg<IoctlAnswer>().Tag);
        ExpectStep<ReadPfns>(memory);
    }

    [Fact]
    public void A_close_waits_for_the_commands_in_flight()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        var memory = InterceptMemory();
        Send(1, MapAt(ioas, 0x100000));
        PassOn(memory, ExpectStep<CreatePageSet>(memory));
        var held = ExpectStep<FillBegin>(memory);
        Iommufd.Tell(new CloseIommufd(), TestActor);
        ExpectNoMsg(100);
        PassOn(memory, held);
        PassOn(memory, ExpectStep<FillCommit>(memory));
        Assert.Equal(1, ExpectMsg<IoctlAnswer>().Tag);
        PassOn(memory, ExpectStep<Unfill>(memory));
        PassOn(memory, ExpectStep<DropPageSet>(memory));
        Assert.Equal(0, ExpectMsg<IommufdClosed>().Leaked);
        AwaitAssert(() => Assert.Equal(0, Host.State.Physical.TotalPins));
    }
}
