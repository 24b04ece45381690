using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Dma;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Actors.Tests;

/// <summary>VFIO devices' descriptors with actors: who answers, who holds whom open, and what ends with a process.</summary>
public sealed class VfioTests : HostFixture
{
    private const ulong Iova = 0x100000;

    private int Cdev { get; set; }

    private uint Ioas { get; set; }

    [Fact]
    public void A_device_is_bound_by_descriptor_and_its_DMA_follows_it_from_IOAS_to_IOAS()
    {
        StartBound();
        Assert.Equal(64ul, Dma(Iova).Faults);
        Vfio(AttachTo(Ioas));
        Assert.Equal(0ul, Dma(Iova).Faults);
        Vfio(AttachTo(AllocIoas()));
        Assert.Equal(64ul, Dma(Iova).Faults);
        Vfio(new CloseVfioDevice(Cdev));
        CloseAndCheck();
    }

    [Fact]
    public void A_bound_device_holds_a_closed_iommufd_open_and_its_close_closes_both()
    {
        StartBound();
        Vfio(AttachTo(Ioas));
        Assert.Equal(1, Tell<IommufdStaysOpen>(Iommufd, new CloseIommufd()).Devices);
        Assert.Equal(Errno.EBADF, Call(new IoasAlloc()).Errno);
        Assert.Equal(0ul, Dma(Iova).Faults);
        Watch(Iommufd);
        Vfio(new VfioDeviceDetachIommufdPt { Descriptor = Cdev, ArgSz = 8 });
        Host.Machine.Tell(new IoctlRequest(7, ProcessId, new CloseVfioDevice(Cdev)), TestActor);
        var messages = new[] { ExpectMsg<object>(), ExpectMsg<object>(), ExpectMsg<object>() };
        Assert.Equal(Errno.OK, messages.OfType<IoctlAnswer>().Single().Result.Errno);
        Assert.Equal(0, messages.OfType<IommufdClosed>().Single().Leaked);
        Assert.Single(messages.OfType<Terminated>());
        AwaitAssert(() => Assert.Equal(0, Host.State.Physical.TotalPins));
        Check();
    }

    [Fact]
    public void A_descriptor_that_was_passed_on_keeps_the_device_when_its_first_owner_ends()
    {
        StartBound();
        Vfio(AttachTo(Ioas));
        var other = Tell<ProcessStarted>(Host.Machine, new StartProcess(new ProcessSpec("other"))).ProcessId;
        Assert.Equal(Errno.OK, Tell<HostResult>(Host.Machine, new OfferDescriptor(ProcessId, Cdev, "nic")).Errno);
        var taken = Tell<FileOpened>(Host.Machine, new TakeDescriptor(other, "nic"));
        Assert.Equal(Errno.OK, taken.Errno);
        Host.Machine.Tell(new CloseVfioDescriptors(ProcessId), TestActor);
        Assert.Equal(1, Tell<IommufdStaysOpen>(Iommufd, new CloseIommufd()).Devices);
        Assert.Equal(0ul, Dma(Iova).Faults);

        // On its way it is a descriptor like any other: only another offer of the same name lets it go.
        Host.Machine.Tell(new CloseVfioDescriptors(other), TestActor);
        var file = Tell<FileOpened>(Memory, new MakeFile(MemoryFileKind.Memfd, 0x1000)).Descriptor;
        Assert.Equal(0ul, Dma(Iova).Faults);
        Host.Machine.Tell(new OfferDescriptor(ProcessId, file, "nic"), TestActor);
        var messages = new[] { ExpectMsg<object>(), ExpectMsg<object>() };
        Assert.Equal(Errno.OK, messages.OfType<HostResult>().Single().Errno);
        Assert.Equal(0, messages.OfType<IommufdClosed>().Single().Leaked);
        AwaitAssert(() => Assert.Equal(0, Host.State.Physical.TotalPins));
        Check();
    }

    [Fact]
    public void A_process_that_is_killed_unbinds_its_devices_whatever_is_told_first()
    {
        StartBound();
        Vfio(AttachTo(Ioas));
        Memory.Tell(new EndProcess(), ActorRefs.NoSender);
        Iommufd.Tell(new CloseIommufd(), TestActor);
        Host.Machine.Tell(new CloseVfioDescriptors(ProcessId), TestActor);
        var answer = FishForMessage<IommufdClosed>(_ => true);
        Assert.Equal(0, answer.Leaked);
        AwaitAssert(() => Assert.Equal(0, Host.State.Physical.TotalPins));
        Check();
        Assert.Equal(Errno.OK, Rebound());
        CloseAndCheck();
    }

    [Fact]
    public void Two_opens_that_bind_at_the_same_time_through_two_iommufds_bind_once()
    {
        StartBound();
        Vfio(new CloseVfioDevice(Cdev));
        for (var round = 0; round < 20; round++)
        {
            var first = (int)AskMachine(new OpenVfioDevice("nic")).ReturnValue;
            var second = (int)AskMachine(new OpenVfioDevice("nic")).ReturnValue;
            var other = Tell<IommufdOpened>(Host.Machine, new OpenIommufd(ProcessId));
            Host.Machine.Tell(new IoctlRequest(1, ProcessId, BindTo(first, IommufdDescriptor)), TestActor);
            Host.Machine.Tell(new IoctlRequest(2, ProcessId, BindTo(second, other.Descriptor)), TestActor);
            var answers = new[] { ExpectMsg<IoctlAnswer>().Result.Errno, ExpectMsg<IoctlAnswer>().Result.Errno };
            Assert.Equal([Errno.OK, Errno.EINVAL], answers.Order());
            Vfio(new CloseVfioDevice(first));
            Vfio(new CloseVfioDevice(second));
            Assert.Equal(0, Tell<IommufdClosed>(other.Context, new CloseIommufd()).Leaked);
        }

        CloseAndCheck();
    }

    [Fact]
    public void Without_a_free_descriptor_nothing_opens_and_a_closed_queue_frees_one()
    {
        Start();
        Tell<HostResult>(Memory, new ChangeLimits(RlimitOpenFiles: 4));
        Assert.Equal(Errno.EMFILE, Tell<IommufdOpened>(Host.Machine, new OpenIommufd(ProcessId)).Errno);
        Assert.Equal(Errno.EMFILE, AskMachine(new OpenVfioDevice("nic")).Errno);
        Assert.Equal(Errno.EMFILE, Call(new FaultQueueAlloc()).Errno);
        Assert.Equal(Errno.EMFILE, Tell<FileOpened>(Memory, new MakeFile(MemoryFileKind.Memfd, 0x1000)).Errno);
        Assert.Equal(Errno.EMFILE, Tell<GuestMade>(Memory, new MakeGuest("amd-v1")).Errno);
        Assert.Equal(
            Errno.EMFILE,
            Tell<MemoryMapped>(Memory, new MapMemory(null, 0x1000, MemoryKind.File, MemoryProtection.Read)).Errno
        );
        Tell<HostResult>(Memory, new ChangeLimits(RlimitOpenFiles: 5));
        var queue = Ok(new FaultQueueAlloc());
        Assert.Equal(4, queue.OutFaultFd);
        Assert.Equal(Errno.EMFILE, Call(new FaultQueueAlloc()).Errno);
        Ok(new CloseFaultQueue(queue.OutFaultId));
        Assert.Equal(4, Ok(new FaultQueueAlloc()).OutFaultFd);
        CloseAndCheck();

        // With the iommufd all of its descriptors are closed.
        Reopen();
        Assert.Equal(3, IommufdDescriptor);
        CloseAndCheck();
    }

    private Errno Rebound()
    {
        Reopen();
        Cdev = (int)AskMachine(new OpenVfioDevice("nic")).ReturnValue;
        var errno = AskMachine(BindTo(Cdev, IommufdDescriptor)).Errno;
        Vfio(new CloseVfioDevice(Cdev));
        return errno;
    }

    private void StartBound()
    {
        Start();
        Ioas = AllocIoas();
        Ok(MapAt(Ioas, Iova));
        Cdev = (int)AskMachine(new OpenVfioDevice("nic")).ReturnValue;
        Vfio(BindTo(Cdev, IommufdDescriptor));
    }

    private void Vfio(IoctlCommand command) => Assert.Equal(Errno.OK, AskMachine(command).Errno);

    private static VfioDeviceBindIommufd BindTo(int cdev, int iommufd) =>
        new()
        {
            Descriptor = cdev,
            ArgSz = VfioDeviceBindIommufd.Size,
            Iommufd = iommufd,
        };

    private VfioDeviceAttachIommufdPt AttachTo(uint ptId) =>
        new()
        {
            Descriptor = Cdev,
            ArgSz = VfioDeviceAttachIommufdPt.PlainSize,
            PtId = ptId,
        };
}
