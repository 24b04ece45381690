using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

/// <summary>What an I/O page table says about one IOVA: one consistent reading of one entry.</summary>
/// <param name="Physical">The physical address of the byte asked for (the offset inside the page included).</param>
/// <param name="PageShift">log2 of the bytes that the entry maps; a contiguous entry counts as one page.</param>
/// <param name="Permissions">
/// What the entry allows. A format that cannot withhold reading (x86-64 first stage, ARM) always has
/// <see cref="IoptePermissions.Read"/>.
/// </param>
/// <param name="Dirty">Whether the item that holds the IOVA is marked dirty; always false where the format has no tracking.</param>
public readonly record struct IopteTranslation(ulong Physical, int PageShift, IoptePermissions Permissions, bool Dirty)
{
    /// <summary>Bytes that the entry maps.</summary>
    public ulong PageSize => 1UL << PageShift;

    /// <summary>The 4 KiB frame of <see cref="Physical"/>.</summary>
    public Pfn Pfn => Pfn.Containing(Physical);

    /// <summary>The physical address of the first byte of the entry's page.</summary>
    public ulong PagePhysical => Physical & ~(PageSize - 1);
}
