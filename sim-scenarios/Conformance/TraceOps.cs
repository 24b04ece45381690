using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Conformance;

/// <summary>Plays one kind of step and says what the client saw.</summary>
internal delegate Task<StepAnswer> TraceOp(TraceStage stage, TraceStep step);

/// <summary>
/// Every operation of the trace format, by name. The parts: iommufd's commands with payloads (<c>.Iommufd</c>), the
/// selftest's operations (<c>.Test</c>), VFIO and raw ioctls (<c>.Vfio</c>), reads, writes and mappings of descriptors
/// (<c>.Descriptors</c>), the process's own memory (<c>.Memory</c>). A command that is nothing but its struct needs no
/// code: its inputs and outputs have the names of the members.
/// </summary>
internal static partial class TraceOps
{
    private static readonly string[] PlainCommands =
    [
        "IOAS_ALLOC",
        "IOAS_MAP",
        "IOAS_MAP_FILE",
        "IOAS_UNMAP",
        "IOAS_COPY",
        "OPTION",
        "VFIO_IOAS",
        "DESTROY",
        "HWPT_SET_DIRTY_TRACKING",
        "VDEVICE_ALLOC",
        "HW_QUEUE_ALLOC",
    ];

    private static readonly FrozenDictionary<string, TraceOp> ByName = Collect()
        .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The names of all operations that can be played.</summary>
    public static IEnumerable<string> Names => ByName.Keys;

    /// <summary>Finds an operation; null for a name that is not in the format.</summary>
    public static TraceOp? Find(string name) => ByName.GetValueOrDefault(name);

    private static Dictionary<string, TraceOp> Collect()
    {
        var ops = new Dictionary<string, TraceOp>(StringComparer.Ordinal);
        foreach (string name in PlainCommands)
        {
            ops.Add(name, Plain(IoctlTable.All.Single(d => d.Name == $"IOMMU_{name}")));
        }

        AddIommufd(ops);
        AddTest(ops);
        AddVfio(ops);
        AddDescriptors(ops);
        AddMemory(ops);
        return ops;
    }

    private static TraceOp Plain(IoctlDeclaration declaration, Action<IoctlArena>? prepare = null) =>
        async (stage, step) =>
        {
            var arena = new IoctlArena(stage, step, declaration);
            prepare?.Invoke(arena);
            IoctlResult result = await arena.CallAsync(declaration.CommandWord).ConfigureAwait(false);
            return Observed(arena, StepAnswer.Of(result));
        };

    private static StepAnswer Observed(IoctlArena arena, StepAnswer answer)
    {
        arena.Observe(answer.Out);
        return answer;
    }

    // A handle counts where the kernel made one, so that the numbers in later steps stay right after a disagreement.
    private static void NoteHandle(IoctlArena arena, StepAnswer answer, string kind, int descriptor) =>
        NoteHandle(arena.Stage, arena.Step, answer, kind, descriptor);

    private static void NoteHandle(TraceStage stage, TraceStep step, StepAnswer answer, string kind, int descriptor)
    {
        if (step.Ret == "OK")
        {
            int number = stage.AddHandle(kind, answer.IsOk ? descriptor : -1);
            if (answer.IsOk)
            {
                answer.Out["handle"] = new JsonObject { [kind] = number };
            }
        }
    }
}
