using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;

namespace Iommufd.Scenarios.Conformance.Kernel;

/// <summary>The real thing as a kernel: an actor system of its own, every command a message flow.</summary>
internal sealed class ActorHost : IKernelHost
{
    private readonly ActorSystem _system = ActorSystem.Create("conformance", "akka.loglevel = ERROR");
    private readonly SimulatedHost _host;

    public ActorHost() => _host = SimulatedHost.Start(_system, new HostOptions());

    /// <inheritdoc/>
    public HostMachine Machine => _host.State;

    /// <inheritdoc/>
    public async Task<Caller> StartProcessAsync(ProcessSpec spec, Caller? parent)
    {
        object request = parent is null ? new StartProcess(spec) : new StartChild(spec, parent.ProcessId);
        var started = await _host.Machine.Ask<ProcessStarted>(request).ConfigureAwait(false);
        return _host.State.Process((uint)started.ProcessId);
    }

    /// <inheritdoc/>
    public async Task<IContextDoor> OpenAsync(Caller caller)
    {
        var opened = await _host
            .Machine.Ask<IommufdOpened>(new OpenIommufd((int)caller.ProcessId))
            .ConfigureAwait(false);
        return new Door(opened);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _system.Terminate().ConfigureAwait(false);

    private sealed class Door(IommufdOpened opened) : IContextDoor
    {
        public int Number => opened.Number;

        public int Descriptor => opened.Descriptor;

        public async Task<IoctlResult> ExecuteAsync(Caller caller, IoctlCommand command)
        {
            var answer = await opened
                .Context.Ask<IoctlAnswer>(new IoctlRequest(0, (int)caller.ProcessId, command))
                .ConfigureAwait(false);
            return answer.Result;
        }

        public async Task CloseAsync(Caller caller)
        {
            // A context that holds itself open says so; anything else left behind is a bug, and the pins tell.
            await opened.Context.Ask<IommufdClosed>(new CloseIommufd()).ConfigureAwait(false);
        }
    }
}
