using Iommufd.Messages;

namespace Iommufd.Core.Pages;

// fork: what a child's address space starts with.
public sealed partial class ProcessMemory
{
    /// <summary>
    /// Fills a new address space as fork does: private memory is copied page by page, files stay shared. Pins are not copied: a
    /// frame that is pinned stays with this process, and the child gets another one with the same bytes, as the kernel copies
    /// pinned pages at once. Called where the mappings of this process are changed.
    /// </summary>
    /// <param name="child">The child's memory, with nothing mapped.</param>
    public void ForkInto(ProcessMemory child)
    {
        ArgumentNullException.ThrowIfNull(child);
        Invariant.Holds(child._mappings.Length == 0, "a child starts with an empty address space");
        Mapping[] mappings = _mappings;
        var copied = new Mapping[mappings.Length];
        for (int i = 0; i < mappings.Length; i++)
        {
            copied[i] = ForChild(mappings[i]);
        }

        child._mappings = copied;
    }

    private Mapping ForChild(Mapping mapping)
    {
        mapping.File?.Acquire();
        if (!mapping.OwnsPages)
        {
            return mapping;
        }

        ulong pages = (mapping.End - mapping.Start) >> HostPage.Shift;
        var backing = new BackingPages(
            _physical,
            mapping.Backing.IsHuge,
            mapping.FirstPage + pages,
            mapping.File?.Backing
        );
        mapping.Backing.CopyTo(mapping.FirstPage, pages, backing);
        return mapping with { Backing = backing };
    }
}
