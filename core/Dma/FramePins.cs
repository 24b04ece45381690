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

    /// <summary>Asks for the cache lines that <see cref="IsPinned"/> will read.</summary>
    /// <param name="addresses">Physical addresses; those that are not in memory are passed over.</param>
    public void Fetch(ReadOnlySpan<ulong> addresses)
    {
        foreach (ulong address in addresses)
        {
            physical.FetchPins(Pfn.Containing(address));
        }
    }
}
