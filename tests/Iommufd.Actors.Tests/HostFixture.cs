using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Flows;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;
using Iommufd.Messages.Host;

namespace Iommufd.Actors.Tests;

/// <summary>A host with one process, one context, one IOMMU and a few devices, driven step by step.</summary>
public abstract class HostFixture : TestKit
{
    protected const ulong Buffer = 0x10_0000_0000;
    protected const ulong BufferBytes = 1 << 20;

    protected HostFixture()
        : base("akka.loglevel = ERROR\nakka.test.single-expect-default = 60s") { }

    protected SimulatedHost Host { get; private set; } = null!;

    protected IActorRef Iommufd { get; private set; } = null!;

    protected int IommufdDescriptor { get; private set; }

    protected int ProcessId { get; private set; }

    protected IActorRef Memory { get; private set; } = null!;

    protected void Start(IStepHook? hook = null, Func<ContextCore, Caller, IoctlCommand, Flow?>? makeFlow = null)
    {
        Host = SimulatedHost.Start(Sys, new HostOptions { StepHook = hook, MakeFlow = makeFlow });
        Host.Machine.Tell(new AddIommu(new IommuSpec(0, "amd-v1", new IovaRange(0, (1ul << 48) - 1))));
        ExpectOk();
        foreach (var name in new[] { "nic", "disk", "gpu" })
        {
            Host.Machine.Tell(new AddDevice(new DeviceSpec(name, name.Length + name[0], 0, [], MaxPasids: 16)));
            ExpectOk();
        }

        Host.Machine.Tell(new StartProcess(new ProcessSpec("client")));
        var started = ExpectMsg<ProcessStarted>();
        (ProcessId, Memory) = (started.ProcessId, started.Memory);
        Memory.Tell(
            new MapMemory(Buffer, BufferBytes, MemoryKind.Anonymous, MemoryProtection.Read | MemoryProtection.Write)
        );
        Assert.Equal(Errno.OK, ExpectMsg<MemoryMapped>().Errno);
        Reopen();
    }

    /// <summary>What is called on VFIO devices' descriptors.</summary>
    protected IoctlResult AskMachine(IoctlCommand command) =>
        Tell<IoctlAnswer>(Host.Machine, new IoctlRequest(0, ProcessId, command)).Result;

    protected IoctlResult Call(IoctlCommand command)
    {
        Send(0, command);
        return ExpectMsg<IoctlAnswer>(m => m.Tag == 0).Result;
    }

    protected IoctlResult CallAs(int processId, IoctlCommand command)
    {
        Iommufd.Tell(new IoctlRequest(0, processId, command), TestActor);
        return ExpectMsg<IoctlAnswer>(m => m.Tag == 0).Result;
    }

    /// <summary>Says something to somebody who answers.</summary>
    protected T Tell<T>(IActorRef to, object message)
    {
        to.Tell(message, TestActor);
        return ExpectMsg<T>();
    }

    /// <summary>Opens another iommufd, which takes the place of the first.</summary>
    protected void Reopen(bool asContainer = false)
    {
        var opened = Tell<IommufdOpened>(Host.Machine, new OpenIommufd(ProcessId, asContainer));
        (Iommufd, IommufdDescriptor) = (opened.Context, opened.Descriptor);
    }

    /// <summary>Goes on with an iommufd that was opened before.</summary>
    protected void Use(IActorRef iommufd) => Iommufd = iommufd;

    protected void Send(long tag, IoctlCommand command) =>
        Iommufd.Tell(new IoctlRequest(tag, ProcessId, command), TestActor);

    protected T Ok<T>(T command)
        where T : IoctlCommand
    {
        var result = Call(command);
        Assert.Equal(Errno.OK, result.Errno);
        return (T)(result.WriteBack ?? command);
    }

    /// <summary>The nic reads and writes four pages, one after the other.</summary>
    protected DmaReport Dma(ulong iova)
    {
        var window = new IovaRange(iova, iova + 0x3fff);
        return Tell<DmaDone>(
            Host.Machine,
            new RunDma(1, "nic", new DmaPattern(DmaPatternKind.Ring, window, 4096, 50, 0), 64)
        ).Report;
    }

    protected uint AllocIoas() => Ok(new IoasAlloc()).OutIoasId;

    protected uint Bind(string device) => Ok(new BindDevice(device)).OutDeviceId;

    protected static IoasMap MapAt(uint ioas, ulong iova, ulong length = 0x4000, ulong offset = 0) =>
        new()
        {
            IoasId = ioas,
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            UserVa = Buffer + offset,
            Length = length,
            Iova = iova,
        };

    /// <summary>Puts a probe in the place of the process's memory: it sees every step and passes on what the test lets through.</summary>
    protected TestProbe InterceptMemory()
    {
        var probe = CreateTestProbe();
        Host.Options.Memories[ProcessId] = probe.Ref;
        return probe;
    }

    /// <summary>Passes steps on to the real memory until one of the wanted kind comes, and holds that one.</summary>
    protected HeldStep HoldStep<TRequest>(TestProbe probe)
        where TRequest : FlowRequest
    {
        while (true)
        {
            var step = probe.ExpectMsg<FlowStep>();
            var held = new HeldStep(step, probe.LastSender);
            if (step.Request is TRequest)
            {
                return held;
            }

            PassOn(held);
        }
    }

    protected void PassOn(HeldStep held) => Memory.Tell(held.Step, held.Sender);

    /// <summary>From now on the context talks to the real memory again; what the probe still has is passed on.</summary>
    protected void StopIntercepting(TestProbe probe)
    {
        Host.Options.Memories[ProcessId] = Memory;
        while (probe.HasMessages)
        {
            var step = probe.ExpectMsg<FlowStep>();
            PassOn(new HeldStep(step, probe.LastSender));
        }
    }

    protected sealed record HeldStep(FlowStep Step, IActorRef Sender);

    /// <summary>Every invariant holds, and after the close nothing is pinned or charged.</summary>
    protected void CloseAndCheck()
    {
        Check();
        Iommufd.Tell(new CloseIommufd(), TestActor);
        Assert.Equal(0, ExpectMsg<IommufdClosed>().Leaked);
        AwaitAssert(() => Assert.Equal(0, Host.State.Physical.TotalPins));
        Check();
    }

    protected void Check()
    {
        Host.Machine.Tell(new CheckInvariants(), TestActor);
        Assert.Empty(ExpectMsg<InvariantReport>().Violations);
    }

    private void ExpectOk() => Assert.Equal(Errno.OK, ExpectMsg<HostResult>().Errno);
}
