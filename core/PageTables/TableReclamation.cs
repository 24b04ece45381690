using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Iommufd.Core.PageTables;

/// <summary>
/// Keeps freed table pages away from re-use while a walker may hold a pointer to them: epochs, asymmetric so that the
/// reader pays two plain stores and the reclaimer pays a process-wide barrier for a whole batch.
/// </summary>
/// <remarks>
/// Reader: (1) read the epoch, (2) store it into the own slot, (3) walk, (4) store 0. Reclaimer: (a) pages were unlinked,
/// (b) increment the epoch to e, (c) process-wide barrier, (d) read all slots; the pages are free when every slot is 0 or
/// at least e. Why that holds: a reader whose store (2) is not visible at (d) had not executed it at (c), so its loads (3)
/// come after (c) and see the unlinking; a reader that stored e or more read the epoch after (b), so it sees (a) too.
/// </remarks>
internal static unsafe partial class TableReclamation
{
    private const int SlotBytes = 128;
    private const int SlotsInBlock = 64;

    /// <summary>The epoch, on cache lines of its own: it changes once for a batch of freed pages.</summary>
    internal static readonly ulong* Epoch = NewEpoch();

    private static readonly Lock Registry = new();
    private static readonly Stack<nint> FreeSlots = new();
    private static nint[] s_slots = [];

    [ThreadStatic]
    private static ulong* t_slot;

    /// <summary>
    /// The epoch; acquire. A page is written again only in a later epoch than the one in which it was unlinked, so what was read
    /// from a page between two equal epochs is what it held before, even without a section.
    /// </summary>
    internal static ulong CurrentEpoch
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Volatile.Read(ref *Epoch);
    }

    /// <summary>Begins a read section; pages unlinked from now on stay untouched until <see cref="Exit"/>.</summary>
    /// <returns>A token for <see cref="Exit"/>; sections nest.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ReadSection Enter()
    {
        ulong* slot = t_slot;
        if (slot == null)
        {
            slot = RegisterThread();
        }

        ulong outer = *slot;
        if (outer == 0)
        {
            // The store may still be in the store buffer while the walk's loads run; the barrier in Reclaim makes up for it.
            Volatile.Write(ref *slot, Volatile.Read(ref *Epoch));
        }

        return new ReadSection(slot, outer);
    }

    /// <summary>Ends a read section.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Exit(ReadSection section)
    {
        // Release: the walk's loads come before it. Without that a load could move past it and meet a recycled page.
        Volatile.Write(ref *section.Slot, section.Outer);
    }

    /// <summary>Starts a new epoch, after everything that the caller has unlinked.</summary>
    internal static ulong Advance() => Interlocked.Increment(ref *Epoch);

    /// <summary>
    /// The oldest epoch in which a reader may still be; <see cref="ulong.MaxValue"/> when there is none. Pages sealed by
    /// an <see cref="Advance"/> that returned this value or less are free.
    /// </summary>
    internal static ulong OldestReader()
    {
        // Forces every running reader's slot store out of its store buffer. Without it a reader that has stored its epoch,
        // invisibly to us, and then loaded a pointer to the page would be missed.
        Interlocked.MemoryBarrierProcessWide();
        ulong oldest = ulong.MaxValue;
        foreach (nint address in Volatile.Read(ref s_slots))
        {
            ulong epoch = Volatile.Read(ref *(ulong*)address);
            if (epoch != 0 && epoch < oldest)
            {
                oldest = epoch;
            }
        }

        return oldest;
    }

    /// <summary>
    /// Waits until every read section that was open has ended. Read sections are a handful of loads, so it spins. Not to be
    /// called inside one.
    /// </summary>
    internal static void WaitForReaders()
    {
        ulong epoch = Advance();
        var spin = default(SpinWait);
        while (OldestReader() < epoch)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong* RegisterThread()
    {
        _ = ThreadTables.Current;
        return t_slot;
    }

    private static ulong* NewEpoch()
    {
        var memory = (ulong*)NativeMemory.AlignedAlloc(SlotBytes, SlotBytes);
        *memory = 1;
        return memory;
    }

    /// <summary>Gives the calling thread a slot.</summary>
    private static nint TakeSlot()
    {
        lock (Registry)
        {
            if (FreeSlots.Count == 0)
            {
                var block = (byte*)NativeMemory.AlignedAlloc(SlotBytes * SlotsInBlock, SlotBytes);
                NativeMemory.Clear(block, SlotBytes * SlotsInBlock);
                nint[] slots =
                [
                    .. s_slots,
                    .. Enumerable.Range(0, SlotsInBlock).Select(i => (nint)(block + (i * SlotBytes))),
                ];
                foreach (nint slot in slots.AsSpan(s_slots.Length))
                {
                    FreeSlots.Push(slot);
                }

                Volatile.Write(ref s_slots, slots);
            }

            return FreeSlots.Pop();
        }
    }

    private static void GiveSlot(nint slot)
    {
        // A thread that died inside a section reads nothing any more.
        Volatile.Write(ref *(ulong*)slot, 0);
        lock (Registry)
        {
            FreeSlots.Push(slot);
        }
    }

    /// <summary>An open read section.</summary>
    internal readonly ref struct ReadSection(ulong* slot, ulong outer)
    {
        internal readonly ulong* Slot = slot;
        internal readonly ulong Outer = outer;

        /// <summary><see cref="Exit"/>, for using.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Dispose() => Exit(this);
    }
}
