using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Iommufd.Core.Tests")]

namespace Iommufd.Core.PageTables;

/// <summary>
/// A test hook: one ordering of the protocol taken away. Where a processor might keep the order even without the instruction, the
/// walker does the two steps in the other order, which is what the missing instruction allows. A format chooses it
/// (<see cref="IIopteFormat.Weakened"/>), so the real formats compile to code without it.
/// </summary>
internal enum OrderingFault
{
    /// <summary>The protocol as it is.</summary>
    None,

    /// <summary>Dirty marks are set by a plain store.</summary>
    PlainDirtyMark,

    /// <summary>Dirty marks are cleared by a plain store.</summary>
    PlainDirtyClear,

    /// <summary>A missing table is linked by a plain store.</summary>
    PlainLink,

    /// <summary>A table is linked before it is filled.</summary>
    LinkBeforeFill,

    /// <summary>A table taken off the tree is used again at once.</summary>
    NoGracePeriod,

    /// <summary>A translation begins (or ends) its read section on the wrong side of its loads.</summary>
    ReadOutsideSection,

    /// <summary>A translation without a section does not look at the epoch again.</summary>
    NoEpochCheck,

    /// <summary>A translation without a section looks at the epoch again only at its end, after following a pointer.</summary>
    LateEpochCheck,

    /// <summary>A table taken off is forgotten by the cache only after it was retired.</summary>
    ForgetAfterRetire,

    /// <summary>Tables taken off the tree are not counted.</summary>
    NoDetachCount,

    /// <summary>A table is counted as taken off before it is.</summary>
    CountBeforeUnlink,

    /// <summary>A merge carries dirty marks over without waiting for devices that hold the old entries.</summary>
    NoMergeWait,

    /// <summary>A merge or split replaces a live entry by a plain store.</summary>
    PlainReplace,
}
