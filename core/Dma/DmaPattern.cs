using Iommufd.Messages;

namespace Iommufd.Core.Dma;

/// <summary>Shapes of DMA traffic.</summary>
public enum DmaPatternKind
{
    /// <summary>A descriptor ring: blocks one after the other, round and round the window (network queues).</summary>
    Ring,

    /// <summary>Long sequential runs that begin at random places (disk reads, copies).</summary>
    Streaming,

    /// <summary>Every block at a random place.</summary>
    Random,

    /// <summary>Lists of blocks scattered near each other, each list at a random place (scatter-gather).</summary>
    ScatterGather,
}

/// <summary>What a device does: where, in which blocks, in which order, how much of it writing.</summary>
/// <param name="Kind">The order of addresses.</param>
/// <param name="Window">The IOVAs it uses.</param>
/// <param name="BlockBytes">Bytes of one transfer, at least 1; a block that passes the window's end is moved back.</param>
/// <param name="WritePercent">Of 100 transfers, how many write to memory; the others read.</param>
/// <param name="Pasid">The address space; 0 is the device's own.</param>
/// <param name="Data">What blocks that are written put into memory.</param>
/// <param name="Fill">The byte of <see cref="DmaData.Fill"/>.</param>
public readonly record struct DmaPattern(
    DmaPatternKind Kind,
    IovaRange Window,
    int BlockBytes = 4096,
    int WritePercent = 50,
    uint Pasid = 0,
    DmaData Data = DmaData.None,
    byte Fill = 0
);

/// <summary>What a device writes. Needs an engine that knows the machine's memory.</summary>
public enum DmaData
{
    /// <summary>Nothing: only the translation is done.</summary>
    None,

    /// <summary>One byte everywhere.</summary>
    Fill,

    /// <summary>The first bytes of every page of a block get a number that no other transfer of the device has.</summary>
    Stamp,
}
