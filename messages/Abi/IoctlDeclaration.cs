using System.Collections.Immutable;
using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

/// <summary>What the argument of an ioctl is.</summary>
public enum IoctlArgument
{
    /// <summary>A struct whose first word is its size: iommufd's own commands.</summary>
    SizedStruct,

    /// <summary>A struct whose first word is argsz: VFIO's commands.</summary>
    VfioStruct,

    /// <summary>A number, or a pointer that is not looked at.</summary>
    Value,
}

/// <summary>
/// The one declaration of a command: its number, its struct, and how the struct and the record become each other. The
/// tables of <see cref="IoctlTable"/> are made of these; immutable.
/// </summary>
public abstract class IoctlDeclaration
{
    private protected IoctlDeclaration(string name, byte number, IoctlArgument argument, int minSize, int structSize)
    {
        Name = name;
        Number = number;
        Argument = argument;
        MinSize = minSize;
        StructSize = structSize;
    }

    /// <summary>The type byte of all iommufd and VFIO ioctls, ';'.</summary>
    public const byte TypeByte = 0x3b;

    /// <summary>The largest struct, in bytes.</summary>
    public const int LargestStruct = 72;

    /// <summary>The command's name in the uAPI.</summary>
    public string Name { get; }

    /// <summary>The low byte of the command word.</summary>
    public byte Number { get; }

    /// <summary>The whole command word: neither iommufd nor VFIO encodes a direction or a size in it.</summary>
    public uint CommandWord => ((uint)TypeByte << 8) | Number;

    /// <summary>What the argument is.</summary>
    public IoctlArgument Argument { get; }

    /// <summary>Bytes that a caller must give at least.</summary>
    public int MinSize { get; }

    /// <summary>Bytes that this kernel knows.</summary>
    public int StructSize { get; }

    /// <summary>The record of the command.</summary>
    public abstract Type CommandType { get; }

    /// <summary>
    /// The members of the struct in declaration order, the size word of a sized struct not among them.
    /// </summary>
    public abstract ImmutableArray<StructField> Fields { get; }

    /// <summary>First byte that an answer writes.</summary>
    public int WriteBackStart { get; internal init; }

    /// <summary>The end of what an answer writes, exclusive; the caller's size may cut it short.</summary>
    public int WriteBackEnd { get; internal init; }

    /// <summary>
    /// A failure to write the answer takes the command back: it made something that only the answer names.
    /// </summary>
    public bool UndoneByFault { get; internal init; }

    /// <summary>
    /// VFIO: bit of the flags word (offset 4) that makes the bytes beyond <see cref="MinSize"/> count; 0 where they are
    /// never read.
    /// </summary>
    public uint ExtensionFlag { get; internal init; }

    /// <summary>VFIO: a longer struct must have a zero tail (E2BIG), as for iommufd's own commands.</summary>
    public bool ChecksTail { get; internal init; }

    /// <summary>IOMMU_TEST_CMD: the operation; null for every other command.</summary>
    public uint? TestOp { get; internal init; }

    /// <summary>Makes the record from the bytes of the struct, which are <see cref="StructSize"/> long.</summary>
    internal abstract IoctlCommand Load(ReadOnlySpan<byte> bytes, ulong argument);

    /// <summary>
    /// Writes the record's members over the bytes of a struct; bytes that no member covers stay as they are.
    /// </summary>
    internal abstract void Store(IoctlCommand command, Span<byte> bytes);

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>The declaration of one record.</summary>
internal sealed class IoctlDeclaration<T> : IoctlDeclaration
    where T : IoctlCommand
{
    private readonly ImmutableArray<Func<T, ulong>> readers;
    private readonly Func<FieldValues, T> make;

    public IoctlDeclaration(IoctlLayout<T> layout, Func<FieldValues, T> make)
        : base(layout.Name, layout.Number, layout.Argument, layout.MinSize, layout.StructSize)
    {
        Fields = [.. layout.Fields];
        readers = [.. layout.Readers];
        this.make = make;
    }

    public override Type CommandType => typeof(T);

    public override ImmutableArray<StructField> Fields { get; }

    internal override IoctlCommand Load(ReadOnlySpan<byte> bytes, ulong argument)
    {
        Span<ulong> values = stackalloc ulong[Fields.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Fields[i].Load(bytes);
        }

        return make(new FieldValues(values, argument));
    }

    internal override void Store(IoctlCommand command, Span<byte> bytes)
    {
        T typed = (T)command;
        for (int i = 0; i < readers.Length; i++)
        {
            Fields[i].Store(bytes, readers[i](typed));
        }
    }
}
