using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using Iommufd.Messages;
using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Conformance;

internal static partial class TraceOps
{
    private const int RangeSize = 16;
    private const int PayloadSize = 0x4000;
    private const int ListedPayload = 64;
    private const int HwInfoShown = 24;
    private const int BitmapMargin = 8;
    private const int BitmapLargest = 0x1000;
    private const int BitmapInHex = 512;
    private const int UnmappedBuffer = 3;

    private static void AddIommufd(Dictionary<string, TraceOp> ops)
    {
        ops.Add("IOAS_ALLOW_IOVAS", Plain(IoctlTable.Of<IoasAllowIovas>(), PutRanges));
        ops.Add("IOAS_IOVA_RANGES", IovaRanges);
        ops.Add("IOAS_CHANGE_PROCESS", ChangeProcess);
        ops.Add("HWPT_ALLOC", Plain(IoctlTable.Of<HwptAlloc>(), PutUserData));
        ops.Add("GET_HW_INFO", HwInfo);
        ops.Add("HWPT_GET_DIRTY_BITMAP", DirtyBitmap);
        ops.Add("HWPT_INVALIDATE", Plain(IoctlTable.Of<HwptInvalidate>(), PutInvalidations));
        ops.Add("FAULT_QUEUE_ALLOC", MakesDescriptor(IoctlTable.Of<FaultQueueAlloc>(), "out_fault_fd", "fault"));
        ops.Add("VEVENTQ_ALLOC", MakesDescriptor(IoctlTable.Of<VeventqAlloc>(), "out_veventq_fd", "veventq"));
        ops.Add("VIOMMU_ALLOC", ViommuAlloc);
    }

    private static TraceOp MakesDescriptor(IoctlDeclaration declaration, string member, string kind) =>
        async (stage, step) =>
        {
            var arena = new IoctlArena(stage, step, declaration);
            IoctlResult result = await arena.CallAsync(declaration.CommandWord).ConfigureAwait(false);
            StepAnswer answer = Observed(arena, StepAnswer.Of(result));
            NoteHandle(arena, answer, kind, (int)(uint)arena.Get(member));
            return answer;
        };

    private static void PutRanges(IoctlArena arena)
    {
        if (!arena.Has("ranges"))
        {
            return;
        }

        JsonElement ranges = arena.Raw("ranges");
        var bytes = new byte[ranges.GetArrayLength() * RangeSize];
        for (int i = 0; i < ranges.GetArrayLength(); i++)
        {
            Span<byte> range = bytes.AsSpan(i * RangeSize, RangeSize);
            BinaryPrimitives.WriteUInt64LittleEndian(range, TraceValue.ReadU64(ranges[i][0]));
            BinaryPrimitives.WriteUInt64LittleEndian(range[8..], TraceValue.ReadU64(ranges[i][1]));
        }

        arena.Stage.Put(arena.Stage.Scratch, bytes);
        arena.Set("allowed_iovas", arena.Stage.Scratch);
    }

    private static async Task<StepAnswer> IovaRanges(TraceStage stage, TraceStep step)
    {
        var arena = new IoctlArena(stage, step, IoctlTable.Of<IoasIovaRanges>());
        uint capacity = (uint)arena.In("num_iovas");
        arena.Set("num_iovas", capacity);
        bool inScratch = !arena.Has("allowed_iovas");
        if (inScratch)
        {
            stage.Put(stage.Scratch, new byte[PayloadSize]);
            arena.Set("allowed_iovas", stage.Scratch);
        }

        IoctlResult result = await arena.CallAsync(arena.Declaration.CommandWord).ConfigureAwait(false);
        StepAnswer answer = Observed(arena, StepAnswer.Of(result));
        var ranges = new JsonArray();
        answer.Out["ranges"] = ranges;
        if (inScratch && result.Errno is Errno.OK or Errno.EMSGSIZE)
        {
            int count = (int)Math.Min(capacity, Math.Min((uint)arena.Get("num_iovas"), PayloadSize / RangeSize));
            byte[] bytes = TraceStage.Get(stage.Self, stage.Scratch, count * RangeSize);
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> range = bytes.AsSpan(i * RangeSize, RangeSize);
                ulong first = BinaryPrimitives.ReadUInt64LittleEndian(range);
                ulong last = BinaryPrimitives.ReadUInt64LittleEndian(range[8..]);
                ranges.Add((JsonNode)new JsonArray(TraceValue.Hex(first), TraceValue.Hex(last)));
            }
        }

        return answer;
    }

    private static async Task<StepAnswer> ChangeProcess(TraceStage stage, TraceStep step)
    {
        var arena = new IoctlArena(stage, step, IoctlTable.Of<IoasChangeProcess>());
        IoctlResult result = await arena.CallAsync(arena.Declaration.CommandWord).ConfigureAwait(false);
        StepAnswer answer = StepAnswer.Of(result);
        await AddVmCountersAsync(arena.Process, answer).ConfigureAwait(false);
        return answer;
    }

    // Payload of a driver: its first bytes as listed, the rest zero; or a pointer of the step's own; or none.
    private static void PutUserData(IoctlArena arena)
    {
        if (!arena.Has("data"))
        {
            return;
        }

        byte[] listed = Convert.FromHexString(arena.Raw("data").GetString()!);
        var payload = new byte[
            Math.Max(ListedPayload, Math.Min(PayloadSize, (int)Math.Min(arena.In("data_len"), PayloadSize)))
        ];
        listed.CopyTo(payload, 0);
        arena.Stage.Put(arena.Stage.Scratch, payload);
        arena.Set("data_len", arena.In("data_len"));
        arena.Set("data_uptr", arena.Stage.Scratch);
    }

    private static async Task<StepAnswer> ViommuAlloc(TraceStage stage, TraceStep step)
    {
        var arena = new IoctlArena(stage, step, IoctlTable.Of<ViommuAlloc>());
        PutUserData(arena);
        IoctlResult result = await arena.CallAsync(arena.Declaration.CommandWord).ConfigureAwait(false);
        StepAnswer answer = Observed(arena, StepAnswer.Of(result));
        if (arena.Has("data"))
        {
            int shown = (int)Math.Min(ListedPayload, arena.In("data_len"));
            answer.Out["data"] = TraceValue.HexString(TraceStage.Get(stage.Self, stage.Scratch, shown));
        }

        return answer;
    }

    private static async Task<StepAnswer> HwInfo(TraceStage stage, TraceStep step)
    {
        var arena = new IoctlArena(stage, step, IoctlTable.Of<GetHwInfo>());
        arena.Set("out_data_type", arena.In("in_data_type"));
        var prefill = new byte[HostPage.Size];
        Array.Fill(prefill, (byte)0xee);
        stage.Put(stage.Scratch, prefill);
        if (!arena.Has("data_uptr"))
        {
            arena.Set("data_uptr", stage.Scratch);
        }

        IoctlResult result = await arena.CallAsync(arena.Declaration.CommandWord).ConfigureAwait(false);
        StepAnswer answer = Observed(arena, StepAnswer.Of(result));
        answer.Out["data"] = TraceValue.HexString(TraceStage.Get(stage.Self, stage.Scratch, HwInfoShown));
        return answer;
    }

    private static async Task<StepAnswer> DirtyBitmap(TraceStage stage, TraceStep step)
    {
        var arena = new IoctlArena(stage, step, IoctlTable.Of<HwptGetDirtyBitmap>());
        var prefill = new byte[PayloadSize];
        Array.Fill(prefill, (byte)arena.In("prefill"));
        stage.Put(stage.Scratch, prefill);
        IoctlResult result = await arena.CallAsync(arena.Declaration.CommandWord).ConfigureAwait(false);
        StepAnswer answer = Observed(arena, StepAnswer.Of(result));
        JsonElement data = arena.Raw("data");
        if (data.TryGetProperty("buf", out JsonElement buffer) && buffer.GetInt32() == UnmappedBuffer)
        {
            return answer;
        }

        ulong pageSize = arena.In("page_size");
        ulong pages = pageSize == 0 ? 0 : arena.In("length") / pageSize;
        int length = (int)Math.Min(BitmapLargest, (pages / 8) + (pages % 8 == 0 ? 0u : 1u)) + BitmapMargin;
        byte[] bitmap = TraceStage.Get(stage.Self, stage.Pointer(data), length);
        if (length <= BitmapInHex)
        {
            answer.Out["bitmap"] = TraceValue.HexString(bitmap);
        }
        else
        {
            answer.Out["bitmap_len"] = TraceValue.Hex((ulong)length);
            answer.Out["bitmap_fnv1a64"] = TraceValue.Hex(TraceValue.Fnv1a64(bitmap));
        }

        return answer;
    }

    private static void PutInvalidations(IoctlArena arena)
    {
        ulong entryLength = arena.In("entry_len");
        ulong entries = arena.In("entry_num");
        arena.Set("entry_len", entryLength);
        arena.Set("entry_num", entries);
        var payload = new byte[PayloadSize];
        bool fits = entryLength * entries < PayloadSize;
        if (arena.Has("entries"))
        {
            JsonElement listed = arena.Raw("entries");
            if (fits && entryLength >= 8)
            {
                PutEntries(payload, listed, (int)entryLength, 8);
            }
        }

        if (arena.Has("ventries"))
        {
            JsonElement listed = arena.Raw("ventries");
            if (fits)
            {
                PutEntries(payload, listed, (int)entryLength, 12);
            }
        }

        if (arena.Has("tail_nonzero") && arena.In("tail_nonzero") == 1 && fits && entryLength > 12)
        {
            payload[entryLength - 1] = 0xaa;
        }

        arena.Stage.Put(arena.Stage.Scratch, payload);
        if (!arena.Has("data_uptr"))
        {
            arena.Set("data_uptr", arena.Stage.Scratch);
        }
    }

    private static void PutEntries(byte[] payload, JsonElement entries, int stride, int width)
    {
        Span<byte> entry = stackalloc byte[width];
        for (int i = 0; i < entries.GetArrayLength(); i++)
        {
            for (int word = 0; word < width / sizeof(uint); word++)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(
                    entry[(word * sizeof(uint))..],
                    (uint)TraceValue.ReadU64(entries[i][word])
                );
            }

            entry[..Math.Min(width, stride)].CopyTo(payload.AsSpan(i * stride));
        }
    }
}
