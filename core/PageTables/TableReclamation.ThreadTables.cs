using System.Runtime.InteropServices;

namespace Iommufd.Core.PageTables;

internal static unsafe partial class TableReclamation
{
    [ThreadStatic]
    private static ThreadTables? t_tables;

    /// <summary>
    /// One thread's table pages: free ones ready to use, and unlinked ones that wait until no reader can hold them. Used by
    /// its own thread only, so nothing here is synchronised; a batch goes to and comes from <see cref="TableArena"/>.
    /// </summary>
    internal sealed class ThreadTables
    {
        private const int Batch = 64;
        private const int MaxFree = 12 * Batch;

        /// <summary>Unlinked pages that are collected before a reclamation pays for its process-wide barrier.</summary>
        private const int LimboLength = 8 * Batch;

        private readonly nint _slot = TakeSlot();

        /// <summary>Pages of unknown content.</summary>
        private nint[] _used = new nint[MaxFree + Batch];

        private int _usedCount;

        /// <summary>Pages of zeros.</summary>
        private nint[] _clean = new nint[MaxFree + Batch];

        private int _cleanCount;

        /// <summary>Unlinked pages; bit 0 says that the page holds only zeros. The first _sealed wait for _sealEpoch.</summary>
        private nint[] _limbo = new nint[LimboLength];

        private int _limboCount;

        /// <summary>Unlinked pages at which the next reclamation is tried.</summary>
        private int _nextReclaim = LimboLength;

        private int _sealed;
        private ulong _sealEpoch;

        /// <summary>The calling thread's pages.</summary>
        internal static ThreadTables Current => t_tables ?? Create();

        /// <summary>Unlinked pages that are not free yet.</summary>
        internal int Waiting => _limboCount;

        /// <summary>A page of zeros; 0 when the system has no memory.</summary>
        internal nint TakeClean()
        {
            if (_cleanCount != 0)
            {
                return _clean[--_cleanCount];
            }

            nint page = TakeUsed();
            if (page != 0)
            {
                NativeMemory.Clear((void*)page, TableArena.PageBytes);
            }

            return page;
        }

        /// <summary>A page of any content; 0 when the system has no memory.</summary>
        internal nint TakeUsed()
        {
            if (_usedCount != 0)
            {
                return _used[--_usedCount];
            }

            return Refill();
        }

        /// <summary>Takes back a page that was never linked.</summary>
        internal void GiveBack(nint page, bool clean)
        {
            if (clean)
            {
                Push(ref _clean, ref _cleanCount, page);
            }
            else
            {
                Push(ref _used, ref _usedCount, page);
            }
        }

        /// <summary>Takes a page that was unlinked just now; readers may be in it.</summary>
        internal void Retire(nint page, bool clean)
        {
            if (_limboCount >= _nextReclaim)
            {
                Reclaim();

                // Where other threads read nearly all the time, a reader is in its section at most of these moments. What is sealed is
                // free as soon as that one section has ended: it is asked again soon, not when twice as many wait.
                _nextReclaim = Math.Max(LimboLength, _limboCount + Batch);
            }

            if (_limboCount == _limbo.Length)
            {
                // A reader stays in its section for long; wait for it by growing, not by blocking.
                Array.Resize(ref _limbo, 2 * _limbo.Length);
            }

            _limbo[_limboCount++] = clean ? page | 1 : page;
        }

        /// <summary>Moves limbo pages that no reader can hold to the free pages.</summary>
        internal void Reclaim()
        {
            if (_sealed == 0)
            {
                _sealed = _limboCount;
                _sealEpoch = Advance();
            }

            if (OldestReader() < _sealEpoch)
            {
                return;
            }

            for (int i = 0; i < _sealed; i++)
            {
                GiveBack(_limbo[i] & ~1, (_limbo[i] & 1) != 0);
            }

            _limbo.AsSpan(_sealed, _limboCount - _sealed).CopyTo(_limbo);
            _limboCount -= _sealed;
            _sealed = 0;
        }

        private static void Push(ref nint[] pages, ref int count, nint page)
        {
            if (count == MaxFree)
            {
                count -= MaxFree / 2;
                TableArena.Return(pages.AsSpan(count, MaxFree / 2));
            }

            pages[count++] = page;
        }

        private static ThreadTables Create()
        {
            var tables = new ThreadTables();
            t_tables = tables;
            t_slot = (ulong*)tables._slot;
            return tables;
        }

        private nint Refill()
        {
            if (_limboCount >= Batch)
            {
                Reclaim();
            }

            if (_usedCount == 0 && _cleanCount == 0)
            {
                if (!TableArena.TryTake(_used.AsSpan(0, Batch / 4)))
                {
                    return 0;
                }

                // Taken from the end: tables that are made one after the other shall follow each other in memory, too.
                _used.AsSpan(0, Batch / 4).Reverse();
                _usedCount = Batch / 4;
            }

            return _usedCount != 0 ? _used[--_usedCount] : _clean[--_cleanCount];
        }

        /// <summary>The thread has ended: its pages go to the shared pool, after the readers' of its last unlinkings.</summary>
        ~ThreadTables()
        {
            GiveSlot(_slot);
            TableArena.Return(_used.AsSpan(0, _usedCount));
            TableArena.Return(_clean.AsSpan(0, _cleanCount));
            if (_limboCount == 0)
            {
                return;
            }

            // On the finalizer thread; its own ThreadTables takes the pages over with a seal of its own.
            for (int i = 0; i < _limboCount; i++)
            {
                Current.Retire(_limbo[i] & ~1, clean: false);
            }
        }
    }
}
