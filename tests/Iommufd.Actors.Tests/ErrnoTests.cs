using Akka.Actor;
using Akka.TestKit.Xunit2;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Tests.Errnos;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Actors.Tests;

/// <summary>The cases of the errno table, with actors: the same errnos, and as little left behind.</summary>
public sealed class ErrnoTests : TestKit
{
    public ErrnoTests()
        : base("akka.loglevel = ERROR\nakka.test.single-expect-default = 30s") { }

    [Fact]
    public void Every_case_of_the_errno_table_ends_the_same_with_actors()
    {
        var host = SimulatedHost.Start(Sys, new HostOptions());
        var failed = new List<string>();
        foreach (var played in ErrnoCases.All.Where(c => !c.Sequential))
        {
            try
            {
                using var stage = new ActorStage(this, host);
                played.Play(stage);
            }
            catch (Xunit.Sdk.XunitException e)
            {
                failed.Add($"{played}: {e.Message}");
            }
        }

        Assert.Empty(failed);
    }

    /// <summary>A context of its own on a host that all cases share.</summary>
    private sealed class ActorStage(ErrnoTests kit, SimulatedHost host) : ErrnoStage
    {
        private readonly List<Caller> _started = [];
        private IommufdOpened? _opened;

        public override HostMachine Machine => host.State;

        public override int Iommufd => Opened.Descriptor;

        private IommufdOpened Opened => _opened ??= Open();

        public override IoctlResult Run(Caller caller, IoctlCommand command)
        {
            var called = VfioCalls.Has(command) ? host.Machine : Opened.Context;
            called.Tell(new IoctlRequest(0, (int)caller.ProcessId, command), kit.TestActor);
            return kit.ExpectMsg<IoctlAnswer>().Result;
        }

        public override ulong Digest()
        {
            Opened.Context.Tell(new QueryDigest(WithText: false), kit.TestActor);
            return kit.ExpectMsg<StateDigest>().Digest;
        }

        public override void End()
        {
            CloseCdevs();
            Opened.Context.Tell(new Protocol.CheckInvariants(), kit.TestActor);
            Assert.Empty(kit.ExpectMsg<InvariantReport>().Violations);
            Opened.Context.Tell(new CloseIommufd(), kit.TestActor);
            Assert.Equal(0, kit.ExpectMsg<IommufdClosed>().Leaked);
            Assert.Equal(0L, (long)Machine.Physical.TotalPins);
            Assert.Equal(0, Machine.User.LockedPages);
        }

        public override void Dispose()
        {
            foreach (var process in _started)
            {
                process.Memory.Exit();
            }
        }

        protected override Caller StartProcess(ProcessSpec spec, Caller? parent)
        {
            object request = parent is null ? new StartProcess(spec) : new StartChild(spec, parent.ProcessId);
            host.Machine.Tell(request, kit.TestActor);
            var caller = Machine.Process((uint)kit.ExpectMsg<ProcessStarted>().ProcessId);
            _started.Add(caller);
            return caller;
        }

        protected override void AddHardware(IReadOnlyList<IommuSpec> units, IReadOnlyList<DeviceSpec> devices)
        {
            // The first case adds it, for the later ones it is there.
            foreach (
                var request in units.Select(u => (object)new AddIommu(u)).Concat(devices.Select(d => new AddDevice(d)))
            )
            {
                host.Machine.Tell(request, kit.TestActor);
                kit.ExpectMsg<HostResult>();
            }
        }

        private IommufdOpened Open()
        {
            host.Machine.Tell(new OpenIommufd((int)Client.ProcessId), kit.TestActor);
            return kit.ExpectMsg<IommufdOpened>();
        }
    }
}
