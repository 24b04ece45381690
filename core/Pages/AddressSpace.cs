using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Core.Pages;

/// <summary>One mapping of an address space: immutable, whole pages.</summary>
/// <param name="Start">First address.</param>
/// <param name="End">Address after the last one.</param>
/// <param name="Protection">What the process may do.</param>
/// <param name="Backing">The pages.</param>
/// <param name="FirstPage">Index in <paramref name="Backing"/> of the page at <paramref name="Start"/>.</param>
/// <param name="File">The file that is mapped; null for memory without one, which goes with the mapping.</param>
/// <param name="Private">Whether a mapping of a file keeps what is written to itself: its own pages go with it.</param>
internal sealed record Mapping(
    ulong Start,
    ulong End,
    MemoryProtection Protection,
    BackingPages Backing,
    ulong FirstPage,
    MemoryFile? File,
    bool Private = false
)
{
    /// <summary>Whether the pages are the mapping's own, and go with it.</summary>
    public bool OwnsPages => File is null || Private;

    /// <summary>Index in the backing of the page that holds an address.</summary>
    public ulong PageOf(ulong address) => FirstPage + ((address - Start) >> HostPage.Shift);

    /// <summary>The part of this mapping between two addresses inside it.</summary>
    public Mapping Cut(ulong start, ulong end) => this with { Start = start, End = end, FirstPage = PageOf(start) };

    /// <summary>Whether reading, or writing, is allowed and the page is there to be had.</summary>
    public bool Allows(ulong address, bool write)
    {
        MemoryProtection needed = write ? MemoryProtection.Write : MemoryProtection.Read | MemoryProtection.Write;
        return (Protection & needed) != 0 && (File is null || File.Reaches(PageOf(address)));
    }
}

/// <summary>The mappings of a process: an array sorted by address, never changed, replaced as a whole.</summary>
internal static class AddressSpace
{
    /// <summary>Index of the mapping that holds an address, or the complement of where it would stand.</summary>
    public static int Find(Mapping[] mappings, ulong address)
    {
        int low = 0;
        int high = mappings.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            Mapping mapping = mappings[middle];
            if (address < mapping.Start)
            {
                high = middle - 1;
            }
            else if (address >= mapping.End)
            {
                low = middle + 1;
            }
            else
            {
                return middle;
            }
        }

        return ~low;
    }

    /// <summary>The mappings with another one added in a free place.</summary>
    public static Mapping[] With(Mapping[] mappings, Mapping added)
    {
        int at = ~Find(mappings, added.Start);
        var result = new Mapping[mappings.Length + 1];
        Array.Copy(mappings, result, at);
        result[at] = added;
        Array.Copy(mappings, at, result, at + 1, mappings.Length - at);
        return result;
    }

    /// <summary>The mappings without a range, and the pieces that were cut out of it.</summary>
    public static Mapping[] Without(Mapping[] mappings, ulong start, ulong end, List<Mapping> cutOut)
    {
        var result = new List<Mapping>(mappings.Length + 1);
        foreach (Mapping mapping in mappings)
        {
            if (mapping.End <= start || mapping.Start >= end)
            {
                result.Add(mapping);
                continue;
            }

            ulong from = Math.Max(start, mapping.Start);
            ulong to = Math.Min(end, mapping.End);
            if (mapping.Start < from)
            {
                result.Add(mapping.Cut(mapping.Start, from));
            }

            cutOut.Add(mapping.Cut(from, to));
            if (to < mapping.End)
            {
                result.Add(mapping.Cut(to, mapping.End));
            }
        }

        return [.. result];
    }
}
