using System.Numerics;
using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

public sealed unsafe partial class PageTable<TFormat>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public override Errno Map(
        ulong iova,
        ulong physical,
        ulong length,
        IoptePermissions permissions,
        MapOptions options = MapOptions.None
    )
    {
        if (
            IsSmallestPage(iova, physical, length, permissions, options)
            && CachedPageItemOrNull(iova) is var item
            && item != null
            && TrySetPage(item, physical, permissions)
        )
        {
            return Errno.OK;
        }

        return MapRun(iova, physical, length, permissions, options);
    }

    /// <summary>Every map there is, with its errors.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Errno MapChecked(ulong iova, ulong physical, ulong length, IoptePermissions permissions, MapOptions options)
    {
        Errno errno = CheckMap(iova, physical, length, permissions);
        if (errno != Errno.OK)
        {
            return errno;
        }

        errno = Install(iova, physical, length, permissions, SizesFor(options), out ulong installed);
        if (errno != Errno.OK)
        {
            RollBack(iova, installed);
        }

        return errno;
    }

    /// <inheritdoc/>
    public override Errno MapPages(
        ulong iova,
        ReadOnlySpan<PfnRun> runs,
        ulong offset,
        ulong length,
        IoptePermissions permissions,
        MapOptions options = MapOptions.None
    )
    {
        if (offset >= HostPage.Size || length == 0)
        {
            return Errno.EINVAL;
        }

        ulong sizes = SizesFor(options);
        ulong done = 0;
        foreach (PfnRun run in runs)
        {
            if (done == length)
            {
                break;
            }

            ulong bytes = Math.Min((run.Count << HostPage.Shift) - offset, length - done);
            ulong physical = run.First.Address + offset;
            offset = 0;
            if (
                IsSmallestPage(iova + done, physical, bytes, permissions, MapOptions.None)
                && CachedPageItemOrNull(iova + done) is var item
                && item != null
                && TrySetPage(item, physical, permissions)
            )
            {
                // Scattered memory: nearly every run is a page.
                done += bytes;
                continue;
            }

            Errno errno = CheckMap(iova + done, physical, bytes, permissions);
            ulong installed = 0;
            if (errno == Errno.OK)
            {
                errno = Install(iova + done, physical, bytes, permissions, sizes, out installed);
            }

            if (errno != Errno.OK)
            {
                RollBack(iova, done + installed);
                return errno;
            }

            done += bytes;
        }

        if (done != length)
        {
            RollBack(iova, done);
            return Errno.EINVAL;
        }

        return Errno.OK;
    }

    private static ulong SizesFor(MapOptions options)
    {
        const ulong UpToHostPage = (HostPage.Size << 1) - 1;
        return (options & MapOptions.PageByPage) == 0 ? TFormat.PageSizes : TFormat.PageSizes & UpToHostPage;
    }

    private static Errno CheckMap(ulong iova, ulong physical, ulong length, IoptePermissions permissions)
    {
        if ((permissions & IoptePermissions.ReadWrite) == 0)
        {
            return Errno.EINVAL;
        }

        if (physical >> TFormat.OutputBits != 0)
        {
            return Errno.ERANGE;
        }

        Errno refused = TFormat.CheckPermissions(permissions);
        if (refused != Errno.OK)
        {
            return refused;
        }

        if (length == 0)
        {
            return Errno.EINVAL;
        }

        if (iova + (length - 1) < iova)
        {
            return Errno.EOVERFLOW;
        }

        if (BestShift(TFormat.PageSizes, iova | physical | length, ulong.MaxValue) < 0)
        {
            return Errno.ENXIO;
        }

        // The whole run has to lie below the output width: a walker would see a cut address otherwise.
        return !IsInput(iova, iova + (length - 1)) || (physical + (length - 1)) >> TFormat.OutputBits != 0
            ? Errno.ERANGE
            : Errno.OK;
    }

    private void RollBack(ulong iova, ulong installed)
    {
        if (installed != 0)
        {
            Unmap(iova, installed);
        }
    }

    /// <summary>Installs a run that was checked; <paramref name="installed"/> says how far it came.</summary>
    private Errno Install(
        ulong iova,
        ulong physical,
        ulong length,
        IoptePermissions permissions,
        ulong sizes,
        out ulong installed
    )
    {
        installed = 0;
        while (installed != length)
        {
            ulong at = iova + installed;
            ulong target = physical + installed;
            ulong rest = length - installed;
            int shift = BestShift(sizes, at | target, rest);
            if (shift < 0)
            {
                return Errno.ENXIO;
            }

            int level = LevelOf(shift);
            Errno errno = CanFillTable(at, level, shift, rest)
                ? InstallWholeTable(at, target, permissions, ref installed)
                : Errno.EEXIST;
            if (errno == Errno.OK)
            {
                continue;
            }

            // EEXIST: there is a table already, and it may have room.
            if (errno != Errno.EEXIST)
            {
                return errno;
            }

            errno = FindTable(at, level, out ulong* table);
            if (errno != Errno.OK)
            {
                return errno;
            }

            int index = IndexOf(at, level);
            int itemShift = ItemShift(level);
            bool single = shift == itemShift;
            int count = single ? PagesInRow(sizes, at, target, rest, shift, index) : 1 << (shift - itemShift);
            ulong word = TFormat.LeafWord(target, level, shift, permissions);
            ulong step = single ? AddressStep(1UL << shift) : TFormat.ContiguousStep(level);
            // Release, as in TryMapInTable.
            Volatile.WriteBarrier();
            if (!ItemRuns.TryFillEmpty(table + index, count, word, step))
            {
                if (!MakeRoom(table + index, count, level))
                {
                    return Errno.EADDRINUSE;
                }

                ItemRuns.Fill(table + index, count, word, step);
            }

            installed += (ulong)count << itemShift;
        }

        return Errno.OK;
    }

    /// <summary>Whether a run of smallest pages covers a whole leaf table from here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool CanFillTable(ulong iova, int level, int shift, ulong rest) =>
        level == 0
        && rest >= 1UL << ItemShift(1)
        && shift == TFormat.GranuleShift
        && (iova & ((1UL << ItemShift(1)) - 1)) == 0;

    /// <summary>
    /// Fills a whole missing table of smallest pages before it is linked: no emptiness check, no clearing, one publication. EEXIST
    /// when the item above is not empty.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Errno InstallWholeTable(ulong iova, ulong physical, IoptePermissions permissions, ref ulong installed)
    {
        Errno errno = FindTable(iova, 1, out ulong* table);
        if (errno != Errno.OK)
        {
            return errno;
        }

        if (Volatile.Read(ref table[IndexOf(iova, 1)]) != 0)
        {
            return Errno.EEXIST;
        }

        nint page = _gate is null || _gate.MayAllocate() ? TableReclamation.ThreadTables.Current.TakeUsed() : 0;
        if (page == 0)
        {
            return Errno.ENOMEM;
        }

        ulong tableBytes = 1UL << ItemShift(1);
        ulong word = TFormat.LeafWord(physical, 0, TFormat.GranuleShift, permissions);
        if (TFormat.Weakened != OrderingFault.None && LinkWholeWeakened(ref table[IndexOf(iova, 1)], page, word))
        {
            installed += tableBytes;
            return Errno.OK;
        }

        ItemRuns.Fill((ulong*)page, Items, word, AddressStep(1UL << TFormat.GranuleShift));
        // Full fence: all leaves are visible before the pointer to them. Without it a walker could read what the page held in
        // its former life.
        ulong pointer = TFormat.TableWord((ulong)page, 1);
        if (Interlocked.CompareExchange(ref table[IndexOf(iova, 1)], pointer, 0) != 0)
        {
            TableReclamation.ThreadTables.Current.GiveBack(page, clean: false);
            return Errno.EEXIST;
        }

        installed += tableBytes;
        return Errno.OK;
    }

    /// <summary>
    /// How many pages of one item each follow in this table before its end, the run's end, or the address where a larger page
    /// fits.
    /// </summary>
    private static int PagesInRow(ulong sizes, ulong iova, ulong physical, ulong rest, int shift, int index)
    {
        var count = (int)Math.Min((ulong)(Items - index), rest >> shift);
        // A larger page fits later only if IOVA and physical address are alike up to its size.
        ulong alike = iova ^ physical;
        ulong larger = sizes & ~((2UL << shift) - 1) & (alike ^ (alike - 1));
        if (larger == 0)
        {
            return count;
        }

        int next = BitOperations.TrailingZeroCount(larger);
        ulong toBoundary = (0 - iova) & ((1UL << next) - 1);
        // On the boundary already: the larger page was refused for its length, and the rest only shrinks.
        return toBoundary == 0 ? count : (int)Math.Min((ulong)count, toBoundary >> shift);
    }

    /// <summary>Large pages may take the place of tables in which nothing is mapped; false where something is.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool MakeRoom(ulong* items, int count, int level)
    {
        if (level == 0)
        {
            return false;
        }

        for (int i = 0; i < count; i++)
        {
            ulong word = Volatile.Read(ref items[i]);
            if (word == 0)
            {
                continue;
            }

            if (!IsTable(word, level) || !HoldsNothing((ulong*)TFormat.TableAddress(word), level - 1))
            {
                return false;
            }

            var child = (ulong*)TFormat.TableAddress(word);
            Volatile.Write(ref items[i], 0);
            Forget(child, level - 1);
            _detached.Bump();
            RetireTree(child, level - 1);
        }

        return true;
    }

    private static bool HoldsNothing(ulong* table, int level)
    {
        if (ItemRuns.AllEmpty(table, Items))
        {
            return true;
        }

        if (level == 0)
        {
            return false;
        }

        for (int i = 0; i < Items; i++)
        {
            ulong word = Volatile.Read(ref table[i]);
            if (word != 0 && (!IsTable(word, level) || !HoldsNothing((ulong*)TFormat.TableAddress(word), level - 1)))
            {
                return false;
            }
        }

        return true;
    }
}
