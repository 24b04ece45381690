using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Messages.Tests.Abi;

/// <summary>What of an answer reaches the caller's struct, and what happens where it cannot.</summary>
public sealed class WriteBackTests
{
    private const ulong StructAddress = 0x10000;

    [Fact]
    public async Task An_answer_is_cut_at_the_callers_size()
    {
        byte[] asked = Encoded(new HwptAlloc { DevId = 3 }, size: 24);
        asked[24] = 0xcc;
        FakeUserMemory memory = Memory(asked);
        var executor = new Executor(
            IoctlResult.Ok(
                new HwptAlloc
                {
                    DevId = 3,
                    OutHwptId = 9,
                    DataType = 5,
                }
            )
        );

        IoctlResult result = await IoctlDoor.CallAsync(memory, executor, 0x3b89, StructAddress);

        Assert.True(result.IsOk);
        Assert.Equal(9, memory.Get(StructAddress + 16, 1)[0]);
        Assert.Equal(0xcc, memory.Get(StructAddress + 24, 1)[0]);
    }

    [Fact]
    public async Task An_answer_leaves_the_size_and_what_lies_behind_the_struct_as_they_were()
    {
        byte[] asked = [.. Encoded(new IoasAlloc(), size: 20)[..12], 0, 0, 0, 0, 0, 0, 0, 0, 0xcc];
        FakeUserMemory memory = Memory(asked);

        await IoctlDoor.CallAsync(
            memory,
            new Executor(IoctlResult.Ok(new IoasAlloc { OutIoasId = 9 })),
            0x3b81,
            StructAddress
        );

        byte[] expected = [.. asked];
        expected[8] = 9;
        Assert.Equal(expected, memory.Get(StructAddress, asked.Length));
    }

    [Fact]
    public async Task Bytes_of_a_selftest_operation_that_no_member_covers_stay()
    {
        byte[] asked = Encoded(new TestMockDomain { PtId = 1 });
        asked.AsSpan(28).Fill(0xcc);
        asked[12] = 0xdd;
        FakeUserMemory memory = Memory(asked);
        var answer = new TestMockDomain
        {
            PtId = 1,
            OutStdevId = 2,
            OutHwptId = 4,
            OutIdevId = 3,
        };

        await IoctlDoor.CallAsync(memory, new Executor(IoctlResult.Ok(answer)), 0x3ba0, StructAddress);

        byte[] expected = [.. asked];
        (expected[16], expected[20], expected[24]) = (2, 4, 3);
        Assert.Equal(expected, memory.Get(StructAddress, asked.Length));
    }

    [Fact]
    public async Task An_option_writes_its_value_only()
    {
        FakeUserMemory memory = Memory(Encoded(new Option { OptionId = 1, ObjectId = 7 }));
        var executor = new Executor(IoctlResult.Ok(new Option { OptionId = 99, Val64 = 1 }));

        await IoctlDoor.CallAsync(memory, executor, 0x3b87, StructAddress);

        Assert.Equal(
            Encoded(
                new Option
                {
                    OptionId = 1,
                    ObjectId = 7,
                    Val64 = 1,
                }
            ),
            memory.Get(StructAddress, 24)
        );
    }

    [Fact]
    public async Task An_error_without_an_answer_writes_nothing()
    {
        byte[] asked = Encoded(new IoasAlloc());
        FakeUserMemory memory = Memory(asked);

        IoctlResult result = await IoctlDoor.CallAsync(
            memory,
            new Executor(IoctlResult.Fail(Errno.ENOMEM)),
            0x3b81,
            StructAddress
        );

        Assert.Equal(Errno.ENOMEM, result.Errno);
        Assert.Equal(asked, memory.Get(StructAddress, asked.Length));
    }

    [Fact]
    public async Task An_error_with_an_answer_writes_it()
    {
        FakeUserMemory memory = Memory(Encoded(new HwptInvalidate { EntryNum = 3 }));
        var executor = new Executor(new IoctlResult(Errno.EINVAL, 0, new HwptInvalidate { EntryNum = 2 }));

        IoctlResult result = await IoctlDoor.CallAsync(memory, executor, 0x3b8d, StructAddress);

        Assert.Equal(Errno.EINVAL, result.Errno);
        Assert.Equal(2, memory.Get(StructAddress + 24, 1)[0]);
    }

    [Fact]
    public async Task The_return_value_reaches_the_caller()
    {
        FakeUserMemory memory = Memory(Encoded(new TestDmabufGet { Length = 1 }));

        IoctlResult result = await IoctlDoor.CallAsync(
            memory,
            new Executor(new IoctlResult(Errno.OK, 17, null)),
            0x3ba0,
            StructAddress
        );

        Assert.Equal(17, result.ReturnValue);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(100)]
    public async Task A_container_info_is_cut_at_argsz_as_the_caller_gave_it(int argsz)
    {
        byte[] asked = new byte[32];
        asked[0] = (byte)argsz;
        asked.AsSpan(16, 8).Fill(0xcc);
        FakeUserMemory memory = Memory(asked);
        var answer = new VfioIommuGetInfo
        {
            ArgSz = 72,
            Flags = 3,
            IovaPgSizes = 0x1000,
        };

        await IoctlDoor.CallAsync(memory, new Executor(IoctlResult.Ok(answer)), 0x3b70, StructAddress);

        byte[] seen = memory.Get(StructAddress, 24);
        Assert.Equal((72, 3), (seen[0], seen[4]));
        Assert.Equal(argsz == 16 ? 0xcc : 0, seen[16]);
        Assert.Equal(argsz == 16 ? 0xcc : 0, seen[20]);
    }

    [Theory]
    [InlineData("IOMMU_IOAS_ALLOC")]
    [InlineData("IOMMU_HWPT_ALLOC")]
    [InlineData("IOMMU_FAULT_QUEUE_ALLOC")]
    [InlineData("IOMMU_VIOMMU_ALLOC")]
    [InlineData("IOMMU_VDEVICE_ALLOC")]
    [InlineData("IOMMU_VEVENTQ_ALLOC")]
    [InlineData("IOMMU_HW_QUEUE_ALLOC")]
    [InlineData("IOMMU_TEST_OP_MOCK_DOMAIN")]
    [InlineData("IOMMU_TEST_OP_CREATE_ACCESS")]
    public async Task What_was_made_is_taken_back_where_the_answer_cannot_be_written(string name)
    {
        (Executor executor, IoctlResult result) = await CallInReadOnlyMemoryAsync(name, Errno.OK);

        Assert.Equal(Errno.EFAULT, result.Errno);
        Assert.Equal(executor.Executed, executor.Undone);
        Assert.NotNull(executor.Undone);
    }

    [Theory]
    [InlineData("IOMMU_IOAS_MAP")]
    [InlineData("IOMMU_IOAS_MAP_FILE")]
    [InlineData("IOMMU_IOAS_COPY")]
    [InlineData("IOMMU_IOAS_UNMAP")]
    [InlineData("IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE")]
    public async Task A_mapping_stays_where_the_answer_cannot_be_written(string name)
    {
        (Executor executor, IoctlResult result) = await CallInReadOnlyMemoryAsync(name, Errno.OK);

        Assert.Equal(Errno.EFAULT, result.Errno);
        Assert.Null(executor.Undone);
    }

    [Fact]
    public async Task An_error_whose_answer_cannot_be_written_becomes_EFAULT_and_nothing_is_taken_back()
    {
        (Executor executor, IoctlResult result) = await CallInReadOnlyMemoryAsync(
            "IOMMU_HWPT_INVALIDATE",
            Errno.EINVAL
        );

        Assert.Equal(Errno.EFAULT, result.Errno);
        Assert.Null(executor.Undone);
    }

    [Fact]
    public async Task What_the_rules_refuse_is_not_executed()
    {
        var executor = new Executor(IoctlResult.Success);

        IoctlResult result = await IoctlDoor.CallAsync(new FakeUserMemory(), executor, 0x3b81, StructAddress);

        Assert.Equal(Errno.EFAULT, result.Errno);
        Assert.Null(executor.Executed);
    }

    [Theory]
    [InlineData("VFIO_DEVICE_BIND_IOMMUFD", 12)]
    [InlineData("VFIO_DEVICE_ATTACH_IOMMUFD_PT", 8)]
    public async Task A_device_command_writes_its_one_output_only(string name, int offset)
    {
        IoctlDeclaration declaration = IoctlTable.All.Single(d => d.Name == name);
        byte[] asked = new byte[24];
        asked[0] = (byte)declaration.StructSize;
        FakeUserMemory memory = Memory(asked);
        IoctlCommand answer =
            declaration.CommandType == typeof(VfioDeviceBindIommufd)
                ? new VfioDeviceBindIommufd { ArgSz = 99, OutDevId = 9 }
                : new VfioDeviceAttachIommufdPt { ArgSz = 99, PtId = 9 };

        await IoctlDoor.CallDeviceAsync(
            memory,
            new Executor(IoctlResult.Ok(answer)),
            declaration.CommandWord,
            StructAddress
        );

        asked[offset] = 9;
        Assert.Equal(asked, memory.Get(StructAddress, asked.Length));
    }

    private static async Task<(Executor Executor, IoctlResult Result)> CallInReadOnlyMemoryAsync(
        string name,
        Errno errno
    )
    {
        IoctlDeclaration declaration = IoctlTable.All.Single(d => d.Name == name);
        var command = (IoctlCommand)Activator.CreateInstance(declaration.CommandType)!;
        FakeUserMemory memory = new FakeUserMemory()
            .Map(StructAddress, writeable: false)
            .Put(StructAddress, Encoded(command));
        var executor = new Executor(new IoctlResult(errno, 0, command));
        return (executor, await IoctlDoor.CallAsync(memory, executor, declaration.CommandWord, StructAddress));
    }

    private static byte[] Encoded(IoctlCommand command, int? size = null)
    {
        var bytes = new byte[IoctlDeclaration.LargestStruct];
        int length = IoctlCodec.Encode(command, bytes);
        bytes[0] = (byte)(size ?? bytes[0]);
        return bytes[..length];
    }

    private static FakeUserMemory Memory(byte[] bytes) =>
        new FakeUserMemory().Map(StructAddress).Put(StructAddress, bytes);

    private sealed class Executor(IoctlResult result) : IIoctlExecutor
    {
        public IoctlCommand? Executed { get; private set; }

        public IoctlCommand? Undone { get; private set; }

        public Task<IoctlResult> ExecuteAsync(IoctlCommand command)
        {
            Executed = command;
            return Task.FromResult(result);
        }

        public Task UndoAsync(IoctlCommand command, IoctlResult answer)
        {
            Undone = command;
            return Task.CompletedTask;
        }
    }
}
