using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Linearizability;

/// <summary>What a call does to, or asks of, one IOAS.</summary>
internal enum IoasAction
{
    /// <summary>The IOAS comes into being.</summary>
    Appear,

    /// <summary>The IOAS goes.</summary>
    Vanish,

    /// <summary>An area is inserted.</summary>
    Insert,

    /// <summary>The areas of a range go, lowest first, each at an instant of its own.</summary>
    Remove,

    /// <summary>Areas with certain permissions cover a range: an access, or the source of a COPY.</summary>
    Look,
}

/// <summary>
/// One call as one IOAS sees it: when it was made and answered, what it asked for, and, once it is answered, what came of it. A COPY is
/// two of these, in the histories of its source and of its destination.
/// </summary>
internal sealed class IoasCall
{
    private readonly List<IoasCall> _concurrent = [];

    /// <summary>The call's number in its context.</summary>
    public required long Number { get; init; }

    /// <summary>What it is.</summary>
    public required IoasAction Action { get; init; }

    /// <summary>The call, for messages.</summary>
    public required IoctlCommand Command { get; init; }

    /// <summary>When it was made, in the context's count of calls and answers.</summary>
    public required long MadeAt { get; init; }

    /// <summary>When it was answered; 0 while it is not.</summary>
    public long AnsweredAt { get; private set; }

    /// <summary>How it ended.</summary>
    public Errno Errno { get; private set; }

    /// <summary>The IOVAs concerned; everything where they are not known.</summary>
    public IovaRange Range { get; set; } = IovaRange.All;

    /// <summary>Whether <see cref="Range"/> stands for "whatever there is" (an UNMAP of everything).</summary>
    public bool Everything { get; init; }

    /// <summary>Insert: the area's permissions. Look: those of which one is needed, 0 for none.</summary>
    public uint Permissions { get; init; }

    /// <summary>Insert: whether the area may be several.</summary>
    public bool MayHaveSeams { get; init; }

    /// <summary>Remove: the bytes that the answer speaks of.</summary>
    public ulong Length { get; set; }

    /// <summary>Whether any answer is right: nothing is known that could contradict it, and nothing changes.</summary>
    public bool IsFree { get; set; }

    /// <summary>
    /// Whether a call that changes the same IOVAs was under way at the same time. Its areas in construction or in teardown may have been
    /// met: EEXIST, EBUSY and ENOENT are right then, whatever the areas before and after.
    /// </summary>
    public bool MetOthers { get; private set; }

    /// <summary>Whether it changes, or for a while seems to change, areas, whatever its errno.</summary>
    public bool Disturbs => Action != IoasAction.Look;

    /// <summary>Whether it is answered.</summary>
    public bool IsAnswered => AnsweredAt != 0;

    /// <summary>Whether it changes the state, if only by part (an UNMAP that failed half-way).</summary>
    public bool HasEffect =>
        !IsFree && (Action == IoasAction.Remove || (Action != IoasAction.Look && Errno == Errno.OK));

    /// <summary>Whether the two have an IOVA in common.</summary>
    public bool Touches(IoasCall other) =>
        Action is IoasAction.Appear or IoasAction.Vanish
        || other.Action is IoasAction.Appear or IoasAction.Vanish
        || Range.Overlaps(other.Range);

    /// <summary>Another call was made while this one was not answered.</summary>
    public void Meet(IoasCall other) => _concurrent.Add(other);

    /// <summary>The answer.</summary>
    public void Answer(long at, Errno errno)
    {
        (AnsweredAt, Errno) = (at, errno);
        MetOthers = _concurrent.Exists(Touches);
        _concurrent.Clear();
    }

    /// <inheritdoc/>
    public override string ToString() => CallText.Of(this);
}
