namespace Iommufd.Messages;

/// <summary>
/// Where the PFNs of an area's pages can be read back once a domain holds them: the IOPTEs of the area's storage
/// domain. Reading takes no lock and is safe from any thread.
/// </summary>
public interface IPfnSource
{
    /// <summary>The PFN that the domain maps for a page of the page set.</summary>
    /// <param name="pageIndex">Index of the page in its page set; the area must cover it.</param>
    /// <param name="pfn">The frame.</param>
    /// <returns>False when the domain maps nothing there, which is a broken invariant.</returns>
    bool TryReadPfn(ulong pageIndex, out Pfn pfn);

    /// <summary>The PFNs of pages that follow each other.</summary>
    /// <param name="firstIndex">Index of the first page.</param>
    /// <param name="pfns">As many pages as there is room for; the area must cover them.</param>
    /// <returns>Pages read; fewer than asked for where the domain maps nothing for the next one.</returns>
    int ReadPfns(ulong firstIndex, Span<Pfn> pfns)
    {
        for (var i = 0; i < pfns.Length; i++)
        {
            if (!TryReadPfn(firstIndex + (ulong)i, out pfns[i]))
            {
                return i;
            }
        }

        return pfns.Length;
    }
}

/// <summary>Pages that one operation newly pinned: consecutive pages of a page set on consecutive frames.</summary>
/// <param name="PageSet">Number of the page set.</param>
/// <param name="FirstIndex">Index of the first page in the page set.</param>
/// <param name="Run">The frames.</param>
public readonly record struct PinnedRun(uint PageSet, ulong FirstIndex, PfnRun Run);
