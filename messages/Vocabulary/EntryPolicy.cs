namespace Iommufd.Messages;

/// <summary>
/// How large the entries of a HWPT's page table are kept at run time (docs/decisions/0005-entry-size-change.md). What is translated to
/// what never depends on it.
/// </summary>
[Flags]
public enum EntryPolicy : uint
{
    /// <summary>As Linux: entries keep the size that the map gave them.</summary>
    AsMapped = 0,

    /// <summary>
    /// Entries whose frames follow each other become one as soon as they can, across mappings too; it is split when a mapping that it
    /// holds a part of goes. Mappings that were installed page by page (HUGE_PAGES 0) stay as they are.
    /// </summary>
    Promote = 1,

    /// <summary>
    /// While dirty pages are tracked, entries are of the smallest size that is a page or more, so that one page is reported at a time.
    /// </summary>
    SplitForTracking = 2,

    /// <summary>All of it.</summary>
    Known = Promote | SplitForTracking,
}
