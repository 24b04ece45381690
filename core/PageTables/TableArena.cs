using System.Runtime.InteropServices;

namespace Iommufd.Core.PageTables;

// Table memory, bottom to top: TableArena (2 MiB slabs, a shared free list), TableReclamation (who may still be reading
// a page; per-thread caches of free pages), PageTable (links pages into trees).

/// <summary>
/// Hands out 4 KiB table pages cut from 2 MiB slabs that the kernel is asked to back with one huge page each: a walk of
/// scattered tables is bound by TLB misses otherwise. Slabs are shared by all tables of the process and never given back,
/// so that a stale pointer can never fault.
/// </summary>
internal static unsafe partial class TableArena
{
    internal const int PageBytes = 4096;
    private const nuint SlabBytes = 2 * 1024 * 1024;
    private const int AdviceHugePage = 14;

    private static readonly Lock Gate = new();
    private static readonly Stack<nint> Free = new();
    private static byte* s_slabNext;
    private static byte* s_slabEnd;
    private static long s_slabs;

    /// <summary>Slabs taken from the system so far.</summary>
    internal static long Slabs => Volatile.Read(ref s_slabs);

    /// <summary>Bytes of these slabs.</summary>
    internal static long Bytes => Slabs * (long)SlabBytes;

    /// <summary>Fills an array with pages of unknown content; false when the system has no memory.</summary>
    internal static bool TryTake(Span<nint> pages)
    {
        lock (Gate)
        {
            for (int i = 0; i < pages.Length; i++)
            {
                if (Free.TryPop(out pages[i]))
                {
                    continue;
                }

                if (s_slabNext == s_slabEnd && !TryAddSlab())
                {
                    Return(pages[..i]);
                    return false;
                }

                pages[i] = (nint)s_slabNext;
                s_slabNext += PageBytes;
            }
        }

        return true;
    }

    /// <summary>Takes pages back that nobody can be reading any more.</summary>
    internal static void Return(ReadOnlySpan<nint> pages)
    {
        lock (Gate)
        {
            foreach (nint page in pages)
            {
                Free.Push(page);
            }
        }
    }

    private static bool TryAddSlab()
    {
        byte* slab;
        try
        {
            slab = (byte*)NativeMemory.AlignedAlloc(SlabBytes, SlabBytes);
        }
        catch (OutOfMemoryException)
        {
            return false;
        }

        if (OperatingSystem.IsLinux())
        {
            // Only advice: without huge pages everything works, slower.
            _ = AdviseMemory(slab, SlabBytes, AdviceHugePage);
        }

        s_slabNext = slab;
        s_slabEnd = slab + SlabBytes;
        Interlocked.Increment(ref s_slabs);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int AdviseMemory(void* address, nuint length, int advice);
}
