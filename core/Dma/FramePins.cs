using System.Runtime.CompilerServices;
using Iommufd.Core.Pages;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

/// <summary>What the machine's memory knows of its frames: pinned, or lent to devices that share a table with a CPU. Any thread.</summary>
/// <param name="physical">The machine's memory.</param>
public sealed class FramePins(PhysicalMemory physical) : IPinOracle
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsPinned(Pfn pfn) => physical.IsPinned(pfn) || physical.IsLent(pfn);
}
