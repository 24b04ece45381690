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
        var (ioas, memory) = StartWithDomain();
        Send(1, MapAt(ioas, 0x100000));
        var first = HoldStep<FillBegin>(memory);
        Send(2, MapAt(ioas, 0x200000, offset: 0x8000));
        var second = HoldStep<FillBegin>(memory);

        // Both fills are under way, neither has been answered.
        Assert.NotEqual(first.Step.Flow, second.Step.Flow);
        ExpectNoMsg(50);
    }

    [Fact]
    public void The_later_of_two_overlapping_fills_may_finish_first()
    {
        var (ioas, memory) = StartWithDomain();
        Send(1, MapAt(ioas, 0x100000));
        var held = HoldStep<FillBegin>(memory);
        Send(2, MapAt(ioas, 0x200000, offset: 0x8000));
        PassOn(HoldStep<FillBegin>(memory));
        Assert.Equal(2, ExpectMsg<IoctlAnswer>().Tag);

        PassOn(held);
        Assert.Equal(1, ExpectMsg<IoctlAnswer>().Tag);
        StopIntercepting(memory);
        CloseAndCheck();
    }

    [Fact]
    public void A_map_over_a_pending_area_is_EEXIST()
    {
        var (ioas, memory) = StartWithDomain();
        Send(1, MapAt(ioas, 0x100000));
        var held = HoldStep<FillBegin>(memory);
        Send(2, MapAt(ioas, 0x101000, length: 0x1000));
        var answer = ExpectMsg<IoctlAnswer>();
        Assert.Equal((2, Errno.EEXIST), (answer.Tag, answer.Result.Errno));

        PassOn(held);
        Assert.Equal(Errno.OK, ExpectMsg<IoctlAnswer>(a => a.Tag == 1).Result.Errno);
        StopIntercepting(memory);
        CloseAndCheck();
    }

    [Fact]
    public void An_unmap_of_a_pending_area_is_EBUSY()
    {
        var (ioas, memory) = StartWithDomain();
        Send(1, MapAt(ioas, 0x100000));
        HoldStep<FillBegin>(memory);
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
        var (ioas, memory) = StartWithDomain();
        var disk = Bind("disk");
        Send(1, MapAt(ioas, 0x100000));
        var held = HoldStep<FillBegin>(memory);
        Send(2, new HwptAlloc { DevId = disk, PtId = ioas });
        memory.ExpectNoMsg(TimeSpan.FromMilliseconds(50));

        PassOn(held);
        Assert.Equal(1, ExpectMsg<IoctlAnswer>().Tag);
        PassOn(HoldStep<ReadPfns>(memory));
        var made = (HwptAlloc)ExpectMsg<IoctlAnswer>(a => a.Tag == 2).Result.WriteBack!;
        StopIntercepting(memory);
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
        var (ioas, memory) = StartWithDomain();
        var disk = Bind("disk");
        Send(1, MapAt(ioas, 0x100000));
        var held = HoldStep<FillBegin>(memory);
        Send(2, new HwptAlloc { DevId = disk, PtId = ioas });
        Send(3, MapAt(ioas, 0x200000, offset: 0x8000));
        PassOn(held);
        Assert.Equal(1, ExpectMsg<IoctlAnswer>().Tag);

        // The attach reads the first area back before the second map pins anything.
        var next = HoldStep<FlowRequest>(memory);
        while (next.Step.Request is FillCommit or CreatePageSet)
        {
            PassOn(next);
            next = HoldStep<FlowRequest>(memory);
        }

        Assert.IsType<ReadPfns>(next.Step.Request);
        PassOn(next);
        Assert.Equal(2, ExpectMsg<IoctlAnswer>().Tag);
        PassOn(HoldStep<FillBegin>(memory));
        Assert.Equal(3, ExpectMsg<IoctlAnswer>().Tag);
        StopIntercepting(memory);
        CloseAndCheck();
    }

    [Fact]
    public void A_close_waits_for_the_commands_in_flight()
    {
        var (ioas, memory) = StartWithDomain();
        Send(1, MapAt(ioas, 0x100000));
        var held = HoldStep<FillBegin>(memory);
        Iommufd.Tell(new CloseIommufd(), TestActor);
        ExpectNoMsg(50);
        Host.Options.Memories[ProcessId] = Memory;
        PassOn(held);
        Assert.Equal(1, ExpectMsg<IoctlAnswer>().Tag);
        Assert.Equal(0, ExpectMsg<IommufdClosed>().Leaked);
        AwaitAssert(() => Assert.Equal(0, Host.State.Physical.TotalPins));
    }

    private (uint Ioas, Akka.TestKit.TestProbe Memory) StartWithDomain()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        return (ioas, InterceptMemory());
    }
}
