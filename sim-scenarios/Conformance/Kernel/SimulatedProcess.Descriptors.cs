using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Conformance.Kernel;

/// <summary>What a process of the conformance kernel does with descriptors other than by ioctl.</summary>
internal sealed partial class SimulatedProcess
{
    private const long PollIn = 1;
    private const long PollOut = 4;
    private const long PollInvalid = 32;

    public Task<SyscallResult> ReadAsync(int fd, ulong address, ulong count) =>
        caller.Descriptors.Find(fd) switch
        {
            FaultDescriptor fault => CallAsync(fault.Context, new ReadFaultQueue(fault.FaultId, address, count)),
            VeventqDescriptor queue => CallAsync(queue.Context, new ReadVeventq(queue.VeventqId, address, count)),
            null => Task.FromResult(SyscallResult.Fail(Errno.EBADF)),
            _ => Task.FromResult(SyscallResult.Fail(Errno.EINVAL)),
        };

    public Task<SyscallResult> WriteAsync(int fd, ulong address, ulong count) =>
        caller.Descriptors.Find(fd) switch
        {
            FaultDescriptor fault => CallAsync(fault.Context, new WriteFaultQueue(fault.FaultId, address, count)),
            null => Task.FromResult(SyscallResult.Fail(Errno.EBADF)),
            _ => Task.FromResult(SyscallResult.Fail(Errno.EINVAL)),
        };

    public async Task<SyscallResult> PollAsync(int fd, int events)
    {
        var result = caller.Descriptors.Find(fd) switch
        {
            FaultDescriptor fault => await CallAsync(fault.Context, new PollFaultQueue(fault.FaultId)),
            VeventqDescriptor queue => await CallAsync(queue.Context, new PollVeventq(queue.VeventqId)),
            null => SyscallResult.Ok(fd < 0 ? 0 : PollInvalid),
            _ => SyscallResult.Ok(PollIn | PollOut),
        };
        return result.Value == PollInvalid ? result : result with { Value = result.Value & (uint)events };
    }

    public async Task<SimulatedMmapResult> MmapAsync(
        int fd,
        ulong offset,
        ulong length,
        MmapProtection protection,
        bool shared
    )
    {
        var descriptor = caller.Descriptors.Find(fd);
        if (descriptor is null)
        {
            return new SimulatedMmapResult(Errno.EBADF, null);
        }

        if (length == 0)
        {
            return new SimulatedMmapResult(Errno.EINVAL, null);
        }

        if (descriptor is not IommufdDescriptor { Number: var number })
        {
            return new SimulatedMmapResult(Errno.ENODEV, null);
        }

        var context = contexts[number];
        var map = new MapWindow(offset, length, protection.HasFlag(MmapProtection.Execute), shared);
        var result = await context.Door.ExecuteAsync(caller, map);
        if (result.WriteBack is not MapWindow { OutWindow: { } memory })
        {
            return new SimulatedMmapResult(result.Errno, null);
        }

        context.References++;
        return new SimulatedMmapResult(
            Errno.OK,
            new Window(
                memory,
                async () =>
                {
                    await context.Door.ExecuteAsync(caller, new UnmapWindow(offset, length));
                    await PutAsync(context);
                }
            )
        );
    }

    private async Task<SyscallResult> CallAsync(int context, IoctlCommand command)
    {
        var result = await contexts[context].Door.ExecuteAsync(caller, command);
        return result.IsOk ? SyscallResult.Ok(result.ReturnValue) : SyscallResult.Fail(result.Errno);
    }

    private sealed class Window(IMmapWindow memory, Func<Task> unmap) : ISimulatedWindow
    {
        public uint Read(ulong offset) => memory.Read(offset);

        public void Write(ulong offset, uint value) => memory.Write(offset, value);

        public Task UnmapAsync() => unmap();
    }
}
