using System.Text.Json;

namespace Iommufd.Scenarios.Conformance;

/// <summary>
/// One recorded sequence of calls with a real kernel's answers; tests/conformance/traces/FORMAT.md describes it.
/// </summary>
/// <param name="Header">The process that made the calls.</param>
/// <param name="Steps">The calls, in order.</param>
public sealed record Trace(TraceHeader Header, IReadOnlyList<TraceStep> Steps)
{
    /// <summary>The trace's name.</summary>
    public string Name => Header.Name;
}

/// <summary>The process of a trace, before its first step.</summary>
/// <param name="Name">The trace's name.</param>
/// <param name="CapIpcLock">It has CAP_IPC_LOCK.</param>
/// <param name="MemlockLimit">RLIMIT_MEMLOCK in bytes.</param>
/// <param name="ArenaSize">Bytes of the arena that ioctl structs are placed in.</param>
/// <param name="ScratchBuffer">The buffer that payloads are placed in.</param>
/// <param name="Buffers">Its anonymous memory.</param>
/// <param name="Files">Its files.</param>
public sealed record TraceHeader(
    string Name,
    bool CapIpcLock,
    ulong MemlockLimit,
    int ArenaSize,
    int ScratchBuffer,
    IReadOnlyList<TraceMemory> Buffers,
    IReadOnlyList<TraceMemory> Files
);

/// <summary>A buffer or a file of a trace's process.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Address">Where it is mapped; 0 for a file that is not.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Kind">What it is made of, by the format's name.</param>
/// <param name="Fill">What is in it: <c>pat</c>, <c>zero</c> or <c>none</c>.</param>
/// <param name="Protection"><c>rw</c>, <c>r</c> or <c>none</c>; files are always <c>rw</c>.</param>
public sealed record TraceMemory(int Id, ulong Address, ulong Size, string Kind, string Fill, string Protection);

/// <summary>One call and the kernel's answer.</summary>
/// <param name="Index">Its number in the trace.</param>
/// <param name="Op">What was called.</param>
/// <param name="In">Its inputs.</param>
/// <param name="Ret"><c>OK</c> or the name of the errno.</param>
/// <param name="ReturnValue">The return value, where the format records it.</param>
/// <param name="Out">What the caller saw afterwards.</param>
public sealed record TraceStep(int Index, string Op, JsonElement In, string Ret, long? ReturnValue, JsonElement Out);

/// <summary>A trace file that does not follow the format.</summary>
public sealed class TraceFormatException : Exception
{
    /// <summary>Says what is wrong, and where.</summary>
    /// <param name="path">The file.</param>
    /// <param name="line">The line, from 1.</param>
    /// <param name="column">The column, from 1.</param>
    /// <param name="problem">What is wrong.</param>
    public TraceFormatException(string path, int line, int column, string problem)
        : base($"{path}:{line}:{column}: error: {problem}")
    {
        Path = path;
        Line = line;
        Column = column;
        Problem = problem;
    }

    /// <summary>What is wrong, without the place.</summary>
    public string Problem { get; }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The line, from 1.</summary>
    public int Line { get; }

    /// <summary>The column, from 1.</summary>
    public int Column { get; }
}
