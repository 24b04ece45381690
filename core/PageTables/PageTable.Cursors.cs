using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

public sealed unsafe partial class PageTable<TFormat>
{
    /// <summary>log2 of the bytes under one leaf table.</summary>
    private static int LeafTableShift
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.GranuleShift + 9;
    }

    /// <summary>
    /// Maps as <see cref="Map"/> does; single smallest pages near the cursor's last one skip the walk.
    /// </summary>
    public Errno Map(ref Cursor cursor, ulong iova, ulong physical, ulong length, IoptePermissions permissions)
    {
        if (IsSmallestPage(iova, physical, length, permissions, MapOptions.None))
        {
            ulong* table = LeafTable(ref cursor, iova);
            if (table != null && TrySetPage(ItemAt(table, iova, 0), physical, permissions))
            {
                return Errno.OK;
            }
        }

        return Map(iova, physical, length, permissions);
    }

    /// <summary>Unmaps as <see cref="Unmap"/> does; single smallest pages near the cursor's last one skip the walk.</summary>
    public ulong Unmap(ref Cursor cursor, ulong iova, ulong length)
    {
        if (length == 1UL << TFormat.GranuleShift && (iova & (length - 1)) == 0)
        {
            ulong* table = LeafTable(ref cursor, iova);
            if (table != null && TryClearPage(ItemAt(table, iova, 0)))
            {
                return length;
            }
        }

        return Unmap(iova, length);
    }

    /// <summary>
    /// Opens a read section for many translations: they share the cost of entering it, and skip the walk near the last one. The
    /// reader belongs to the thread that opened it. Call <see cref="Reader.Quiesce"/> now and then, and dispose it: tables freed
    /// meanwhile, by anyone, are not used again while it is open.
    /// </summary>
    public Reader OpenReader() => new(this);

    /// <summary>The cursor's leaf table if it is the one of an IOVA and still linked, else looked up anew.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong* LeafTable(ref Cursor cursor, ulong iova)
    {
        // Only this writer's own work can unlink the table that it is working in (others' ranges do not cover it), so equal
        // counts mean that the pointer is good for the whole operation.
        if (cursor.Key == (iova >> LeafTableShift) + 1 && cursor.Detached == _detached.Current && cursor.Owner == this)
        {
            return cursor.Table;
        }

        ulong detached = _detached.Current;
        ulong* table = LeafTableOrNull(iova);
        cursor.Owner = this;
        cursor.Key = table == null ? 0 : (iova >> LeafTableShift) + 1;
        cursor.Table = table;
        cursor.Detached = detached;
        return table;
    }

    /// <summary>
    /// Remembers where one writer works. A default value is a fresh cursor. For one writer at a time, with the writers' rule of
    /// disjoint ranges.
    /// </summary>
    public struct Cursor
    {
        internal PageTable<TFormat>? Owner;
        internal ulong* Table;
        internal ulong Key;
        internal ulong Detached;
    }

    /// <summary>An open read section with a cache of the last walk; see <see cref="OpenReader"/>.</summary>
    public ref struct Reader
    {
        private readonly PageTable<TFormat> _table;
        private TableReclamation.ReadSection _section;
        private ulong* _leafTable;
        private ulong _key;
        private ulong _detachedSeen;

        internal Reader(PageTable<TFormat> table)
        {
            _table = table;
            _section = TableReclamation.Enter();
        }

        /// <summary>Translates one address; as <see cref="IoPageTable.TryTranslate(ulong, out ulong)"/>.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool TryTranslate(ulong iova, out ulong physical)
        {
            // Acquire, before the item is read: if the table had been taken off before this translation began, the counts
            // differ. Without the comparison an unmapped address would go on translating.
            if (_key == (iova >> LeafTableShift) + 1 && _detachedSeen == _table._detached.Current)
            {
                ulong word = Volatile.Read(ref *ItemAt(_leafTable, iova, 0));
                physical = PhysicalOf(word, 0, iova);
                return word != 0;
            }

            return Walk(iova, out physical);
        }

        /// <summary>Lets tables that were freed so far be used again. The reader stays open.</summary>
        public void Quiesce()
        {
            _key = 0;
            TableReclamation.Exit(_section);
            _section = TableReclamation.Enter();
        }

        /// <summary>Closes the section.</summary>
        public void Dispose() => TableReclamation.Exit(_section);

        private bool Walk(ulong iova, out ulong physical)
        {
            // The count is read before the walk: a table that goes away during it leaves the cache out of date at once.
            _detachedSeen = _table._detached.Current;
            bool found = _table.TryFindItem(iova, out ulong* item, out ulong word, out int level) && word != 0;
            _key = found && level == 0 ? (iova >> LeafTableShift) + 1 : 0;
            _leafTable = item - IndexOf(iova, 0);
            physical = found ? PhysicalOf(word, level, iova) : 0;
            return found;
        }
    }
}
