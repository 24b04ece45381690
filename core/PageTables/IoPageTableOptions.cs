namespace Iommufd.Core.PageTables;

/// <summary>How a map installs its pages.</summary>
[Flags]
public enum MapOptions
{
    /// <summary>The largest page that alignment and remaining length allow, at every step.</summary>
    None = 0,

    /// <summary>
    /// One entry for each 4 KiB host page (or the format's smallest page where the address inside the host page is
    /// not aligned): what iommufd does when large pages are disabled.
    /// </summary>
    PageByPage = 1,
}

/// <summary>What an unmap does with an entry that its range covers only in part.</summary>
public enum UnmapCut
{
    /// <summary>
    /// The kernel's rule: an entry that begins inside the range goes whole (the result may exceed the length); a range
    /// that begins inside an entry stops there with nothing unmapped.
    /// </summary>
    WholeEntry,

    /// <summary>The entry is split first, so that exactly the range goes.</summary>
    Split,

    /// <summary>Nothing is unmapped and the result is 0 when either end would cut an entry.</summary>
    Refuse,
}

/// <summary>How dirty entries are read.</summary>
[Flags]
public enum DirtyReadOptions
{
    /// <summary>Read and clear, reported as Linux 7.2 does: a contiguous entry of 2^k > 1 items reports one item less.</summary>
    None = 0,

    /// <summary>Leave the marks as they are.</summary>
    NoClear = 1,

    /// <summary>Report every dirty entry whole (from the first address inside the range), not as Linux 7.2 does.</summary>
    WholeEntries = 2,
}

/// <summary>Receives the dirty ranges of <see cref="IoPageTable.ReadAndClearDirty"/>, in rising order.</summary>
public interface IDirtySink
{
    /// <summary>
    /// Takes one dirty range. As in the kernel it may reach past the end of the range that was asked for, when the last
    /// entry does.
    /// </summary>
    /// <param name="iova">The first dirty address.</param>
    /// <param name="length">Bytes, at least 1.</param>
    void Report(ulong iova, ulong length);
}

/// <summary>
/// Asked before each table allocation; the way to make a map fail with ENOMEM. Called on the mapping thread, possibly from
/// several at once.
/// </summary>
public interface ITableAllocationGate
{
    /// <summary>False makes the allocation, and the map that needs it, fail.</summary>
    bool MayAllocate();
}
