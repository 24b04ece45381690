using System.Runtime.CompilerServices;
using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

/// <summary>Where a device's traffic stands: the next block of any pattern follows from it. A value: a batch works on a copy.</summary>
/// <param name="seed">Seed of what is random.</param>
internal struct DmaTraffic(ulong seed)
{
    /// <summary>Blocks of a sequential run of the streaming pattern, and of a list of the scatter-gather pattern.</summary>
    private const int StreamBlocks = 256;
    private const int ListBlocks = 16;

    private DmaRandom _random = new(seed);

    /// <summary>Blocks left in the current run or list.</summary>
    private int _runLeft;

    /// <summary>Offset of the next block in the window.</summary>
    private ulong _position;

    /// <summary>Bytes of each block, and the offset in the window where the last one can begin.</summary>
    internal static ulong BytesOf(in DmaPattern pattern, out ulong lastStart)
    {
        ulong room = pattern.Window.Last - pattern.Window.First;
        ulong bytes = (ulong)pattern.BlockBytes - 1 > room ? room + 1 : (ulong)pattern.BlockBytes;
        lastStart = room - (bytes - 1);
        return bytes;
    }

    /// <summary>The next block.</summary>
    internal DmaBlock Next(in DmaPattern pattern)
    {
        ulong bytes = BytesOf(pattern, out ulong lastStart);
        ulong iova = pattern.Window.First + NextOffset(pattern.Kind, lastStart, bytes);
        return new DmaBlock(iova, bytes, NextAccess(pattern.WritePercent));
    }

    /// <summary>What the block does whose offset was asked for last.</summary>
    /// <remarks>Read is 1 and Write 2; a branch would be mispredicted every other time.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal IoptePermissions NextAccess(int writePercent) =>
        IoptePermissions.Read + (_random.Below(100) < (ulong)writePercent ? 1 : 0);

    /// <summary>Where the next block begins in the window: 0 to <paramref name="lastStart"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong NextOffset(DmaPatternKind kind, ulong lastStart, ulong bytes)
    {
        switch (kind)
        {
            case DmaPatternKind.Ring:
                ulong offset = _position <= lastStart ? _position : 0;
                _position = offset + bytes;
                return offset;
            case DmaPatternKind.Streaming:
                if (_runLeft-- <= 0 || _position > lastStart)
                {
                    _runLeft = StreamBlocks - 1;
                    _position = AnyPage(lastStart);
                }

                _position += bytes;
                return _position - bytes;
            case DmaPatternKind.ScatterGather:
                if (_runLeft-- <= 0 || _position > lastStart)
                {
                    _runLeft = ListBlocks - 1;
                    _position = AnyPage(lastStart);
                }

                return Math.Min(lastStart, _position + (_random.Below(4 * ListBlocks) << HostPage.Shift));
            default:
                return AnyPage(lastStart);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong AnyPage(ulong lastStart)
    {
        ulong any = lastStart == ulong.MaxValue ? _random.Next() : _random.Below(lastStart + 1);
        return any & ~HostPage.OffsetMask;
    }
}

/// <summary>A small deterministic generator (SplitMix64): equal seeds give equal sequences on every machine.</summary>
internal struct DmaRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The next 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong Next()
    {
        ulong z = _state += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number below a bound.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong Below(ulong bound) => Math.BigMul(Next(), bound, out _);
}
