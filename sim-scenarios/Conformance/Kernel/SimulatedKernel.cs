using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;

namespace Iommufd.Scenarios.Conformance.Kernel;

/// <summary>The simulator as the trace player's kernel.</summary>
public sealed class SimulatedKernel : ISimulatedKernel
{
    private readonly IKernelHost _host;
    private readonly List<SimulatedProcess> _processes = [];
    private int _names;

    private SimulatedKernel(IKernelHost host) => _host = host;

    /// <summary>A kernel without actors: the sequential model.</summary>
    public static SimulatedKernel Sequential() => new(new SequentialHost());

    /// <summary>A kernel in which every command is a message flow between actors.</summary>
    public static SimulatedKernel WithActors() => new(new ActorHost());

    /// <summary>The sequential model, which hands out what its contexts journal.</summary>
    /// <param name="record">Takes the number of a context and its next event.</param>
    public static SimulatedKernel Recording(Action<int, Iommufd.Messages.Events.ContextEvent> record) =>
        new(new RecordingHost(record));

    /// <inheritdoc/>
    public async Task<ISimulatedProcess> StartProcessAsync(SimulatedProcessOptions options)
    {
        var spec = new ProcessSpec(
            $"process-{Interlocked.Increment(ref _names)}",
            options.MemlockLimit,
            options.CapIpcLock,
            CapSysResource: true
        );
        var process = new SimulatedProcess(_host, spec, await _host.StartProcessAsync(spec, null), []);
        _processes.Add(process);
        return process;
    }

    /// <inheritdoc/>
    public Task StartWithLockedPagesAsync(long pages)
    {
        _host.Machine.User.TryCharge(pages, long.MaxValue);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<long> EndAsync()
    {
        foreach (var process in _processes)
        {
            await process.CloseContextsAsync();
        }

        return _host.Machine.User.LockedPages;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _host.DisposeAsync();
}

/// <summary>A context and how many descriptors keep it open.</summary>
internal sealed class OpenContext(IContextDoor door)
{
    public IContextDoor Door { get; } = door;

    public int References { get; set; } = 1;
}

/// <summary>One process of the conformance kernel.</summary>
/// <param name="host">Where it runs.</param>
/// <param name="spec">What it is.</param>
/// <param name="caller">What a context sees of it.</param>
/// <param name="contexts">The contexts that its descriptors refer to, by number; its children share them with the descriptors.</param>
internal sealed partial class SimulatedProcess(
    IKernelHost host,
    ProcessSpec spec,
    Caller caller,
    Dictionary<int, OpenContext> contexts
) : ISimulatedProcess
{
    public IUserMemory Memory => caller.Memory;

    /// <summary>The process is gone: its contexts are closed, whatever held them open.</summary>
    public async Task CloseContextsAsync()
    {
        foreach (var context in contexts.Values.ToArray())
        {
            await context.Door.CloseAsync(caller);
        }

        contexts.Clear();
    }

    public async Task<ISimulatedProcess> StartChildAsync()
    {
        var child = spec with { Name = spec.Name + "-child" };
        return new SimulatedProcess(host, child, await host.StartProcessAsync(child, caller), contexts);
    }

    public Task ExitAsync()
    {
        caller.Memory.Exit();
        return Task.CompletedTask;
    }

    public Task<ProcessVmCounters> ReadVmCountersAsync() =>
        Task.FromResult(new ProcessVmCounters(caller.Memory.PinnedVmPages * 4, caller.Memory.LockedVmPages * 4));

    public Task<Errno> MapAnonymousAsync(ulong address, ulong size, SimulatedPageKind kind) =>
        Task.FromResult(
            caller.Memory.Map(
                address,
                size,
                kind == SimulatedPageKind.Huge2M ? MemoryKind.Huge2M : MemoryKind.Anonymous,
                MemoryProtection.Read | MemoryProtection.Write,
                populate: true,
                out _
            )
        );

    public Task<Errno> MapFileAsync(int fd, ulong address, ulong size) =>
        Task.FromResult(
            caller.Descriptors.Find(fd) is FileDescriptor file
                ? caller.Memory.MapFile(
                    address,
                    size,
                    file.File,
                    0,
                    MemoryProtection.Read | MemoryProtection.Write,
                    out _
                )
                : Errno.EBADF
        );

    public Task<Errno> UnmapAsync(ulong address, ulong size) => Task.FromResult(caller.Memory.Unmap(address, size));

    public Task<Errno> ProtectAsync(ulong address, ulong size, SimulatedProtection protection) =>
        Task.FromResult(caller.Memory.Protect(address, size, (MemoryProtection)(int)protection));

    public Task<int> CreateFileAsync(SimulatedFileKind kind, ulong size)
    {
        var file = host.Machine.CreateFile(
            kind switch
            {
                SimulatedFileKind.Memfd => MemoryFileKind.Memfd,
                SimulatedFileKind.MemfdHuge2M => MemoryFileKind.MemfdHuge2M,
                _ => MemoryFileKind.NotMemory,
            },
            size
        );
        return Task.FromResult(caller.Descriptors.Open(new FileDescriptor(file)));
    }

    public Task<int> ReopenReadOnlyAsync(int fd)
    {
        var file = (FileDescriptor)caller.Descriptors.Find(fd)!;
        file.File.Acquire();
        return Task.FromResult(caller.Descriptors.Open(new FileDescriptor(file.File)));
    }

    public Task<Errno> TruncateAsync(int fd, ulong size) =>
        Task.FromResult(caller.Descriptors.Find(fd) is FileDescriptor file ? file.File.Truncate(size) : Errno.EBADF);

    public async Task<int> OpenIommufdAsync()
    {
        var context = new OpenContext(await host.OpenAsync(caller));
        contexts[context.Door.Number] = context;
        return context.Door.Descriptor;
    }

    public async Task<IoctlResult> ExecuteAsync(int fd, IoctlCommand command)
    {
        if (caller.Descriptors.Find(fd) is not IommufdDescriptor { Number: var number })
        {
            return IoctlResult.Fail(Errno.EBADF);
        }

        if (!CommandFlows.IsImplemented(command))
        {
            throw new NotSupportedException(command.GetType().Name);
        }

        var context =
            CommandRouting.ContextOf(caller, command) is { } other && contexts.TryGetValue(other, out var found)
                ? found
                : contexts[number];
        var result = await context.Door.ExecuteAsync(caller, command);
        if (result.IsOk && command is (TestCreateAccess or FaultQueueAlloc or VeventqAlloc))
        {
            // The file that was made holds the context open.
            contexts[number].References++;
        }

        return result;
    }

    public async Task UndoAsync(int fd, IoctlCommand command, IoctlResult result)
    {
        switch (result.WriteBack)
        {
            case IoasAlloc made:
                await ExecuteAsync(fd, new Destroy { Id = made.OutIoasId });
                break;
            case HwptAlloc made:
                await ExecuteAsync(fd, new Destroy { Id = made.OutHwptId });
                break;
            case TestMockDomain made:
                await ExecuteAsync(fd, new Destroy { Id = made.OutStdevId });
                break;
            case TestMockDomainFlags made:
                await ExecuteAsync(fd, new Destroy { Id = made.OutStdevId });
                break;
            case TestCreateAccess made:
                await CloseAsync(made.OutAccessFd);
                break;
            case FaultQueueAlloc made:
                await CloseAsync(made.OutFaultFd);
                await ExecuteAsync(fd, new Destroy { Id = made.OutFaultId });
                break;
            case ViommuAlloc made:
                await ExecuteAsync(fd, new Destroy { Id = made.OutViommuId });
                break;
            case VdeviceAlloc made:
                await ExecuteAsync(fd, new Destroy { Id = made.OutVdeviceId });
                break;
            case VeventqAlloc made:
                await CloseAsync(made.OutVeventqFd);
                await ExecuteAsync(fd, new Destroy { Id = made.OutVeventqId });
                break;
            case HwQueueAlloc made:
                await ExecuteAsync(fd, new Destroy { Id = made.OutHwQueueId });
                break;
            case TestPasidAttach made:
                await ExecuteAsync(fd, new TestPasidDetach { StdevId = made.StdevId, Pasid = made.Pasid });
                break;
            case TestAccessPages made when caller.Descriptors.Find(made.AccessFd) is AccessDescriptor:
                await ExecuteAsync(
                    fd,
                    new TestDestroyAccessPages { AccessFd = made.AccessFd, AccessPagesId = made.OutAccessPagesId }
                );
                break;
            case null when command is TestDmabufGet:
                await CloseAsync((int)result.ReturnValue);
                break;
            default:
                break;
        }
    }

    public async Task<Errno> CloseAsync(int fd)
    {
        switch (caller.Descriptors.Close(fd))
        {
            case null:
                return Errno.EBADF;
            case IommufdDescriptor iommufd:
                await PutAsync(contexts[iommufd.Number]);
                break;
            case AccessDescriptor access when contexts.TryGetValue(access.Context, out var context):
                await context.Door.ExecuteAsync(caller, new DestroyAccess(access.AccessId));
                await PutAsync(context);
                break;
            case FaultDescriptor fault when contexts.TryGetValue(fault.Context, out var context):
                await context.Door.ExecuteAsync(caller, new CloseFaultQueue(fault.FaultId));
                await PutAsync(context);
                break;
            case VeventqDescriptor queue when contexts.TryGetValue(queue.Context, out var context):
                await context.Door.ExecuteAsync(caller, new CloseVeventq(queue.VeventqId));
                await PutAsync(context);
                break;
            case { } other:
                other.Release();
                break;
        }

        return Errno.OK;
    }

    private async Task PutAsync(OpenContext context)
    {
        if (--context.References == 0)
        {
            contexts.Remove(context.Door.Number);
            await context.Door.CloseAsync(caller);
        }
    }
}
