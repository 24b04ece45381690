using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Dma.Guest;

/// <summary>Which stage refused a nested access.</summary>
public enum GuestWalkEnd
{
    /// <summary>None: the guest's tables translate the address.</summary>
    Found,

    /// <summary>A word of the guest's tables is not present.</summary>
    Missing,

    /// <summary>The guest's tables do not permit the access.</summary>
    Denied,

    /// <summary>A word of the guest's tables lies in guest memory that the second stage does not map.</summary>
    TableNotMapped,
}

/// <summary>What a guest's tables say about an address.</summary>
/// <param name="End">Whether there is a translation.</param>
/// <param name="GuestPhysical">The guest-physical address of the byte asked for.</param>
/// <param name="PageShift">log2 of the bytes of the guest's page.</param>
/// <param name="Permissions">What all levels permit together.</param>
public readonly record struct GuestWalk(
    GuestWalkEnd End,
    ulong GuestPhysical,
    int PageShift,
    IoptePermissions Permissions
);

/// <summary>
/// The first stage of a nested translation: where the guest's tables are and how hardware walks them. Every word is read from guest
/// memory through the second stage, at the moment of the walk; accessed and dirty marks are set in it by compare-and-swap.
/// Immutable; safe from any thread.
/// </summary>
/// <param name="format">The bits of the tables.</param>
/// <param name="root">How the root table of an address space is found.</param>
public sealed class GuestStage(GuestTableFormat format, GuestRoot root)
{
    /// <summary>The bits of the tables.</summary>
    public GuestTableFormat Format { get; } = format;

    /// <summary>How the root table of an address space is found.</summary>
    public GuestRoot Root { get; } = root;

    /// <summary>Walks the tables as hardware does.</summary>
    /// <param name="memory">Guest memory through the second stage.</param>
    /// <param name="pasid">The address space.</param>
    /// <param name="iova">The address.</param>
    /// <param name="access">What the device wants.</param>
    public GuestWalk Walk(GuestMemory memory, uint pasid, ulong iova, IoptePermissions access)
    {
        if (!Format.Covers(iova) || !Root.TryFind(memory, pasid, out ulong table))
        {
            return new GuestWalk(GuestWalkEnd.Missing, 0, 0, IoptePermissions.None);
        }

        bool write = (access & IoptePermissions.Write) != 0;
        var permissions = IoptePermissions.ReadWrite;
        for (int level = Format.TopLevel; ; level--)
        {
            ulong at = table + ((ulong)GuestTableFormat.IndexOf(iova, level) * sizeof(ulong));
            while (true)
            {
                if (!memory.TryReadWord(at, out ulong word))
                {
                    return new GuestWalk(GuestWalkEnd.TableNotMapped, at, 0, IoptePermissions.None);
                }

                if (!Format.IsPresent(word))
                {
                    return new GuestWalk(GuestWalkEnd.Missing, 0, 0, IoptePermissions.None);
                }

                bool isLeaf = level == 0 || !Format.IsTable(word, level);
                IoptePermissions together = permissions & Format.PermissionsOf(word, isLeaf);
                if ((together & access) != access)
                {
                    return new GuestWalk(GuestWalkEnd.Denied, 0, 0, together);
                }

                ulong used = Format.Used(word, isLeaf, write);
                if (used != word && !memory.TryReplaceWord(at, word, used, out bool isMapped))
                {
                    if (!isMapped)
                    {
                        return new GuestWalk(GuestWalkEnd.TableNotMapped, at, 0, IoptePermissions.None);
                    }

                    // The guest changed the word at this moment: what counts is what it says now.
                    continue;
                }

                permissions = together;
                if (isLeaf)
                {
                    int shift = Format.LeafShift(word, level);
                    ulong physical = Format.AddressOf(word, level) | (iova & ((1UL << shift) - 1));
                    return new GuestWalk(GuestWalkEnd.Found, physical, shift, permissions);
                }

                table = Format.AddressOf(word, level);
                break;
            }
        }
    }
}

/// <summary>How hardware finds the root table of an address space. Immutable.</summary>
public abstract class GuestRoot
{
    /// <summary>
    /// Whether the guest keeps a table of address spaces: DMA with a PASID that the host has not attached goes through it.
    /// </summary>
    public virtual bool HasPasids => false;

    /// <summary>Finds the root table; false when the address space has none.</summary>
    public abstract bool TryFind(GuestMemory memory, uint pasid, out ulong table);
}

/// <summary>The host told the root itself, for one address space (VT-d).</summary>
/// <param name="table">Guest-physical address of the root table.</param>
public sealed class DirectRoot(ulong table) : GuestRoot
{
    /// <inheritdoc/>
    public override bool TryFind(GuestMemory memory, uint pasid, out ulong found)
    {
        found = table;
        return true;
    }
}

/// <summary>
/// Guest memory as a walk sees it: words by guest-physical address, through the second stage. Valid inside one batch of a device.
/// </summary>
/// <param name="translation">The second stage.</param>
/// <param name="physical">The machine's memory.</param>
public readonly struct GuestMemory(DmaTranslation translation, PhysicalMemory physical)
{
    /// <summary>Reads an aligned word; false where the second stage has nothing to read.</summary>
    public bool TryReadWord(ulong guestPhysical, out ulong word)
    {
        word = 0;
        if (!translation.Table.TryAccess(guestPhysical, IoptePermissions.Read, markDirty: false, out var found))
        {
            return false;
        }

        word = physical.ReadWord(found.Pfn, (int)(found.Physical & HostPage.OffsetMask));
        return true;
    }

    /// <summary>Replaces an aligned word that still has a value; a write of the hardware, so it can mark the page dirty.</summary>
    /// <param name="guestPhysical">Where.</param>
    /// <param name="expected">What it must still be.</param>
    /// <param name="word">What it becomes.</param>
    /// <param name="isMapped">Whether the second stage lets it be written.</param>
    /// <returns>Whether it was replaced.</returns>
    public bool TryReplaceWord(ulong guestPhysical, ulong expected, ulong word, out bool isMapped)
    {
        isMapped = translation.Table.TryAccess(
            guestPhysical,
            IoptePermissions.ReadWrite,
            translation.MarksDirty,
            out var found
        );
        return isMapped
            && physical.TryReplaceWord(found.Pfn, (int)(found.Physical & HostPage.OffsetMask), expected, word);
    }
}
