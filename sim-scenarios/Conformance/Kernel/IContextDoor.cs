using Iommufd.Core.Context;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Conformance.Kernel;

/// <summary>One open /dev/iommu as the conformance kernel drives it: with actors, or with the sequential model.</summary>
internal interface IContextDoor
{
    /// <summary>The context's number on the machine.</summary>
    int Number { get; }

    /// <summary>The descriptor that it was opened with.</summary>
    int Descriptor { get; }

    /// <summary>Carries out one command.</summary>
    Task<IoctlResult> ExecuteAsync(Caller caller, IoctlCommand command);

    /// <summary>The last descriptor is gone.</summary>
    Task CloseAsync(Caller caller);
}

/// <summary>Opens contexts and processes for a conformance kernel.</summary>
internal interface IKernelHost : IAsyncDisposable
{
    /// <summary>The machine.</summary>
    HostMachine Machine { get; }

    /// <summary>Starts a process.</summary>
    Task<Caller> StartProcessAsync(Messages.Host.ProcessSpec spec, Caller? parent);

    /// <summary>Opens /dev/iommu.</summary>
    Task<IContextDoor> OpenAsync(Caller caller);
}

/// <summary>The sequential model as a kernel: every command is done before it returns.</summary>
internal sealed class SequentialHost : IKernelHost
{
    private int _next;

    /// <inheritdoc/>
    public HostMachine Machine { get; } = new();

    /// <inheritdoc/>
    public Task<Caller> StartProcessAsync(Messages.Host.ProcessSpec spec, Caller? parent) =>
        Task.FromResult(Machine.StartProcess(spec, parent));

    /// <inheritdoc/>
    public Task<IContextDoor> OpenAsync(Caller caller) =>
        Task.FromResult<IContextDoor>(
            new Door(new SequentialContext(Machine, ++_next), caller.Open(new IommufdDescriptor(_next)))
        );

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Door(SequentialContext context, int descriptor) : IContextDoor
    {
        public int Number => context.Core.Number;

        public int Descriptor => descriptor;

        public Task<IoctlResult> ExecuteAsync(Caller caller, IoctlCommand command) =>
            Task.FromResult(context.Execute(caller, command));

        public Task CloseAsync(Caller caller)
        {
            context.Close(caller);
            return Task.CompletedTask;
        }
    }
}
