using System.Collections.Frozen;
using System.Collections.Immutable;
using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

/// <summary>
/// Every ioctl, declared once. The parts: iommufd's own commands (<c>.Ioas</c>, <c>.Hwpt</c>, <c>.Viommu</c>), VFIO's
/// (<c>.Vfio</c>), the selftest's operations (<c>.Test</c>). Immutable, so safe from any thread.
/// </summary>
public static partial class IoctlTable
{
    /// <summary>The first number of iommufd's own table; numbers below it are VFIO's.</summary>
    public const byte FirstNumber = 0x80;

    /// <summary>
    /// The last number of iommufd's own table, that of the selftest command; numbers above it are VFIO's.
    /// </summary>
    public const byte LastNumber = 0xa0;

    /// <summary>The number of IOMMU_TEST_CMD.</summary>
    public const byte TestNumber = 0xa0;

    /// <summary>Bytes of IOMMU_TEST_CMD's struct.</summary>
    public const int TestStructSize = 72;

    /// <summary>Bytes of IOMMU_TEST_CMD's struct that a caller must give.</summary>
    public const int TestMinSize = 68;

    private static readonly ImmutableArray<IoctlDeclaration> Own = [.. IoasPart(), .. HwptPart(), .. ViommuPart()];
    private static readonly ImmutableArray<IoctlDeclaration> Container = [.. VfioContainerPart()];
    private static readonly ImmutableArray<IoctlDeclaration> Device = [.. VfioDevicePart()];
    private static readonly ImmutableArray<IoctlDeclaration> TestOps = [.. TestPart(), .. TestDevicePart()];
    private static readonly IoctlDeclaration UnknownTestOp = UnknownOp();
    private static readonly IoctlDeclaration?[] ByNumber = Index(Own, FirstNumber, LastNumber);
    private static readonly IoctlDeclaration?[] ContainerByNumber = Index(Container, 0, byte.MaxValue);
    private static readonly IoctlDeclaration?[] DeviceByNumber = Index(Device, 0, byte.MaxValue);
    private static readonly IoctlDeclaration?[] ByTestOp = IndexTestOps();

    private static readonly FrozenDictionary<Type, IoctlDeclaration> ByType = All.ToFrozenDictionary(d =>
        d.CommandType
    );

    /// <summary>Every declaration; the operations of the selftest command each have one.</summary>
    public static IEnumerable<IoctlDeclaration> All => [.. Own, .. TestOps, UnknownTestOp, .. Container, .. Device];

    /// <summary>The declaration of a record.</summary>
    /// <exception cref="KeyNotFoundException">The record is not an ioctl's.</exception>
    public static IoctlDeclaration Of(IoctlCommand command) => ByType[command.GetType()];

    /// <summary>The declaration of a record.</summary>
    /// <exception cref="KeyNotFoundException">The record is not an ioctl's.</exception>
    public static IoctlDeclaration Of<T>()
        where T : IoctlCommand => ByType[typeof(T)];

    /// <summary>
    /// One of iommufd's own commands, the selftest command aside; null for a hole. The number must be in the table.
    /// </summary>
    internal static IoctlDeclaration? OwnCommand(byte number) => ByNumber[number - FirstNumber];

    /// <summary>A VFIO command on an iommufd; null where there is none.</summary>
    internal static IoctlDeclaration? ContainerCommand(byte number) => ContainerByNumber[number];

    /// <summary>A VFIO command on a VFIO device; null where there is none.</summary>
    internal static IoctlDeclaration? DeviceCommand(byte number) => DeviceByNumber[number];

    /// <summary>An operation of the selftest command.</summary>
    internal static IoctlDeclaration TestCommand(uint op) =>
        op < (uint)ByTestOp.Length && ByTestOp[op] is { } declaration ? declaration : UnknownTestOp;

    private static IoctlLayout<T> Sized<T>(string name, byte number, int size, int min)
        where T : IoctlCommand => new(name, number, IoctlArgument.SizedStruct, min, size);

    private static IoctlLayout<T> Sized<T>(string name, byte number, int size)
        where T : IoctlCommand => new(name, number, IoctlArgument.SizedStruct, size, size);

    private static IoctlDeclaration?[] Index(ImmutableArray<IoctlDeclaration> declarations, byte first, byte last)
    {
        var index = new IoctlDeclaration?[last - first + 1];
        foreach (IoctlDeclaration declaration in declarations)
        {
            index[declaration.Number - first] = declaration;
        }

        return index;
    }

    private static IoctlDeclaration?[] IndexTestOps()
    {
        var index = new IoctlDeclaration?[TestOps.Max(d => (int)d.TestOp!.Value) + 1];
        foreach (IoctlDeclaration declaration in TestOps)
        {
            index[declaration.TestOp!.Value] = declaration;
        }

        return index;
    }
}
