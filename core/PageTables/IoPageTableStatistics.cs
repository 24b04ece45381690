namespace Iommufd.Core.PageTables;

/// <summary>Counts of one I/O page table, taken by walking it (not a snapshot while writers work).</summary>
/// <param name="Tables">Table pages linked into the tree, the top included.</param>
/// <param name="TableBytes">Their bytes.</param>
/// <param name="Entries">Mapped entries; a contiguous entry counts once.</param>
/// <param name="MappedBytes">Bytes that the entries map.</param>
/// <param name="DirtyEntries">Entries of which any item is marked dirty.</param>
/// <param name="EntriesBySize">Entries for each page size: the index is log2 of the size, 64 elements.</param>
public sealed record IoPageTableStatistics(
    long Tables,
    long TableBytes,
    long Entries,
    ulong MappedBytes,
    long DirtyEntries,
    IReadOnlyList<long> EntriesBySize
);
