using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Conformance;

internal static partial class TraceOps
{
    private const int IdOffset = 8;
    private const int UnionOffset = 16;
    private const int LargestRw = 0x10000;

    // Operations whose inputs are members by name, beside an id.
    private static string[] TestById =>
        [
            "ADD_RESERVED",
            "MD_CHECK_MAP",
            "MD_CHECK_REFS",
            "SET_TEMP_MEMORY_LIMIT",
            "MOCK_DOMAIN_REPLACE",
            "TRIGGER_IOPF",
            "TRIGGER_VEVENT",
            "PASID_ATTACH",
            "PASID_REPLACE",
            "PASID_DETACH",
            "PASID_CHECK_HWPT",
        ];

    // Operations whose id is the descriptor of an access.
    private static string[] TestByAccess => ["DESTROY_ACCESS_PAGES", "ACCESS_REPLACE_IOAS"];

    // Operations whose outputs are there only after success.
    private static string[] TestMakers => ["MOCK_DOMAIN", "MOCK_DOMAIN_FLAGS"];

    private static void AddTest(Dictionary<string, TraceOp> ops)
    {
        foreach (string name in TestById.Concat(TestMakers))
        {
            ops.Add($"TEST_{name}", Plain(TestOp(name)));
        }

        foreach (string name in TestByAccess)
        {
            ops.Add($"TEST_{name}", Plain(TestOp(name), PutAccess));
        }

        ops.Add("TEST_ACCESS_PAGES", Plain(TestOp("ACCESS_PAGES"), PutAccess));
        ops.Add("TEST_MD_CHECK_IOTLB", Plain(TestOp("MD_CHECK_IOTLB"), a => a.SetAt(UnionOffset, a.In("iotlb_id"))));
        ops.Add("TEST_DEV_CHECK_CACHE", Plain(TestOp("DEV_CHECK_CACHE"), a => a.SetAt(UnionOffset, a.In("cache_id"))));
        ops.Add("TEST_DMABUF_REVOKE", Plain(TestOp("DMABUF_REVOKE"), a => a.Set("dmabuf_fd", a.In("handle"))));
        ops.Add("TEST_BAD_OP", Plain(IoctlTable.Of<TestUnknownOp>(), a => a.Set("op", a.In("test_op"))));
        ops.Add("TEST_CREATE_ACCESS", MakesDescriptor(TestOp("CREATE_ACCESS"), "out_access_fd", "access"));
        ops.Add("TEST_DMABUF_GET", DmabufGet);
        ops.Add("TEST_ACCESS_RW", AccessRw);
        ops.Add("TEST_DIRTY", Plain(TestOp("DIRTY"), PutDirtyBits));
    }

    private static IoctlDeclaration TestOp(string name) =>
        IoctlTable.All.Single(d => d.Name == $"IOMMU_TEST_OP_{name}");

    private static void PutAccess(IoctlArena arena) => arena.SetAt(IdOffset, arena.In("handle"));

    private static async Task<StepAnswer> DmabufGet(TraceStage stage, TraceStep step)
    {
        var arena = new IoctlArena(stage, step, TestOp("DMABUF_GET"));
        IoctlResult result = await arena.CallAsync(arena.Declaration.CommandWord).ConfigureAwait(false);
        StepAnswer answer = Observed(arena, StepAnswer.Of(result));
        NoteHandle(arena, answer, "dmabuf", (int)result.ReturnValue);
        return answer;
    }

    private static async Task<StepAnswer> AccessRw(TraceStage stage, TraceStep step)
    {
        var arena = new IoctlArena(stage, step, TestOp("ACCESS_RW"));
        PutAccess(arena);
        bool write = (arena.In("flags") & (ulong)TestAccessRwFlags.Write) != 0;
        arena.Set("flags", arena.In("flags"));
        ulong length = arena.In("length");
        arena.Set("length", length);
        int bytes = (int)Math.Min(length, LargestRw);
        ulong seed = arena.Has("seed") ? arena.In("seed") : 0;
        stage.Put(stage.Scratch, write ? TraceValue.StepPattern(seed, bytes) : Prefill(bytes));
        if (!arena.Has("uptr"))
        {
            arena.Set("uptr", stage.Scratch);
        }

        IoctlResult result = await arena.CallAsync(arena.Declaration.CommandWord).ConfigureAwait(false);
        StepAnswer answer = Observed(arena, StepAnswer.Of(result));
        if (result.IsOk && !write && length <= LargestRw)
        {
            TraceValue.AddData(answer.Out, TraceStage.Get(stage.Self, stage.Scratch, bytes));
        }

        return answer;
    }

    private static byte[] Prefill(int length)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, (byte)0xee);
        return bytes;
    }

    private static void PutDirtyBits(IoctlArena arena)
    {
        if (!arena.Has("bits"))
        {
            return;
        }

        var bitmap = new byte[arena.Stage.ScratchSize];
        Convert.FromHexString(arena.Raw("bits").GetString()!).CopyTo(bitmap, 0);
        arena.Stage.Put(arena.Stage.Scratch, bitmap);
        arena.Set("uptr", arena.Stage.Scratch);
    }
}
