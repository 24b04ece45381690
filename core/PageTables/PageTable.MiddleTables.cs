using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

// How the short paths find the two lowest tables of an IOVA.
public sealed unsafe partial class PageTable<TFormat>
{
    /// <summary>Whether level-1 tables are cached: all formats with 4 KiB granules.</summary>
    private static bool CachesMiddle
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.GranuleShift + 18 == MiddleTableCache.SlotShift;
    }

    /// <summary>
    /// The item of a page of the smallest size, for the short paths of writers; null where the cache does not know the tables.
    /// </summary>
    /// <remarks>
    /// No read section, although another writer may take tables off meanwhile: a table goes only under an unmap (or a map of a larger
    /// page, or a merge) of its whole range, which the one of this writer would overlap. What happened before on this range
    /// happened before this operation, the forgetting of a table too.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong* CachedPageItemOrNull(ulong iova)
    {
        ulong found = CachesMiddle ? _middle.Find(iova) : 0;
        if (!CachesMiddle || !MiddleTableCache.Fits(found))
        {
            return null;
        }

        // In the empty table there is no pointer.
        ulong word = Volatile.Read(ref *ItemAt(MiddleTableCache.TableOf(found), iova, 1));
        return IsTable(word, 1) ? ItemAt((ulong*)TFormat.TableAddress(word), iova, 0) : null;
    }

    /// <summary>
    /// The level-1 table of an IOVA, for its writer or inside a read section; null where the cache does not know it. A section keeps it
    /// as it keeps a table that is linked: what was retired before the section began was forgotten before.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong* CachedMiddleOrNull(ulong iova)
    {
        ulong found = CachesMiddle ? _middle.Find(iova) : 0;
        return CachesMiddle && MiddleTableCache.Fits(found) && !MiddleTableCache.IsEmpty(found)
            ? MiddleTableCache.TableOf(found)
            : null;
    }

    /// <summary>The existing level-0 table of an IOVA, for its writer; null where something is missing or larger.</summary>
    private ulong* LeafTableOrNull(ulong iova)
    {
        ulong* table = MiddleTableOrNull(iova);
        if (table == null)
        {
            return null;
        }

        ulong word = Volatile.Read(ref table[IndexOf(iova, 1)]);
        return IsTable(word, 1) ? (ulong*)TFormat.TableAddress(word) : null;
    }

    /// <summary>The existing level-1 table of an IOVA, for its writer; null where something is missing or larger.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong* MiddleTableOrNull(ulong iova)
    {
        ulong* table = CachedMiddleOrNull(iova);
        return table != null ? table : WalkToMiddleTable(iova);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong* WalkToMiddleTable(ulong iova)
    {
        ulong top = Volatile.Read(ref _top);
        int at = (int)(top & LevelMask);
        if (!Reaches(at, iova))
        {
            return null;
        }

        var table = (ulong*)(top & ~(ulong)LevelMask);
        for (; at > 1; at--)
        {
            ulong word = Volatile.Read(ref table[IndexOf(iova, at)]);
            if (!IsTable(word, at))
            {
                return null;
            }

            table = (ulong*)TFormat.TableAddress(word);
        }

        if (CachesMiddle && table != null)
        {
            // Release: the table was complete when it was linked. Its range is this writer's, so nobody takes it off now.
            _middle.Remember(iova, table);
        }

        return table;
    }

    /// <summary>
    /// Takes a table out of the cache, with all tables below it; after it was unlinked, and before it is retired: a reader that
    /// begins in the epoch in which it is used again must not find it.
    /// </summary>
    private void Forget(ulong* table, int level)
    {
        if (!CachesMiddle || level == 0)
        {
            return;
        }

        if (level == 1)
        {
            _middle.Forget(table);
        }
        else
        {
            _middle.Clear();
        }
    }

    /// <summary>The table of a level for an IOVA inside the input range; makes what is missing.</summary>
    private Errno FindTable(ulong iova, int level, out ulong* table)
    {
        if (level <= 1)
        {
            ulong* middle = MiddleTableOrNull(iova);
            if (middle != null)
            {
                ulong word = Volatile.Read(ref middle[IndexOf(iova, 1)]);
                table = level == 1 ? middle : (ulong*)TFormat.TableAddress(word);
                if (level == 1 || IsTable(word, 1))
                {
                    return Errno.OK;
                }
            }
        }

        return FindOrMakeTable(iova, level, out table);
    }
}
