using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Persistence.Tests;

/// <summary>Journals that are long enough for several contexts to be restored at the same time.</summary>
public sealed class LongJournalTests : IDisposable
{
    private const int Pairs = 5_200;
    private readonly TestJournal _journals = new();

    public void Dispose() => _journals.Dispose();

    [Fact]
    public void Contexts_restored_at_the_same_time_are_those_that_the_index_leads_to()
    {
        var path = _journals.Write("a.db", Long(1), Long(2), [.. Long(3), new IoasAllocated(7)]);
        using var journal = JournalFile.Open(path);
        var replay = JournalReplay.Run(journal);
        var then = PointInTime.Of(path);
        Assert.Equal((then.Digest, then.Events), (replay.Digest, replay.Events));
        // Of each context what is there: its open and two IOASes, one of them alone in the third.
        Assert.Equal(3 * 3 + 1, then.Applied);
    }

    [Fact]
    public void What_is_wrong_with_the_first_damaged_context_is_said()
    {
        List<ContextEvent> damaged = [.. Long(2), new ObjectDestroyed(77)];
        var path = _journals.Write("a.db", Long(1), damaged, damaged);
        using var journal = JournalFile.Open(path);
        var wrong = Assert.Throws<JournalFormatException>(() => JournalReplay.Run(journal));
        Assert.Contains("of context 2 (ObjectDestroyed)", wrong.Message, StringComparison.Ordinal);
    }

    private static List<ContextEvent> Long(int number)
    {
        List<ContextEvent> events =
        [
            new ContextOpened(EventTypes.Version, number, 1),
            new IoasAllocated(1),
            new IoasAllocated(2),
        ];
        for (var i = 0; i < Pairs; i++)
        {
            events.Add(new IoasAllocated(3));
            events.Add(new ObjectDestroyed(3));
        }

        return events;
    }
}
