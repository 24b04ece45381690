namespace Iommufd.Messages.Abi;

/// <summary>Who writes a member of an ioctl's struct.</summary>
public enum FieldDirection
{
    /// <summary>The caller.</summary>
    In,

    /// <summary>The kernel.</summary>
    Out,

    /// <summary>Both.</summary>
    InOut,

    /// <summary>Nobody: it must be 0, or is not looked at; which of the two is the command's own rule.</summary>
    Reserved,
}

/// <summary>One member of an ioctl's struct.</summary>
/// <param name="Name">Its name in the uAPI.</param>
/// <param name="Offset">Bytes from the start of the struct.</param>
/// <param name="Width">Bytes, 1 to 8; little endian.</param>
/// <param name="Direction">Who writes it.</param>
public sealed record StructField(string Name, int Offset, int Width, FieldDirection Direction)
{
    /// <summary>Reads the member from the bytes of a struct.</summary>
    public ulong Load(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int i = Width - 1; i >= 0; i--)
        {
            value = (value << 8) | bytes[Offset + i];
        }

        return value;
    }

    /// <summary>Writes the member into the bytes of a struct; bits above its width are cut off.</summary>
    public void Store(Span<byte> bytes, ulong value)
    {
        for (int i = 0; i < Width; i++)
        {
            bytes[Offset + i] = (byte)(value >> (8 * i));
        }
    }
}

/// <summary>
/// The members of one struct as they were read, in the order of the declaration, and where the struct lies.
/// </summary>
internal readonly ref struct FieldValues
{
    private readonly ReadOnlySpan<ulong> values;

    public FieldValues(ReadOnlySpan<ulong> values, ulong argument)
    {
        this.values = values;
        Argument = argument;
    }

    /// <summary>The ioctl's argument: for most commands the address of the struct.</summary>
    public ulong Argument { get; }

    public ulong U64(int index) => values[index];

    public uint U32(int index) => (uint)values[index];

    public int I32(int index) => (int)(uint)values[index];

    public ushort U16(int index) => (ushort)values[index];

    public byte U8(int index) => (byte)values[index];
}
