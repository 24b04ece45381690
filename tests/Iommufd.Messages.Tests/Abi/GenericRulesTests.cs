using System.Buffers.Binary;
using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Messages.Tests.Abi;

/// <summary>
/// The rules that hold for every one of iommufd's own commands, as a table: each command in each situation.
/// </summary>
public sealed class GenericRulesTests
{
    private const ulong StructAddress = 0x10000;
    private const ulong UnmappedAddress = 0x90000;
    private const int Room = 2 * (int)HostPage.Size;

    /// <summary>
    /// The word, the smallest and the known size of every command; of the selftest's, each operation.
    /// </summary>
    public static TheoryData<string> Commands() =>
        [.. IoctlTable.All.Where(d => d.Argument == IoctlArgument.SizedStruct).Select(d => d.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_size_one_below_the_minimum_is_EINVAL(string name) =>
        Assert.Equal(Errno.EINVAL, Refused(Declared(name), Declared(name).MinSize - 1));

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_size_of_0_is_EINVAL(string name) => Assert.Equal(Errno.EINVAL, Refused(Declared(name), 0));

    [Theory]
    [MemberData(nameof(Commands))]
    public void The_minimum_size_is_enough_and_the_rest_is_0(string name)
    {
        IoctlDeclaration declaration = Declared(name);
        FakeUserMemory memory = Filled(declaration, declaration.MinSize, 0xff);
        IoctlCall call = IoctlCodec.Decode(memory, declaration.CommandWord, StructAddress);

        Assert.NotNull(call.Command);
        byte[] seen = Encoded(call.Command);
        Assert.All(seen[declaration.MinSize..declaration.StructSize], b => Assert.Equal(0, b));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void The_known_size_is_read_whole(string name)
    {
        IoctlDeclaration declaration = Declared(name);
        FakeUserMemory memory = Filled(declaration, declaration.StructSize, 0xff);
        IoctlCall call = IoctlCodec.Decode(memory, declaration.CommandWord, StructAddress);

        byte[] seen = Encoded(call.Command!);
        StructField last = declaration.Fields[^1];
        ulong all = last.Width == sizeof(ulong) ? ulong.MaxValue : (1ul << (8 * last.Width)) - 1;
        Assert.Equal(all, last.Load(seen));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_tail_of_zeros_changes_nothing(string name)
    {
        IoctlDeclaration declaration = Declared(name);
        IoctlCommand plain = Decoded(declaration, declaration.StructSize);

        Assert.Equal(plain, Decoded(declaration, declaration.StructSize + 1));
        Assert.Equal(plain, Decoded(declaration, Room));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_tail_with_its_last_byte_set_is_E2BIG(string name)
    {
        IoctlDeclaration declaration = Declared(name);
        foreach (int size in new[] { declaration.StructSize + 1, 200, 4096, Room })
        {
            FakeUserMemory memory = Filled(declaration, size, 0).Put(StructAddress + (uint)size - 1, [0xaa]);
            Assert.Equal(Errno.E2BIG, Refused(memory, declaration));
        }
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_byte_behind_the_callers_size_is_not_looked_at(string name)
    {
        IoctlDeclaration declaration = Declared(name);
        int size = declaration.StructSize + 8;
        FakeUserMemory memory = Filled(declaration, size, 0).Put(StructAddress + (uint)size, [0xaa]);

        Assert.NotNull(IoctlCodec.Decode(memory, declaration.CommandWord, StructAddress).Command);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_tail_that_reaches_unreadable_memory_is_EFAULT(string name) =>
        Assert.Equal(Errno.EFAULT, Refused(Filled(Declared(name), Room + 1, 0), Declared(name)));

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_byte_set_before_unreadable_memory_is_E2BIG(string name) =>
        Assert.Equal(
            Errno.E2BIG,
            Refused(Filled(Declared(name), Room + 1, 0).Put(StructAddress + Room - 1, [1]), Declared(name))
        );

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_size_of_4_GiB_is_EFAULT_where_the_memory_ends(string name) =>
        Assert.Equal(Errno.EFAULT, Refused(Declared(name), -1));

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_tail_that_passes_the_end_of_the_address_space_is_EFAULT(string name)
    {
        const ulong lastPage = 0xfffffffffffff000;
        var size = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, 0x2000);
        FakeUserMemory memory = new FakeUserMemory().Map(lastPage).Put(lastPage, size);

        Assert.Equal(Errno.EFAULT, IoctlCodec.Decode(memory, Declared(name).CommandWord, lastPage).Early!.Errno);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_null_or_unmapped_argument_is_EFAULT(string name)
    {
        IoctlDeclaration declaration = Declared(name);
        FakeUserMemory memory = Filled(declaration, declaration.StructSize, 0);

        Assert.Equal(Errno.EFAULT, IoctlCodec.Decode(memory, declaration.CommandWord, 0).Early!.Errno);
        Assert.Equal(Errno.EFAULT, IoctlCodec.Decode(memory, declaration.CommandWord, UnmappedAddress).Early!.Errno);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_struct_that_is_cut_by_unreadable_memory_is_EFAULT(string name)
    {
        IoctlDeclaration declaration = Declared(name);
        ulong address = StructAddress + Room - 4;
        var size = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, declaration.StructSize);
        FakeUserMemory memory = new FakeUserMemory().Map(StructAddress, 2).Put(address, size);

        Assert.Equal(Errno.EFAULT, IoctlCodec.Decode(memory, declaration.CommandWord, address).Early!.Errno);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Another_type_byte_or_an_encoded_direction_or_size_is_ENOTTY(string name)
    {
        IoctlDeclaration declaration = Declared(name);
        FakeUserMemory memory = Filled(declaration, declaration.StructSize, 0);
        uint[] words =
        [
            declaration.Number,
            0x3c00u | declaration.Number,
            declaration.CommandWord | 0x40000000,
            declaration.CommandWord | 0x80000000,
            declaration.CommandWord | ((uint)declaration.StructSize << 16),
        ];
        Assert.All(words, w => Assert.Equal(Errno.ENOTTY, IoctlCodec.Decode(memory, w, StructAddress).Early!.Errno));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void An_unreadable_size_is_EFAULT_even_in_a_wrong_command_word(string name) =>
        Assert.Equal(
            Errno.EFAULT,
            IoctlCodec.Decode(new FakeUserMemory(), 0x3c00u | Declared(name).Number, StructAddress).Early!.Errno
        );

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_wrong_command_word_is_ENOTTY_even_with_a_wrong_size(string name) =>
        Assert.Equal(
            Errno.ENOTTY,
            IoctlCodec.Decode(Filled(Declared(name), 0, 0), 0x3c00u | Declared(name).Number, StructAddress).Early!.Errno
        );

    private static IoctlDeclaration Declared(string name) => IoctlTable.All.Single(d => d.Name == name);

    private static IoctlCommand Decoded(IoctlDeclaration declaration, int size) =>
        IoctlCodec.Decode(Filled(declaration, size, 0), declaration.CommandWord, StructAddress).Command!;

    private static Errno Refused(IoctlDeclaration declaration, int size) =>
        Refused(Filled(declaration, size, 0), declaration);

    private static Errno Refused(FakeUserMemory memory, IoctlDeclaration declaration) =>
        IoctlCodec.Decode(memory, declaration.CommandWord, StructAddress).Early!.Errno;

    private static byte[] Encoded(IoctlCommand command)
    {
        var bytes = new byte[IoctlDeclaration.LargestStruct];
        IoctlCodec.Encode(command, bytes);
        return bytes;
    }

    /// <summary>
    /// Two pages with a struct at their start: its known bytes all one value, its size word as given.
    /// </summary>
    private static FakeUserMemory Filled(IoctlDeclaration declaration, int size, byte value)
    {
        var bytes = new byte[declaration.StructSize];
        Array.Fill(bytes, value);
        BinaryPrimitives.WriteInt32LittleEndian(bytes, size);
        if (declaration.Number == IoctlTable.TestNumber)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), declaration.TestOp ?? 0xffff);
        }

        return new FakeUserMemory().Map(StructAddress, 2).Put(StructAddress, bytes);
    }
}
