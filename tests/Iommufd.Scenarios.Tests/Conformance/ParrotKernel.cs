using System.Globalization;
using System.Text.Json;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Conformance;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>
/// A kernel that knows nothing and repeats what the trace says. It can be made to say something else, so the player's
/// own work can be tested: that inputs arrive, that each output is looked at, that generic errors come from the codec.
/// </summary>
internal sealed class ParrotKernel : ISimulatedKernel
{
    private int nextDescriptor = 3;

    /// <summary>The step being played; the player's hook sets it.</summary>
    public TraceStep? Step { get; set; }

    /// <summary>Changes an answer before it is given.</summary>
    public Func<TraceStep, IoctlResult, IoctlResult> Tamper { get; set; } = (_, result) => result;

    /// <summary>Called with every command that arrives.</summary>
    public Action<TraceStep, IoctlCommand, ISimulatedProcess> Arrives { get; init; } = (_, _, _) => { };

    /// <summary>Changes the result of a system call other than ioctl.</summary>
    public Func<TraceStep, SyscallResult, SyscallResult> TamperCall { get; init; } = (_, result) => result;

    public bool Disposed { get; private set; }

    public List<ParrotProcess> Processes { get; } = [];

    public Task<ISimulatedProcess> StartProcessAsync(SimulatedProcessOptions options) => Task.FromResult(Start());

    public ValueTask DisposeAsync()
    {
        Disposed = true;
        return ValueTask.CompletedTask;
    }

    internal ISimulatedProcess Start()
    {
        var process = new ParrotProcess(this);
        Processes.Add(process);
        return process;
    }

    internal int NewDescriptor() => nextDescriptor++;

    internal Errno Ret => Step is null ? Errno.OK : Enum.Parse<Errno>(Step.Ret);

    internal SyscallResult Answer(long value) =>
        TamperCall(Step!, Ret == Errno.OK ? SyscallResult.Ok(value) : SyscallResult.Fail(Ret));

    internal static ulong Number(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number)
        {
            return value.GetUInt64();
        }

        return ulong.Parse(value.GetString()!.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}

/// <summary>A mapping that holds what the trace reads from it.</summary>
internal sealed class ParrotWindow(ParrotKernel kernel) : ISimulatedWindow
{
    public uint Read(ulong offset) =>
        (uint)ParrotKernel.Number(kernel.Step!.Out.GetProperty(kernel.Step.Op == "MMAP" ? "word0" : "value"));

    public void Write(ulong offset, uint value) { }

    public Task UnmapAsync() => Task.CompletedTask;
}
