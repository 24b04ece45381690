using System.Reflection;
using FsCheck;
using FsCheck.Fluent;
using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Messages.Tests.Abi;

/// <summary>What goes through the codec comes out the same, for every command and any values of its members.</summary>
public sealed class RoundTripTests
{
    private const ulong StructAddress = 0x10000;

    public static TheoryData<string> Commands() =>
        [.. IoctlTable.All.Where(d => d.Argument != IoctlArgument.Value).Select(d => d.CommandType.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Decoding_what_was_encoded_gives_the_same_command(string commandType)
    {
        IoctlDeclaration declaration = DeclarationOf(commandType);
        Prop.ForAll(
                ArbMap.Default.ArbFor<ulong[]>(),
                ArbMap.Default.ArbFor<int>(),
                (values, salt) => RoundTrips(declaration, values, salt)
            )
            .QuickCheckThrowOnFailure();
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void An_answer_appears_in_the_callers_struct_member_by_member(string commandType)
    {
        IoctlDeclaration declaration = DeclarationOf(commandType);
        IoctlCommand asked = Filled(declaration, [], 1);
        IoctlCommand answer = Filled(declaration, [], 2);
        var memory = new FakeUserMemory().Map(StructAddress);
        IoctlCall call = Call(memory, declaration, asked);

        Assert.Equal(Errno.OK, IoctlCodec.WriteBack(memory, call, answer));

        var expected = new byte[IoctlDeclaration.LargestStruct];
        IoctlCodec.Encode(answer, expected);
        byte[] actual = memory.Get(StructAddress, declaration.StructSize);
        Assert.Equal(
            expected[declaration.WriteBackStart..declaration.WriteBackEnd],
            actual[declaration.WriteBackStart..declaration.WriteBackEnd]
        );
    }

    private static bool RoundTrips(IoctlDeclaration declaration, ulong[] values, int salt)
    {
        IoctlCommand command = Filled(declaration, values, salt);
        var memory = new FakeUserMemory().Map(StructAddress);
        IoctlCall call = Call(memory, declaration, command);
        Assert.Equal(ExpectedAfterDecoding(command), call.Command);
        return true;
    }

    private static IoctlCall Call(FakeUserMemory memory, IoctlDeclaration declaration, IoctlCommand command)
    {
        var bytes = new byte[IoctlDeclaration.LargestStruct];
        int length = IoctlCodec.Encode(command, bytes);
        memory.Put(StructAddress, bytes.AsSpan(0, length));
        bool isDevice = command.GetType().Name.StartsWith("VfioDevice", StringComparison.Ordinal);
        return isDevice
            ? IoctlCodec.DecodeDevice(memory, declaration.CommandWord, StructAddress)
            : IoctlCodec.Decode(memory, declaration.CommandWord, StructAddress);
    }

    // Two VFIO structs have members that only the kernel writes beyond what it reads.
    private static IoctlCommand ExpectedAfterDecoding(IoctlCommand command) =>
        command switch
        {
            VfioIommuGetInfo info => info with { CapOffset = 0 },
            VfioDeviceGetInfo info => info with { CapOffset = 0 },
            _ => command,
        };

    private static IoctlDeclaration DeclarationOf(string commandType) =>
        IoctlTable.All.Single(d => d.CommandType.Name == commandType);

    /// <summary>A record with every member set: from the values while they last, then from the salt.</summary>
    private static IoctlCommand Filled(IoctlDeclaration declaration, ulong[] values, int salt)
    {
        var command = (IoctlCommand)Activator.CreateInstance(declaration.CommandType)!;
        int i = 0;
        foreach (PropertyInfo property in Members(declaration.CommandType))
        {
            ulong value = i < values.Length ? values[i] : unchecked((ulong)(salt + i) * 0x9e3779b97f4a7c15);
            property.SetValue(command, Convert(property, value, declaration));
            i++;
        }

        return command;
    }

    // What it was called on is no member of the struct.
    private static IEnumerable<PropertyInfo> Members(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanWrite && p.DeclaringType != typeof(VfioDeviceCommand));

    private static object Convert(PropertyInfo property, ulong value, IoctlDeclaration declaration)
    {
        if (property.Name == "Argument")
        {
            return StructAddress;
        }

        if (property.Name == "ArgSz")
        {
            return (uint)declaration.StructSize;
        }

        if (declaration.ExtensionFlag != 0 && property.Name == "Flags")
        {
            return (uint)value | declaration.ExtensionFlag;
        }

        // An operation number that no operation has.
        if (property.DeclaringType == typeof(TestUnknownOp) && property.Name == "Op")
        {
            return (uint)value | 0x80000000;
        }

        // The reserved part of GET_HW_INFO is three bytes.
        if (property.DeclaringType == typeof(GetHwInfo) && property.Name == "Reserved")
        {
            return (uint)value & 0xffffff;
        }

        Type type = property.PropertyType;
        Type plain = type.IsEnum ? Enum.GetUnderlyingType(type) : type;
        object number = plain switch
        {
            _ when plain == typeof(ulong) => value,
            _ when plain == typeof(uint) => (uint)value,
            _ when plain == typeof(int) => (int)value,
            _ when plain == typeof(ushort) => (ushort)value,
            _ => (byte)value,
        };
        return type.IsEnum ? Enum.ToObject(type, number) : number;
    }
}
