using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Conformance;
using Xunit;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>What a step's inputs become on their way to the kernel, and the process that they are made in.</summary>
public sealed class PlayerInputTests
{
    private const string Alloc = """ "op":"IOAS_ALLOC","in":{"flags":0},"ret":"OK","out":{"out_ioas_id":1} """;

    [Fact]
    public async Task Pointers_become_addresses() =>
        Assert.Equal(
            new IoasMap
            {
                Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable,
                IoasId = 1,
                Reserved = 7,
                UserVa = 0x10000803800,
                Length = 0x1000,
                Iova = 0x2000,
            },
            await ArrivingAsync(
                """ "op":"IOAS_MAP","in":{"ioas_id":1,"flags":5,"reserved":7,"user_va":{"buf":1,"off":"0x800"},"length":"0x1000","iova":"0x2000"},"ret":"ENOENT","out":{"iova":"0x2000"} """
            )
        );

    [Fact]
    public async Task Negative_offsets_point_before_the_file() =>
        Assert.Equal(
            0x10002fff000u,
            (
                (IoasMap)
                    await ArrivingAsync(
                        """ "op":"IOAS_MAP","in":{"ioas_id":1,"flags":5,"user_va":{"file":0,"off":"-0x1000"},"length":"0x1000","iova":"0x2000"},"ret":"ENOENT","out":{} """
                    )
            ).UserVa
        );

    [Fact]
    public async Task Handles_become_descriptors()
    {
        IoctlCommand[] commands = await AllArrivingAsync(
            """ "op":"TEST_CREATE_ACCESS","in":{"id":1,"flags":0},"ret":"OK","out":{"handle":{"access":0}} """,
            """ "op":"TEST_ACCESS_REPLACE_IOAS","in":{"handle":{"access":0},"ioas_id":2},"ret":"OK","out":{} """,
            """ "op":"CLOSE","in":{"handle":{"access":0}},"ret":"OK","out":{} """,
            """ "op":"TEST_ACCESS_REPLACE_IOAS","in":{"handle":{"access":0},"ioas_id":2},"ret":"EBADFD","out":{} """
        );

        Assert.True(((TestAccessReplaceIoas)commands[1]).AccessFd > 2);
        Assert.Equal(-1, ((TestAccessReplaceIoas)commands[2]).AccessFd);
    }

    [Fact]
    public async Task Members_beyond_the_callers_size_arrive_as_zeros() =>
        Assert.Equal(
            new HwptAlloc { DevId = 3, PtId = 1 },
            await ArrivingAsync(
                """ "op":"HWPT_ALLOC","in":{"dev_id":3,"pt_id":1,"flags":0,"data_type":0,"data_len":0,"fault_id":9,"size":24,"tail":"zero"},"ret":"ENOENT","out":{"out_hwpt_id":0} """
            )
        );

    [Fact]
    public async Task The_two_ids_of_a_selftest_operation_stay_apart() =>
        Assert.Equal(
            new TestMdCheckIotlb
            {
                HwptId = 8,
                IotlbId = 1,
                Iotlb = 5,
            },
            await ArrivingAsync(
                """ "op":"TEST_MD_CHECK_IOTLB","in":{"id":8,"iotlb_id":1,"iotlb":5},"ret":"OK","out":{} """
            )
        );

    [Fact]
    public async Task An_unknown_selftest_operation_arrives_as_such() =>
        Assert.Equal(
            new TestUnknownOp { Op = 99, Id = 4 },
            await ArrivingAsync(""" "op":"TEST_BAD_OP","in":{"test_op":99,"id":4},"ret":"EOPNOTSUPP","out":{} """)
        );

    [Fact]
    public async Task The_data_of_a_write_are_in_the_callers_memory()
    {
        byte[] seen = new byte[4];
        var kernel = new ParrotKernel
        {
            Arrives = (_, command, process) => process.Memory.TryRead(((TestAccessRw)command).Uptr, seen),
        };

        await MiniTrace.PlayAsync(
            kernel,
            """ "op":"TEST_ACCESS_RW","in":{"handle":{"raw":5},"flags":1,"iova":"0x0","length":"0x4","seed":3},"ret":"OK","out":{} """
        );

        Assert.Equal([3, 34, 65, 96], seen);
    }

    [Fact]
    public async Task The_child_calls_from_its_own_address_space()
    {
        ISimulatedProcess? caller = null;
        var watching = new ParrotKernel { Arrives = (_, _, process) => caller = process };

        TraceReport report = await MiniTrace.PlayAsync(
            watching,
            """ "op":"IOAS_CHANGE_PROCESS","in":{"proc":"child"},"ret":"OK","out":{"vm_pin_kb":-4,"vm_lck_kb":0} """
        );

        Assert.True(report.Agrees);
        Assert.Same(watching.Processes[1], caller);
        Assert.False(caller!.Memory.TryRead(0x10000000000, new byte[1]));
    }

    [Fact]
    public async Task The_memory_of_a_trace_is_as_its_header_says()
    {
        var kernel = new ParrotKernel();
        await MiniTrace.PlayAsync(kernel, Alloc);
        IUserMemory memory = kernel.Processes[0].Memory;
        byte[] two = new byte[2];

        Assert.True(memory.TryRead(0x10000000000, two));
        Assert.Equal([1, 8], two);
        Assert.True(memory.TryRead(0x10003000000, two));
        Assert.Equal([0x41, 0x48], two);
        Assert.False(memory.TryWrite(0x10000a00000, two), "buffer 2 is read-only");
        Assert.False(memory.TryRead(0x10000c00000, two), "buffer 3 is not there");
        Assert.True(memory.TryRead(0x10002803000 + 0x7ffe, two), "buffer 6 is there in its first half");
        Assert.False(memory.TryRead(0x10002803000 + 0x8000, two), "buffer 6 has a hole behind");
        Assert.False(memory.TryRead(0x7f0000000000 + 8192, two), "nothing is behind the arena");
    }

    private static async Task<IoctlCommand> ArrivingAsync(string step) => Assert.Single(await AllArrivingAsync(step));

    private static async Task<IoctlCommand[]> AllArrivingAsync(params string[] steps)
    {
        var commands = new List<IoctlCommand>();
        var kernel = new ParrotKernel { Arrives = (_, command, _) => commands.Add(command) };
        await MiniTrace.PlayAsync(kernel, TracePlayerOptions.Default with { KeepGoing = true }, steps);
        return [.. commands];
    }
}
