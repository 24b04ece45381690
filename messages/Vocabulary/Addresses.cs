using System.Diagnostics;

namespace Iommufd.Messages;

/// <summary>Sizes of the host's memory: the CPU page, 4096 bytes.</summary>
public static class HostPage
{
    /// <summary>Bytes in a page.</summary>
    public const ulong Size = 4096;

    /// <summary>log2 of <see cref="Size"/>.</summary>
    public const int Shift = 12;

    /// <summary>Mask of the bits inside a page.</summary>
    public const ulong OffsetMask = Size - 1;
}

/// <summary>A physical page frame number: the physical address divided by 4096.</summary>
/// <param name="Value">The frame number.</param>
public readonly record struct Pfn(ulong Value) : IComparable<Pfn>
{
    /// <summary>The physical address of the frame's first byte.</summary>
    public ulong Address => Value << HostPage.Shift;

    /// <summary>The frame that holds a physical address.</summary>
    public static Pfn Containing(ulong physicalAddress) => new(physicalAddress >> HostPage.Shift);

    /// <inheritdoc/>
    public int CompareTo(Pfn other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => $"pfn:{Value:x}";
}

/// <summary>A run of physically contiguous page frames.</summary>
/// <param name="First">The first frame.</param>
/// <param name="Count">Number of frames, at least 1.</param>
public readonly record struct PfnRun(Pfn First, ulong Count);

/// <summary>
/// A non-empty range of 64-bit I/O virtual addresses; both ends are part of it, so the range that ends at
/// 2^64 - 1 can be expressed.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
public readonly record struct IovaRange
{
    /// <summary>Makes a range of both ends inclusive.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="last"/> is below <paramref name="first"/>.</exception>
    public IovaRange(ulong first, ulong last)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(last, first);
        First = first;
        Last = last;
    }

    /// <summary>The whole address space.</summary>
    public static IovaRange All => new(0, ulong.MaxValue);

    /// <summary>The first address.</summary>
    public ulong First { get; }

    /// <summary>The last address, inclusive.</summary>
    public ulong Last { get; }

    /// <summary>Length in bytes; 0 stands for 2^64, the whole space.</summary>
    public ulong Length => unchecked(Last - First + 1);

    /// <summary>Makes a range from its first address and a length of 1 byte or more; false where it passes 2^64 - 1.</summary>
    public static bool TryFromLength(ulong first, ulong length, out IovaRange range)
    {
        if (length == 0 || first > ulong.MaxValue - (length - 1))
        {
            range = default;
            return false;
        }

        range = new IovaRange(first, first + (length - 1));
        return true;
    }

    /// <summary>Whether an address lies inside.</summary>
    public bool Contains(ulong iova) => iova >= First && iova <= Last;

    /// <summary>Whether another range lies inside.</summary>
    public bool Contains(IovaRange other) => other.First >= First && other.Last <= Last;

    /// <summary>Whether the two ranges share an address.</summary>
    public bool Overlaps(IovaRange other) => First <= other.Last && other.First <= Last;

    /// <inheritdoc/>
    public override string ToString() => $"[0x{First:x}..0x{Last:x}]";
}
