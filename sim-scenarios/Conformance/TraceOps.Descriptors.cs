using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using Iommufd.Messages;

namespace Iommufd.Scenarios.Conformance;

internal static partial class TraceOps
{
    private const int FaultSize = 40;
    private const int ResponseSize = 8;
    private const int EventHeaderSize = 8;
    private const uint LostEvents = 1;
    private const int PollInAndOut = 1 | 4;

    private static void AddDescriptors(Dictionary<string, TraceOp> ops)
    {
        ops.Add("FAULT_READ", (stage, step) => Read(stage, step, "faults", Faults));
        ops.Add("FAULT_WRITE", FaultWrite);
        ops.Add("FAULT_POLL", Poll);
        ops.Add("VEVENT_READ", (stage, step) => Read(stage, step, "events", Events));
        ops.Add("VEVENT_WRITE", EventWrite);
        ops.Add("VEVENT_POLL", Poll);
        ops.Add("CLOSE", Close);
        ops.Add("REOPEN", Reopen);
        ops.Add("MMAP", Mmap);
        ops.Add("MMAP_READ", (stage, step) => OnWindow(stage, step, ReadWindow));
        ops.Add("MMAP_WRITE", (stage, step) => OnWindow(stage, step, WriteWindow));
        ops.Add("MMAP_UNMAP", MmapUnmap);
    }

    private static async Task<StepAnswer> Read(
        TraceStage stage,
        TraceStep step,
        string output,
        Func<byte[], JsonArray> parse
    )
    {
        ulong address = step.In.TryGetProperty("ptr", out JsonElement pointer) ? stage.Pointer(pointer) : stage.Scratch;
        ulong count = TraceValue.ReadU64(step.In.GetProperty("count"));
        int descriptor = stage.Descriptor(step.In.GetProperty("handle"));
        SyscallResult result = await stage.Self.ReadAsync(descriptor, address, count).ConfigureAwait(false);
        StepAnswer answer = StepAnswer.Of(result);
        int length = answer.IsOk ? (int)result.Value : 0;
        answer.Out[output] = parse(length == 0 ? [] : TraceStage.Get(stage.Self, address, length));
        return answer;
    }

    private static JsonArray Faults(byte[] bytes)
    {
        var faults = new JsonArray();
        for (int at = 0; at + FaultSize <= bytes.Length; at += FaultSize)
        {
            faults.Add(
                (JsonNode)
                    new JsonObject
                    {
                        ["flags"] = Word(bytes, at),
                        ["dev_id"] = Word(bytes, at + 4),
                        ["pasid"] = Word(bytes, at + 8),
                        ["grpid"] = Word(bytes, at + 12),
                        ["perm"] = Word(bytes, at + 16),
                        ["addr"] = TraceValue.Hex(BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at + 24))),
                        ["length"] = Word(bytes, at + 32),
                        ["cookie"] = Word(bytes, at + 36),
                    }
            );
        }

        return faults;
    }

    private static JsonArray Events(byte[] bytes)
    {
        var events = new JsonArray();
        int at = 0;
        while (at + EventHeaderSize <= bytes.Length)
        {
            uint flags = Word(bytes, at);
            var record = new JsonObject { ["flags"] = flags, ["sequence"] = Word(bytes, at + 4) };
            at += EventHeaderSize;
            if ((flags & LostEvents) == 0 && at + sizeof(uint) <= bytes.Length)
            {
                record["virt_id"] = Word(bytes, at);
                at += sizeof(uint);
            }

            events.Add((JsonNode)record);
        }

        return events;
    }

    private static uint Word(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));

    private static async Task<StepAnswer> FaultWrite(TraceStage stage, TraceStep step)
    {
        JsonElement responses = step.In.GetProperty("responses");
        var bytes = new byte[HostPage.Size];
        for (int i = 0; i < responses.GetArrayLength(); i++)
        {
            Span<byte> response = bytes.AsSpan(i * ResponseSize);
            BinaryPrimitives.WriteUInt32LittleEndian(response, (uint)TraceValue.ReadU64(responses[i][0]));
            BinaryPrimitives.WriteUInt32LittleEndian(response[4..], (uint)TraceValue.ReadU64(responses[i][1]));
        }

        stage.Put(stage.Scratch, bytes);
        return await EventWrite(stage, step).ConfigureAwait(false);
    }

    private static async Task<StepAnswer> EventWrite(TraceStage stage, TraceStep step)
    {
        ulong count = TraceValue.ReadU64(step.In.GetProperty("count"));
        int descriptor = stage.Descriptor(step.In.GetProperty("handle"));
        return StepAnswer.Of(await stage.Self.WriteAsync(descriptor, stage.Scratch, count).ConfigureAwait(false));
    }

    // What the format records as return value is poll's own: the number of descriptors with an event.
    private static async Task<StepAnswer> Poll(TraceStage stage, TraceStep step)
    {
        int descriptor = stage.Descriptor(step.In.GetProperty("handle"));
        SyscallResult result = await stage.Self.PollAsync(descriptor, PollInAndOut).ConfigureAwait(false);
        StepAnswer answer = StepAnswer.Of(result with { Value = result.Value == 0 ? 0 : 1 });
        answer.Out["revents"] = result.Value;
        return answer;
    }

    private static async Task<StepAnswer> Close(TraceStage stage, TraceStep step)
    {
        JsonElement handle = step.In.GetProperty("handle");
        Errno errno = await stage.Self.CloseAsync(stage.Descriptor(handle)).ConfigureAwait(false);
        stage.ForgetHandle(handle);
        return StepAnswer.Of(errno);
    }

    private static async Task<StepAnswer> Reopen(TraceStage stage, TraceStep step)
    {
        Errno errno = await stage.Self.CloseAsync(stage.Iommufd).ConfigureAwait(false);
        await stage.OpenIommufdAsync().ConfigureAwait(false);
        return StepAnswer.Of(errno);
    }

    private static async Task<StepAnswer> Mmap(TraceStage stage, TraceStep step)
    {
        ulong offset = TraceValue.ReadU64(step.In.GetProperty("offset"));
        if ((offset & HostPage.OffsetMask) != 0)
        {
            return StepAnswer.Of(Errno.EINVAL);
        }

        ulong length = TraceValue.ReadU64(step.In.GetProperty("length"));
        MmapProtection protection = step.In.GetProperty("prot").GetString() switch
        {
            "r" => MmapProtection.Read,
            "rw" => MmapProtection.Read | MmapProtection.Write,
            "rx" => MmapProtection.Read | MmapProtection.Execute,
            string other => throw new FormatException($"protection '{other}' is not known"),
            null => throw new FormatException("a protection is missing"),
        };
        SimulatedMmapResult result = await stage
            .Self.MmapAsync(
                stage.Descriptor(step.In.GetProperty("fd")),
                offset,
                (length + HostPage.OffsetMask) & ~HostPage.OffsetMask,
                protection,
                TraceValue.ReadU64(step.In.GetProperty("shared")) == 1
            )
            .ConfigureAwait(false);
        StepAnswer answer = StepAnswer.Of(result.Errno);
        if (step.Ret == "OK")
        {
            stage.Windows.Add(result.Window);
            NoteHandle(stage, step, answer, "mmap", -1);
        }

        if (result.Window is not null)
        {
            answer.Out["word0"] = result.Window.Read(0);
        }

        return answer;
    }

    private static Task<StepAnswer> OnWindow(
        TraceStage stage,
        TraceStep step,
        Action<ISimulatedWindow, TraceStep, StepAnswer> use
    )
    {
        StepAnswer answer = StepAnswer.Of(Errno.OK);
        use(Window(stage, step), step, answer);
        return Task.FromResult(answer);
    }

    private static void ReadWindow(ISimulatedWindow window, TraceStep step, StepAnswer answer) =>
        answer.Out["value"] = window.Read(TraceValue.ReadU64(step.In.GetProperty("off")));

    private static void WriteWindow(ISimulatedWindow window, TraceStep step, StepAnswer answer) =>
        window.Write(
            TraceValue.ReadU64(step.In.GetProperty("off")),
            (uint)TraceValue.ReadU64(step.In.GetProperty("value"))
        );

    private static async Task<StepAnswer> MmapUnmap(TraceStage stage, TraceStep step)
    {
        await Window(stage, step).UnmapAsync().ConfigureAwait(false);
        return StepAnswer.Of(Errno.OK);
    }

    private static ISimulatedWindow Window(TraceStage stage, TraceStep step)
    {
        int number = step.In.GetProperty("handle").GetProperty("mmap").GetInt32();
        return stage.Windows[number] ?? throw new TraceStageException($"mapping {number} was not made");
    }
}
