using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Persistence.Tests;

/// <summary>From an event as it was and as it is overwritten follows which objects differ.</summary>
public sealed class ChangedEventTests : IDisposable
{
    private readonly TestJournal _journals = new();
    private static readonly LargePagesSet Right = new(2, Enabled: false);
    private static readonly LargePagesSet Wrong = new(1, Enabled: false);

    public void Dispose() => _journals.Dispose();

    [Fact]
    public void The_objects_that_the_two_leave_differently_are_named_and_no_others()
    {
        using var journal = Journal(DigestWith(Right));

        var objects = ChangedEvent.Objects(journal, new EventDifference("iommufd-1", 5, Wrong, Right), At(journal));

        Assert.NotNull(objects);
        Assert.Equal(["Ioas 1", "Ioas 2"], objects.Select(o => o.Name));
    }

    [Fact]
    public void An_event_that_does_not_lead_to_the_digest_is_not_all_that_was_changed()
    {
        using var journal = Journal(digest: 1);

        Assert.Null(ChangedEvent.Objects(journal, new EventDifference("iommufd-1", 5, Wrong, Right), At(journal)));
    }

    private JournalFile Journal(ulong digest) =>
        JournalFile.Open(_journals.Write("changed.db", [.. Events(Wrong), new DigestRecorded(digest)]));

    private static DigestMismatch At(JournalFile journal)
    {
        var replay = JournalReplay.Run(journal);
        return Assert.Single(replay.Mismatches);
    }

    private static ulong DigestWith(ContextEvent last)
    {
        var context = new ReplayedContext(1);
        Events(last).ForEach(context.Apply);
        return context.Digest;
    }

    private static List<ContextEvent> Events(ContextEvent last) =>
        [
            new ContextOpened(EventTypes.Version, 1, 1),
            new IoasAllocated(1),
            new IoasAllocated(2),
            new IoasAllocated(3),
            last,
        ];
}
