using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

/// <summary>
/// A declaration in the making. Members are listed in the order of the struct; the maker of the record then names them
/// by their place in that list.
/// </summary>
internal sealed class IoctlLayout<T>(string name, byte number, IoctlArgument argument, int minSize, int structSize)
    where T : IoctlCommand
{
    private int writeBackStart;
    private int writeBackEnd = structSize;
    private bool undoneByFault;
    private uint extensionFlag;
    private bool checksTail;
    private uint? testOp;

    public string Name { get; } = name;

    public byte Number { get; } = number;

    public IoctlArgument Argument { get; } = argument;

    public int MinSize { get; } = minSize;

    public int StructSize { get; } = structSize;

    public List<StructField> Fields { get; } = [];

    public List<Func<T, ulong>> Readers { get; } = [];

    public IoctlLayout<T> In(string field, int offset, int width, Func<T, ulong> read) =>
        Add(new StructField(field, offset, width, FieldDirection.In), read);

    public IoctlLayout<T> Out(string field, int offset, int width, Func<T, ulong> read) =>
        Add(new StructField(field, offset, width, FieldDirection.Out), read);

    public IoctlLayout<T> InOut(string field, int offset, int width, Func<T, ulong> read) =>
        Add(new StructField(field, offset, width, FieldDirection.InOut), read);

    public IoctlLayout<T> Reserved(string field, int offset, int width, Func<T, ulong> read) =>
        Add(new StructField(field, offset, width, FieldDirection.Reserved), read);

    /// <summary>An answer writes only some bytes of the struct.</summary>
    public IoctlLayout<T> WritesBackOnly(int offset, int length)
    {
        writeBackStart = offset;
        writeBackEnd = offset + length;
        return this;
    }

    /// <summary>See <see cref="IoctlDeclaration.UndoneByFault"/>.</summary>
    public IoctlLayout<T> UndoneByFault()
    {
        undoneByFault = true;
        return this;
    }

    /// <summary>See <see cref="IoctlDeclaration.ExtensionFlag"/>.</summary>
    public IoctlLayout<T> ExtendedByFlag(uint flag)
    {
        extensionFlag = flag;
        return this;
    }

    /// <summary>See <see cref="IoctlDeclaration.ChecksTail"/>.</summary>
    public IoctlLayout<T> ChecksTail()
    {
        checksTail = true;
        return this;
    }

    /// <summary>See <see cref="IoctlDeclaration.TestOp"/>.</summary>
    public IoctlLayout<T> ForTestOp(uint op)
    {
        testOp = op;
        return this;
    }

    public IoctlDeclaration Makes(Func<FieldValues, T> make) =>
        new IoctlDeclaration<T>(this, make)
        {
            WriteBackStart = writeBackStart,
            WriteBackEnd = writeBackEnd,
            UndoneByFault = undoneByFault,
            ExtensionFlag = extensionFlag,
            ChecksTail = checksTail,
            TestOp = testOp,
        };

    private IoctlLayout<T> Add(StructField field, Func<T, ulong> read)
    {
        Fields.Add(field);
        Readers.Add(read);
        return this;
    }
}
