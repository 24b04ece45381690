using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Host;

namespace Iommufd.Scenarios.Conformance.Kernel;

/// <summary>The sequential model as a kernel that hands out what its contexts journal.</summary>
/// <param name="record">Takes an event and the number of its context.</param>
internal sealed class RecordingHost(Action<int, ContextEvent> record) : IKernelHost
{
    private int _next;

    /// <inheritdoc/>
    public HostMachine Machine { get; } = new();

    /// <inheritdoc/>
    public Task<Caller> StartProcessAsync(ProcessSpec spec, Caller? parent) =>
        Task.FromResult(Machine.StartProcess(spec, parent));

    /// <inheritdoc/>
    public Task<IContextDoor> OpenAsync(Caller caller)
    {
        var context = new SequentialContext(Machine, ++_next);
        record(_next, new ContextOpened(EventTypes.Version, _next, caller.ProcessId));
        return Task.FromResult<IContextDoor>(new Door(context, caller.Open(new IommufdDescriptor(_next)), record));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Door(SequentialContext context, int descriptor, Action<int, ContextEvent> record)
        : IContextDoor
    {
        private readonly HashSet<uint> _seen = [];
        private int _recorded;

        public int Number => context.Core.Number;

        public int Descriptor => descriptor;

        public Task<IoctlResult> ExecuteAsync(Caller caller, IoctlCommand command)
        {
            See(caller);
            IoctlResult result = context.Execute(caller, command);
            RecordNew();
            return Task.FromResult(result);
        }

        public Task CloseAsync(Caller caller)
        {
            See(caller);
            var describe = (DescribeContextFlow)
                context.Run(new DescribeContextFlow(context.Core, caller, withText: false));
            record(Number, new DigestRecorded(describe.Digest));
            if (!context.Core.PageSets.HoldContextOpen)
            {
                record(Number, new ContextClosed(context.Close(caller)));
            }

            return Task.CompletedTask;
        }

        private void RecordNew()
        {
            for (; _recorded < context.Events.Count; _recorded++)
            {
                record(Number, context.Events[_recorded]);
            }
        }

        private void See(Caller caller)
        {
            if (_seen.Add(caller.ProcessId))
            {
                ulong pages = caller.Memory.RlimitMemlockPages;
                record(
                    Number,
                    new ProcessSeen(
                        caller.ProcessId,
                        pages == ulong.MaxValue ? ulong.MaxValue : pages * HostPage.Size,
                        caller.Memory.CapIpcLock,
                        caller.Memory.CapSysResource
                    )
                );
            }
        }
    }
}
