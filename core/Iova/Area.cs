using System.Diagnostics;
using Iommufd.Messages;

namespace Iommufd.Core.Iova;

/// <summary>What devices may do through an area. The values are those of the protection bits in flows and journals.</summary>
[Flags]
public enum AreaPermissions
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Devices may write.</summary>
    Write = 1,

    /// <summary>Devices may read.</summary>
    Read = 2,
}

/// <summary>Where an area is in its life.</summary>
public enum AreaState
{
    /// <summary>Occupies its IOVAs, but its domains are still being filled: it cannot be used.</summary>
    Building,

    /// <summary>Mapped in every domain, usable.</summary>
    Ready,

    /// <summary>Being cleared from the domains: still occupies its IOVAs, cannot be used.</summary>
    Teardown,
}

/// <summary>
/// One area of an IOAS: a run of IOVAs backed by a stretch of one page set. A plain record that the IOAS's actor owns;
/// not thread-safe.
/// </summary>
/// <remarks>
/// <see cref="Range"/> and <see cref="StartByte"/> must not change while the area is in an <see cref="IovaMap"/>.
/// </remarks>
[DebuggerDisplay("area {Key} {Range} {State}")]
public sealed class Area
{
    /// <summary>Names the area: unique within the host, given by its creator, never reused.</summary>
    public ulong Key { get; set; }

    /// <summary>The IOVAs, both ends inclusive.</summary>
    public IovaRange Range { get; set; }

    /// <summary>The page set behind the area.</summary>
    public uint PageSet { get; set; }

    /// <summary>Where the area starts in the page set, in bytes from the page set's page-aligned base.</summary>
    public ulong StartByte { get; set; }

    /// <summary>What devices may do.</summary>
    public AreaPermissions Permissions { get; set; }

    /// <summary>Where the area is in its life.</summary>
    public AreaState State { get; set; }

    /// <summary>The HWPT whose IOPTEs hold the area's PFNs; 0 for none.</summary>
    public uint StorageHwpt { get; set; }

    /// <summary>How many access pins use the area.</summary>
    public int AccessUsers { get; set; }

    /// <summary>Whether new access pins are refused because an unmap waits for the area.</summary>
    public bool PreventAccess { get; set; }

    /// <summary>How many hardware queues lock the area against UNMAP.</summary>
    public int Locks { get; set; }

    /// <summary>Whether the page set is a dma-buf, whose areas cannot be cut.</summary>
    public bool IsDmaBuf { get; set; }

    /// <summary>Length in bytes.</summary>
    public ulong Length => Range.Length;

    /// <summary>Where the area starts in its first page, in bytes, 0 to 4095.</summary>
    public ulong PageOffset => StartByte & HostPage.OffsetMask;

    /// <summary>Index of the first page in the page set.</summary>
    public ulong FirstIndex => StartByte >> HostPage.Shift;

    /// <summary>Index of the last page in the page set, inclusive.</summary>
    public ulong LastIndex => (StartByte + (Range.Last - Range.First)) >> HostPage.Shift;

    /// <summary>Byte position in the page set of an IOVA inside the area.</summary>
    public ulong StartByteOf(ulong iova) => StartByte + (iova - Range.First);
}
