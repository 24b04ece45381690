using System.Buffers.Binary;
using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Conformance;

internal static partial class TraceOps
{
    private const int InfoLargestShown = 256;
    private const int RawShown = 32;

    private static void AddVfio(Dictionary<string, TraceOp> ops)
    {
        ops.Add("VFIO_GET_API_VERSION", ByNumber(IoctlTable.Of<VfioGetApiVersion>(), null));
        ops.Add("VFIO_CHECK_EXTENSION", ByNumber(IoctlTable.Of<VfioCheckExtension>(), "ext"));
        ops.Add("VFIO_SET_IOMMU", ByNumber(IoctlTable.Of<VfioSetIommu>(), "type"));
        ops.Add("VFIO_IOMMU_GET_INFO", VfioInfo);
        ops.Add("VFIO_IOMMU_MAP_DMA", Plain(IoctlTable.Of<VfioIommuMapDma>()));
        ops.Add("VFIO_IOMMU_UNMAP_DMA", Plain(IoctlTable.Of<VfioIommuUnmapDma>()));
        ops.Add("RAW_IOCTL", RawIoctl);
    }

    private static TraceOp ByNumber(IoctlDeclaration declaration, string? input) =>
        async (stage, step) =>
        {
            ulong argument = input is null ? 0 : TraceValue.ReadU64(step.In.GetProperty(input));
            IoctlResult result = await IoctlArena
                .CallAsync(stage, stage.Self, declaration.CommandWord, argument)
                .ConfigureAwait(false);
            return StepAnswer.WithValue(result);
        };

    private static async Task<StepAnswer> VfioInfo(TraceStage stage, TraceStep step)
    {
        var arena = new IoctlArena(stage, step, IoctlTable.Of<VfioIommuGetInfo>());
        ulong given = arena.In("argsz");
        arena.Set("argsz", given);
        IoctlResult result = await arena.CallAsync(arena.Declaration.CommandWord).ConfigureAwait(false);
        StepAnswer answer = Observed(arena, StepAnswer.Of(result));
        int shown = (int)Math.Min(InfoLargestShown, Math.Max(given, arena.Get("argsz")));
        answer.Out["raw"] = TraceValue.HexString(arena.First(shown));
        return answer;
    }

    private static async Task<StepAnswer> RawIoctl(TraceStage stage, TraceStep step)
    {
        var bytes = new byte[stage.Header.ArenaSize];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)TraceValue.ReadU64(step.In.GetProperty("size")));
        stage.Put(TraceStage.ArenaAddress, bytes);
        uint commandWord = (uint)TraceValue.ReadU64(step.In.GetProperty("cmd"));
        IoctlResult result = await IoctlArena
            .CallAsync(stage, stage.Self, commandWord, TraceStage.ArenaAddress)
            .ConfigureAwait(false);
        StepAnswer answer = StepAnswer.WithValue(result);
        answer.Out["arena"] = TraceValue.HexString(TraceStage.Get(stage.Self, TraceStage.ArenaAddress, RawShown));
        return answer;
    }
}
