namespace Iommufd.Messages.Commands;

/// <summary>IOMMU_DESTROY: removes an object that nothing else uses, whatever its type.</summary>
public sealed record Destroy : IoctlCommand
{
    /// <summary>The object to remove.</summary>
    public uint Id { get; init; }
}

/// <summary>
/// IOMMU_OPTION: reads or sets an option of the context or of one IOAS. Only <see cref="Val64"/> is written back.
/// </summary>
public sealed record Option : IoctlCommand
{
    /// <summary>Which option; see <see cref="OptionId"/>. Raw, because unknown values reach the command.</summary>
    public uint OptionId { get; init; }

    /// <summary>Get or set; see <see cref="OptionOp"/>.</summary>
    public ushort Op { get; init; }

    /// <summary>Must be 0.</summary>
    public ushort Reserved { get; init; }

    /// <summary>The IOAS that the option belongs to; 0 for an option of the whole context.</summary>
    public uint ObjectId { get; init; }

    /// <summary>In: the value to set. Out: the value.</summary>
    public ulong Val64 { get; init; }
}

/// <summary>Values of <see cref="Option.OptionId"/>.</summary>
public static class OptionId
{
    /// <summary>How locked memory is accounted: 0 per user, 1 per process. An option of the context.</summary>
    public const uint RlimitMode = 0;

    /// <summary>Whether mappings of an IOAS may use entries larger than a page: 0 or 1.</summary>
    public const uint HugePages = 1;
}

/// <summary>Values of <see cref="Option.Op"/>.</summary>
public static class OptionOp
{
    /// <summary>Set the option to <see cref="Option.Val64"/>.</summary>
    public const ushort Set = 0;

    /// <summary>Read the option into <see cref="Option.Val64"/>.</summary>
    public const ushort Get = 1;
}

/// <summary>
/// IOMMU_VFIO_IOAS: reads, sets or clears the IOAS that the VFIO type 1 ioctls of this descriptor work on.
/// </summary>
public sealed record VfioIoas : IoctlCommand
{
    /// <summary>In for SET, out for GET: the IOAS.</summary>
    public uint IoasId { get; init; }

    /// <summary>What to do; see <see cref="VfioIoasOp"/>.</summary>
    public ushort Op { get; init; }

    /// <summary>Must be 0.</summary>
    public ushort Reserved { get; init; }
}

/// <summary>Values of <see cref="VfioIoas.Op"/>.</summary>
public static class VfioIoasOp
{
    /// <summary>Answer the current IOAS.</summary>
    public const ushort Get = 0;

    /// <summary>Make <see cref="VfioIoas.IoasId"/> the current one.</summary>
    public const ushort Set = 1;

    /// <summary>Have none.</summary>
    public const ushort Clear = 2;
}

/// <summary>IOMMU_FAULT_QUEUE_ALLOC: makes a queue of I/O page faults and a descriptor to read them from.</summary>
public sealed record FaultQueueAlloc : IoctlCommand
{
    /// <summary>Must be 0.</summary>
    public uint Flags { get; init; }

    /// <summary>Out: the FAULT object.</summary>
    public uint OutFaultId { get; init; }

    /// <summary>Out: the descriptor.</summary>
    public int OutFaultFd { get; init; }
}
