using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using Iommufd.Messages;
using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Conformance;

/// <summary>
/// The argument struct of one step: laid out from the step's inputs, put into the client's arena, read back after the
/// call. Members are found by their uAPI names in the table of ioctls.
/// </summary>
internal sealed class IoctlArena
{
    private const int TestReservedOffset = 12;
    private static readonly string[] Common = ["size", "tail", "reserved", "arg", "proc"];
    private readonly byte[] bytes;
    private readonly HashSet<string> understood = new(StringComparer.Ordinal);

    public IoctlArena(TraceStage stage, TraceStep step, IoctlDeclaration declaration)
    {
        Stage = stage;
        Step = step;
        Declaration = declaration;
        bytes = new byte[stage.Header.ArenaSize];
        Process =
            step.In.TryGetProperty("proc", out JsonElement proc) && proc.ValueEquals("child")
                ? stage.Child
                : stage.Self;
        if (declaration.TestOp is { } op)
        {
            Set("op", op);
        }
    }

    public TraceStage Stage { get; }

    public TraceStep Step { get; }

    public IoctlDeclaration Declaration { get; }

    /// <summary>The process that calls.</summary>
    public ISimulatedProcess Process { get; }

    /// <summary>Whether the step has an input.</summary>
    public bool Has(string key) => Step.In.TryGetProperty(key, out _);

    /// <summary>An input, resolved to a number.</summary>
    public ulong In(string key)
    {
        understood.Add(key);
        return Stage.Resolve(Step.In.GetProperty(key));
    }

    /// <summary>An input as it stands.</summary>
    public JsonElement Raw(string key)
    {
        understood.Add(key);
        return Step.In.GetProperty(key);
    }

    /// <summary>Sets a member.</summary>
    public void Set(string member, ulong value) => Field(member).Store(bytes, value);

    /// <summary>Sets the member at an offset: two members of a selftest operation may have one name.</summary>
    public void SetAt(int offset, ulong value) =>
        Declaration.Fields.Single(f => f.Offset == offset).Store(bytes, value);

    /// <summary>A member, before the call as it was put, after it as the client sees it.</summary>
    public ulong Get(string member) => Field(member).Load(bytes);

    /// <summary>The first bytes of the arena.</summary>
    public ReadOnlySpan<byte> First(int count) => bytes.AsSpan(0, count);

    /// <summary>
    /// Puts the struct together and calls. Inputs that have a member's name go there; those that have not must have
    /// been read by the step's own preparation.
    /// </summary>
    public async Task<IoctlResult> CallAsync(uint commandWord)
    {
        bool sized = Declaration.Argument == IoctlArgument.SizedStruct;
        foreach (JsonProperty input in Step.In.EnumerateObject())
        {
            Place(input, sized);
        }

        if (sized)
        {
            PlaceSize();
        }

        TraceStage.Put(Process, TraceStage.ArenaAddress, bytes);
        ulong argument = sized ? Argument() : TraceStage.ArenaAddress;
        IoctlResult result = await CallAsync(Stage, Process, commandWord, argument).ConfigureAwait(false);
        if (!Process.Memory.TryRead(TraceStage.ArenaAddress, bytes))
        {
            throw new TraceStageException("the arena cannot be read");
        }

        return result;
    }

    /// <summary>One ioctl on the trace's iommufd, through the door that every client goes through.</summary>
    public static Task<IoctlResult> CallAsync(
        TraceStage stage,
        ISimulatedProcess process,
        uint commandWord,
        ulong argument
    ) => IoctlDoor.CallAsync(process.Memory, new ProcessExecutor(process, stage.Iommufd), commandWord, argument);

    /// <summary>What the client sees of every member that the step's answer names.</summary>
    public void Observe(JsonObject output)
    {
        foreach (JsonProperty expected in Step.Out.EnumerateObject())
        {
            if (Declaration.Fields.FirstOrDefault(f => expected.NameEquals(f.Name)) is { } field)
            {
                ulong value = field.Load(bytes);
                output[expected.Name] = field.Width == sizeof(ulong) ? TraceValue.Hex(value) : JsonValue.Create(value);
            }
        }
    }

    private StructField Field(string member) => Declaration.Fields.First(f => f.Name == member);

    private void Place(JsonProperty input, bool sized)
    {
        if (understood.Contains(input.Name) || (sized && Array.IndexOf(Common, input.Name) >= 0))
        {
            return;
        }

        StructField field =
            Declaration.Fields.FirstOrDefault(f => input.NameEquals(f.Name))
            ?? throw new FormatException($"input '{input.Name}' of {Step.Op} is not understood");
        field.Store(bytes, Stage.Resolve(input.Value));
    }

    private void PlaceSize()
    {
        if (Step.In.TryGetProperty("reserved", out JsonElement reserved))
        {
            PlaceReserved(TraceValue.ReadU64(reserved));
        }

        uint size = (uint)Declaration.StructSize;
        if (Step.In.TryGetProperty("size", out JsonElement given))
        {
            size = (uint)TraceValue.ReadU64(given);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes, size);
        bool nonZero = Step.In.TryGetProperty("tail", out JsonElement tail) && tail.ValueEquals("nonzero");
        if (nonZero && size > (uint)Declaration.StructSize && size <= (uint)bytes.Length)
        {
            bytes[size - 1] = 0xaa;
        }
    }

    // GET_HW_INFO has three reserved bytes of which a trace sets the first.
    private void PlaceReserved(ulong value)
    {
        if (Declaration.TestOp is not null || Declaration.CommandType == typeof(TestUnknownOp))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(TestReservedOffset), (uint)value);
            return;
        }

        Set("__reserved", Declaration.CommandType == typeof(GetHwInfo) ? (byte)value : value);
    }

    private ulong Argument()
    {
        if (!Step.In.TryGetProperty("arg", out JsonElement arg))
        {
            return TraceStage.ArenaAddress;
        }

        return arg.ValueEquals("null") ? 0 : Stage.Unmapped;
    }

    private sealed class ProcessExecutor(ISimulatedProcess process, int descriptor) : IIoctlExecutor
    {
        public Task<IoctlResult> ExecuteAsync(IoctlCommand command) => process.ExecuteAsync(descriptor, command);

        public Task UndoAsync(IoctlCommand command, IoctlResult result) =>
            process.UndoAsync(descriptor, command, result);
    }
}
