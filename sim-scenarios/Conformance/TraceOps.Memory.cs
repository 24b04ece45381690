using System.Text.Json;
using Iommufd.Messages;

namespace Iommufd.Scenarios.Conformance;

internal static partial class TraceOps
{
    private static void AddMemory(Dictionary<string, TraceOp> ops)
    {
        ops.Add("PROC_VM", ProcVm);
        ops.Add("CHILD_EXIT", ChildExit);
        ops.Add("FILE_TRUNCATE", FileTruncate);
        ops.Add("MEM_FILL", MemFill);
        ops.Add("MEM_HASH", MemHash);
        ops.Add("MEM_UNMAP", MemUnmap);
        ops.Add("MEM_PROTECT", MemProtect);
    }

    private static async Task<StepAnswer> ProcVm(TraceStage stage, TraceStep step)
    {
        StepAnswer answer = StepAnswer.Of(Errno.OK);
        bool child = step.In.GetProperty("proc").ValueEquals("child");
        await AddVmCountersAsync(child ? stage.Child : stage.Self, answer).ConfigureAwait(false);
        return answer;
    }

    private static async Task AddVmCountersAsync(ISimulatedProcess process, StepAnswer answer)
    {
        ProcessVmCounters counters = await process.ReadVmCountersAsync().ConfigureAwait(false);
        answer.Out["vm_pin_kb"] = counters.VmPinKb;
        answer.Out["vm_lck_kb"] = counters.VmLckKb;
    }

    private static async Task<StepAnswer> ChildExit(TraceStage stage, TraceStep step)
    {
        await stage.Child.ExitAsync().ConfigureAwait(false);
        return StepAnswer.Of(Errno.OK);
    }

    private static async Task<StepAnswer> FileTruncate(TraceStage stage, TraceStep step)
    {
        int descriptor = stage.Descriptor(step.In.GetProperty("file"));
        ulong size = TraceValue.ReadU64(step.In.GetProperty("size"));
        return StepAnswer.Of(await stage.Self.TruncateAsync(descriptor, size).ConfigureAwait(false));
    }

    private static Task<StepAnswer> MemFill(TraceStage stage, TraceStep step)
    {
        ulong seed = TraceValue.ReadU64(step.In.GetProperty("seed"));
        stage.Put(Address(stage, step), TraceValue.StepPattern(seed, (int)Length(step)));
        return Task.FromResult(StepAnswer.Of(Errno.OK));
    }

    private static Task<StepAnswer> MemHash(TraceStage stage, TraceStep step)
    {
        StepAnswer answer = StepAnswer.Of(Errno.OK);
        TraceValue.AddData(answer.Out, TraceStage.Get(stage.Self, Address(stage, step), (int)Length(step)));
        return Task.FromResult(answer);
    }

    private static async Task<StepAnswer> MemUnmap(TraceStage stage, TraceStep step) =>
        StepAnswer.Of(await stage.Self.UnmapAsync(Address(stage, step), Length(step)).ConfigureAwait(false));

    private static async Task<StepAnswer> MemProtect(TraceStage stage, TraceStep step)
    {
        SimulatedProtection protection = step.In.GetProperty("prot").GetString() switch
        {
            "none" => SimulatedProtection.None,
            "r" => SimulatedProtection.Read,
            "rw" => SimulatedProtection.Read | SimulatedProtection.Write,
            string other => throw new FormatException($"protection '{other}' is not known"),
            null => throw new FormatException("a protection is missing"),
        };
        Errno errno = await stage
            .Self.ProtectAsync(Address(stage, step), Length(step), protection)
            .ConfigureAwait(false);
        return StepAnswer.Of(errno);
    }

    private static ulong Address(TraceStage stage, TraceStep step)
    {
        JsonElement pointer = step.In.GetProperty("ptr");
        return stage.Pointer(pointer);
    }

    private static ulong Length(TraceStep step) => TraceValue.ReadU64(step.In.GetProperty("length"));
}
