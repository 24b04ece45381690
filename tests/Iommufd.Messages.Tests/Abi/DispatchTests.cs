using System.Buffers.Binary;
using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Messages.Tests.Abi;

/// <summary>Which number is whose, and what VFIO's commands make of argsz.</summary>
public sealed class DispatchTests
{
    private const ulong StructAddress = 0x10000;

    [Theory]
    [InlineData(0x95)]
    [InlineData(0x9a)]
    [InlineData(0x9f)]
    public void A_hole_in_the_table_reads_the_size_first(int number)
    {
        uint word = 0x3b00u | (uint)number;
        Assert.Equal(Errno.EFAULT, Early(new FakeUserMemory(), word));
        Assert.Equal(Errno.ENOTTY, Early(Struct(40), word));
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0x63)]
    [InlineData(0x7f)]
    [InlineData(0xa1)]
    [InlineData(0xff)]
    public void A_number_outside_the_table_is_ENOTTY_without_a_look_at_memory(int number)
    {
        var memory = new FakeUserMemory();
        Assert.Equal(Errno.ENOTTY, Early(memory, 0x3b00u | (uint)number));
        Assert.Equal(0, memory.Touches);
    }

    [Theory]
    [InlineData(0x3c70u)]
    [InlineData(0x40003b70u)]
    [InlineData(0x70u)]
    public void Of_a_VFIO_command_the_whole_word_counts(uint word) =>
        Assert.Equal(Errno.ENOTTY, Early(Struct(24), word));

    [Theory]
    [InlineData(0x3b6bu)]
    [InlineData(0x3b76u)]
    [InlineData(0x3b77u)]
    [InlineData(0x3b78u)]
    public void A_command_of_VFIO_devices_is_ENOTTY_on_an_iommufd(uint word)
    {
        Assert.Equal(Errno.ENOTTY, Early(Struct(32), word));
        Assert.NotNull(IoctlCodec.DecodeDevice(Struct(32), word, StructAddress).Command);
    }

    [Theory]
    [InlineData(0x3b70u)]
    [InlineData(0x3b71u)]
    [InlineData(0x3b80u)]
    public void A_command_of_an_iommufd_is_ENOTTY_on_a_VFIO_device(uint word) =>
        Assert.Equal(Errno.ENOTTY, IoctlCodec.DecodeDevice(Struct(32), word, StructAddress).Early!.Errno);

    [Theory]
    [InlineData(0x3b70u, 16)]
    [InlineData(0x3b71u, 32)]
    [InlineData(0x3b72u, 24)]
    public void A_VFIO_struct_needs_its_minimum(uint word, int min)
    {
        Assert.Equal(Errno.EINVAL, Early(Struct(min - 1), word));
        Assert.NotNull(IoctlCodec.Decode(Struct(min), word, StructAddress).Command);
        Assert.Equal(Errno.EFAULT, Early(new FakeUserMemory(), word));
    }

    [Theory]
    [InlineData(0x3b70u)]
    [InlineData(0x3b71u)]
    [InlineData(0x3b72u)]
    public void A_VFIO_struct_may_be_followed_by_anything(uint word)
    {
        FakeUserMemory memory = Struct(200).Put(StructAddress + 40, [1, 2, 3]);
        Assert.NotNull(IoctlCodec.Decode(memory, word, StructAddress).Command);
    }

    [Fact]
    public void Unreadable_memory_comes_before_a_small_argsz()
    {
        var argsz = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(argsz, 8);
        FakeUserMemory memory = new FakeUserMemory().Map(StructAddress).Put(StructAddress + 0xff8, argsz);

        Assert.Equal(Errno.EFAULT, IoctlCodec.Decode(memory, 0x3b71, StructAddress + 0xff8).Early!.Errno);
    }

    [Fact]
    public void A_number_as_argument_is_not_a_pointer()
    {
        var memory = new FakeUserMemory();
        Assert.Equal(new VfioCheckExtension { Extension = 9 }, IoctlCodec.Decode(memory, 0x3b65, 9).Command);
        Assert.Equal(new VfioSetIommu { Type = 3 }, IoctlCodec.Decode(memory, 0x3b66, 3).Command);
        Assert.Equal(new VfioGetApiVersion(), IoctlCodec.Decode(memory, 0x3b64, 0).Command);
        Assert.Equal(new VfioIommuDirtyPages { Argument = 7 }, IoctlCodec.Decode(memory, 0x3b75, 7).Command);
        Assert.Equal(0, memory.Touches);
    }

    [Fact]
    public void The_info_of_a_container_says_where_its_capabilities_go()
    {
        var command = (VfioIommuGetInfo)IoctlCodec.Decode(Struct(4096), 0x3b70, StructAddress).Command!;
        Assert.Equal((StructAddress, 4096u), (command.Argument, command.ArgSz));
    }

    [Fact]
    public void A_bind_with_a_tail_that_is_not_zero_is_E2BIG()
    {
        FakeUserMemory memory = Struct(32).Put(StructAddress + 31, [1]);
        Assert.Equal(Errno.E2BIG, IoctlCodec.DecodeDevice(memory, 0x3b76, StructAddress).Early!.Errno);
    }

    [Fact]
    public void A_bind_of_the_old_size_has_no_token()
    {
        FakeUserMemory memory = Struct(16).Put(StructAddress + 16, [1]);
        var command = (VfioDeviceBindIommufd)IoctlCodec.DecodeDevice(memory, 0x3b76, StructAddress).Command!;
        Assert.Equal(0u, command.TokenUuidPtr);
    }

    [Theory]
    [InlineData(16, 1u, 5u)]
    [InlineData(16, 0u, 0u)]
    [InlineData(12, 1u, 0u)]
    public void The_pasid_of_an_attach_is_read_with_its_flag_and_room_for_it(int argsz, uint flags, uint pasid)
    {
        FakeUserMemory memory = Struct(argsz).Put(StructAddress + 4, [(byte)flags]).Put(StructAddress + 12, [5]);
        var command = (VfioDeviceAttachIommufdPt)IoctlCodec.DecodeDevice(memory, 0x3b77, StructAddress).Command!;
        Assert.Equal((flags, pasid), (command.Flags, command.Pasid));
    }

    [Theory]
    [InlineData(0x5450u)]
    [InlineData(0x5451u)]
    public void Close_on_exec_is_every_descriptors_and_needs_no_argument(uint word) =>
        Assert.Same(IoctlResult.Success, IoctlCodec.Decode(new FakeUserMemory(), word, 0).Early);

    [Fact]
    public void Non_blocking_mode_is_every_descriptors()
    {
        Assert.Equal(Errno.OK, Early(Struct(1), 0x5421));
        Assert.Equal(Errno.EFAULT, Early(new FakeUserMemory(), 0x5421));
    }

    [Fact]
    public void Signal_driven_mode_can_be_switched_off_but_not_on()
    {
        Assert.Equal(Errno.OK, Early(Struct(0), 0x5452));
        Assert.Equal(Errno.ENOTTY, Early(Struct(1), 0x5452));
        Assert.Equal(Errno.EFAULT, Early(new FakeUserMemory(), 0x5452));
    }

    [Fact]
    public void A_terminal_ioctl_is_ENOTTY() => Assert.Equal(Errno.ENOTTY, Early(Struct(64), 0x5401));

    private static Errno Early(FakeUserMemory memory, uint word) =>
        IoctlCodec.Decode(memory, word, StructAddress).Early!.Errno;

    private static FakeUserMemory Struct(int firstWord)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, firstWord);
        return new FakeUserMemory().Map(StructAddress).Put(StructAddress, bytes);
    }
}
