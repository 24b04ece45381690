using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Iommufd.Bench.Iopte;

/// <summary>What the machine itself can do, in the same words as the page tables' work.</summary>
internal sealed unsafe class RawLimits : IDisposable
{
    private const int Batch = 4096;
    private const int EntriesIn2M = 2 * 1024 * 1024 / 8;
    private const int EntriesIn8M = 8 * 1024 * 1024 / 8;

    private readonly ulong* _span = Allocate(2 * 1024 * 1024);
    private readonly ulong* _small = Allocate(2 * 1024 * 1024);
    private readonly ulong* _large = Allocate(8 * 1024 * 1024);
    private readonly int[] _order = new int[Batch];
    private ulong _word;
    private int _storeAt;
    private int _loadAt;
    private ulong _chase;
    private ulong _smallChase;
    private ulong _sink;

    internal RawLimits()
    {
        var random = new Random(1);
        Cycle(_small, 32 * 1024 / 8, random);
        Cycle(_large, EntriesIn8M, random);
        for (int i = 0; i < Batch; i++)
        {
            _order[i] = random.Next(EntriesIn8M);
        }

        CompareAndSwap = new Measured("uncontended compare-and-swap", Batch, SwapLoop);
        StoreLoop = new Measured("512-bit store loop over 256 entries, in 2 MiB", 64, Store256);
        StoreLoopHot = new Measured("512-bit store loop over 256 entries, hot", 64, Store256Hot);
        StoreHot = new Measured("512-bit store loop over 512 entries, hot", 64, StoreTable);
        SmallChase = new Measured("dependent load, 32 KiB", Batch, ChaseSmall);
        LargeChase = new Measured("dependent load, 8 MiB", Batch, ChaseLarge, VisitLarge);
        LargeLoad = new Measured("independent load, 8 MiB", Batch, LoadLarge, VisitLarge);
    }

    internal Measured CompareAndSwap { get; }

    /// <summary>256 entries at a time through a span of 2 MiB: the anchor of the targets.</summary>
    internal Measured StoreLoop { get; }

    /// <summary>The same 256 entries again and again.</summary>
    internal Measured StoreLoopHot { get; }

    internal Measured StoreHot { get; }

    internal Measured SmallChase { get; }

    internal Measured LargeChase { get; }

    internal Measured LargeLoad { get; }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_span);
        NativeMemory.AlignedFree(_small);
        NativeMemory.AlignedFree(_large);
        GC.KeepAlive(_sink);
    }

    /// <summary>Memory on huge pages where the system gives them.</summary>
    internal static ulong* Allocate(nuint bytes)
    {
        const nuint HugePage = 2 * 1024 * 1024;
        var memory = (ulong*)NativeMemory.AlignedAlloc(bytes, HugePage);
        if (OperatingSystem.IsLinux())
        {
            _ = NativeCalls.AdviseMemory(memory, bytes, NativeCalls.HugePages);
        }

        NativeMemory.Clear(memory, bytes);
        return memory;
    }

    /// <summary>One random cycle through all elements.</summary>
    private static void Cycle(ulong* memory, int count, Random random)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        random.Shuffle(order);
        for (int i = 0; i < count; i++)
        {
            memory[order[i]] = (ulong)order[(i + 1) % count];
        }
    }

    private void SwapLoop()
    {
        for (int i = 0; i < Batch; i++)
        {
            Interlocked.CompareExchange(ref _word, (ulong)i + 1, (ulong)i);
        }

        _word = 0;
    }

    private void Store256()
    {
        for (int i = 0; i < 64; i++)
        {
            Fill(_span + _storeAt, 256);
            _storeAt = (_storeAt + 256) % EntriesIn2M;
        }
    }

    private void Store256Hot()
    {
        for (int i = 0; i < 64; i++)
        {
            // Eight places in turns, as the page tables' hot runs.
            Fill(_small + EntriesIn2M - 4096 + ((i & 7) * 256), 256);
        }
    }

    private void StoreTable()
    {
        for (int i = 0; i < 64; i++)
        {
            Fill(_small + EntriesIn2M - 512, 512);
        }
    }

    private static void Fill(ulong* to, int count)
    {
        Vector512<ulong> words = Vector512.Create(0x1003UL) + (Vector512<ulong>.Indices * 4096);
        Vector512<ulong> advance = Vector512.Create(8 * 4096UL);
        for (int i = 0; i < count; i += 8)
        {
            words.Store(to + i);
            words += advance;
        }
    }

    private void ChaseSmall() => _smallChase = Chase(_small, _smallChase);

    private void ChaseLarge() => _chase = Chase(_large, _chase);

    private static ulong Chase(ulong* memory, ulong at)
    {
        for (int i = 0; i < Batch; i++)
        {
            at = memory[at];
        }

        return at;
    }

    private void VisitLarge()
    {
        for (int i = 0; i < EntriesIn8M; i++)
        {
            _sink += _large[i];
        }
    }

    private void LoadLarge()
    {
        // A new offset each time, so that the 4096 places do not stay in the cache.
        ulong sum = 0;
        _loadAt = (_loadAt + 7919) & (EntriesIn8M - 1);
        foreach (int place in _order)
        {
            sum += _large[(place + _loadAt) & (EntriesIn8M - 1)];
        }

        _sink += sum;
    }
}

/// <summary>System calls of the benchmarks.</summary>
internal static unsafe partial class NativeCalls
{
    internal const int HugePages = 14;
    private const int ThreadCpuTime = 3;

    /// <summary>CPU time of the calling thread.</summary>
    internal static double ThreadNanoseconds()
    {
        var time = default(TimeSpec);
        _ = ClockGetTime(ThreadCpuTime, &time);
        return (time.Seconds * 1e9) + time.Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    internal static partial int AdviseMemory(void* address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, TimeSpec* time);

    private struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }
}
