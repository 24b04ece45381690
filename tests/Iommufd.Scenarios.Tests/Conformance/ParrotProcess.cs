using System.Buffers.Binary;
using System.Text.Json;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Conformance;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>A process of a <see cref="ParrotKernel"/>: its memory is real, everything else is the trace's.</summary>
internal sealed class ParrotProcess(ParrotKernel kernel) : ISimulatedProcess
{
    private readonly PagedMemory memory = new();

    public IUserMemory Memory => memory;

    public bool Exited { get; private set; }

    public List<int> Closed { get; } = [];

    public Task<ISimulatedProcess> StartChildAsync() => Task.FromResult(kernel.Start());

    public Task ExitAsync()
    {
        Exited = true;
        return Task.CompletedTask;
    }

    public Task<ProcessVmCounters> ReadVmCountersAsync()
    {
        JsonElement output = kernel.Step!.Out;
        return Task.FromResult(
            new ProcessVmCounters(
                output.GetProperty("vm_pin_kb").GetInt64(),
                output.GetProperty("vm_lck_kb").GetInt64()
            )
        );
    }

    public Task<Errno> MapAnonymousAsync(ulong address, ulong size, SimulatedPageKind kind)
    {
        memory.Map(address, size);
        return Task.FromResult(Errno.OK);
    }

    public Task<Errno> MapFileAsync(int fd, ulong address, ulong size)
    {
        memory.Map(address, size);
        return Task.FromResult(Errno.OK);
    }

    public Task<Errno> UnmapAsync(ulong address, ulong size)
    {
        memory.Unmap(address, size);
        return Task.FromResult(kernel.Ret);
    }

    public Task<Errno> ProtectAsync(ulong address, ulong size, SimulatedProtection protection)
    {
        memory.MakeReadOnly(address, size);
        return Task.FromResult(kernel.Ret);
    }

    public Task<int> CreateFileAsync(SimulatedFileKind kind, ulong size) => Task.FromResult(kernel.NewDescriptor());

    public Task<int> ReopenReadOnlyAsync(int fd) => Task.FromResult(kernel.NewDescriptor());

    public Task<Errno> TruncateAsync(int fd, ulong size) => Task.FromResult(kernel.Ret);

    public Task<int> OpenIommufdAsync() => Task.FromResult(kernel.NewDescriptor());

    public Task<IoctlResult> ExecuteAsync(int fd, IoctlCommand command)
    {
        kernel.Arrives(kernel.Step!, command, this);
        return Task.FromResult(kernel.Tamper(kernel.Step!, ParrotAnswer.To(kernel, memory, command)));
    }

    public Task UndoAsync(int fd, IoctlCommand command, IoctlResult result) => Task.CompletedTask;

    public Task<SyscallResult> ReadAsync(int fd, ulong address, ulong count)
    {
        JsonElement output = kernel.Step!.Out;
        byte[] bytes = output.TryGetProperty("faults", out JsonElement faults)
            ? [.. faults.EnumerateArray().SelectMany(Fault)]
            : [.. output.GetProperty("events").EnumerateArray().SelectMany(Event)];
        if (bytes.Length > 0)
        {
            memory.TryWrite(address, bytes);
        }

        return Task.FromResult(kernel.Answer(bytes.Length));
    }

    public Task<SyscallResult> WriteAsync(int fd, ulong address, ulong count) =>
        Task.FromResult(kernel.Answer(kernel.Step!.ReturnValue ?? 0));

    public Task<SyscallResult> PollAsync(int fd, int events) =>
        Task.FromResult(kernel.Answer(kernel.Step!.Out.GetProperty("revents").GetInt64()));

    public Task<Errno> CloseAsync(int fd)
    {
        Closed.Add(fd);
        return Task.FromResult(kernel.Ret);
    }

    public Task<SimulatedMmapResult> MmapAsync(
        int fd,
        ulong offset,
        ulong length,
        MmapProtection protection,
        bool shared
    ) => Task.FromResult(new SimulatedMmapResult(kernel.Ret, kernel.Ret == Errno.OK ? new ParrotWindow(kernel) : null));

    private static byte[] Fault(JsonElement fault)
    {
        var bytes = new byte[40];
        string[] words = ["flags", "dev_id", "pasid", "grpid", "perm"];
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * 4), fault.GetProperty(words[i]).GetUInt32());
        }

        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), ParrotKernel.Number(fault.GetProperty("addr")));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(32), fault.GetProperty("length").GetUInt32());
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(36), fault.GetProperty("cookie").GetUInt32());
        return bytes;
    }

    private static byte[] Event(JsonElement record)
    {
        bool data = record.TryGetProperty("virt_id", out JsonElement virtId);
        var bytes = new byte[data ? 12 : 8];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, record.GetProperty("flags").GetUInt32());
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), record.GetProperty("sequence").GetUInt32());
        if (data)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), virtId.GetUInt32());
        }

        return bytes;
    }
}
