using Xunit;

namespace Iommufd.Persistence.Tests;

/// <summary>A journal's index leads to the state that replaying leads to, and is nothing but a cache.</summary>
public sealed class TimeTravelTests : IDisposable
{
    private readonly TestJournal _journals = new();

    public void Dispose() => _journals.Dispose();

    [Fact]
    public void At_any_point_the_digest_is_that_of_a_replay_up_to_there()
    {
        var path = Three();
        using var journal = JournalFile.Open(path);
        var last = journal.Count();
        for (var row = 0L; row <= last + 1; row += 7)
        {
            var then = PointInTime.Of(path, row);
            var replay = JournalReplay.Run(journal, row);
            Assert.Equal((replay.Digest, replay.Events), (then.Digest, then.Events));
        }
    }

    [Fact]
    public void The_index_is_made_once_and_read_afterwards()
    {
        var path = Three();
        Assert.True(PointInTime.Of(path, 20).IndexWasBuilt);
        Assert.True(File.Exists(path + ".index"));
        Assert.False(PointInTime.Of(path, 30).IndexWasBuilt);
    }

    [Fact]
    public void A_damaged_index_is_made_anew()
    {
        var path = Three();
        var digest = PointInTime.Of(path, 40).Digest;
        var bytes = File.ReadAllBytes(path + ".index");
        File.WriteAllBytes(path + ".index", bytes[..(bytes.Length / 2)]);
        var then = PointInTime.Of(path, 40);
        Assert.Equal((true, digest), (then.IndexWasBuilt, then.Digest));
    }

    [Fact]
    public void An_index_of_another_journal_is_not_used()
    {
        var path = Three();
        PointInTime.Of(path);
        var other = _journals.Write("other.db", new RandomHistory(9, 60).Events);
        File.Copy(path + ".index", other + ".index");
        Assert.True(PointInTime.Of(other).IndexWasBuilt);
    }

    [Fact]
    public void One_context_is_restored_without_the_others()
    {
        var then = PointInTime.Of(Three(), 50, only: 2);
        Assert.Equal(2, Assert.Single(then.Contexts).Number);
        Assert.Null(then.Digest);
    }

    [Fact]
    public void A_missing_event_is_damage()
    {
        var path = Three();
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            using var delete = connection.CreateCommand();
            delete.CommandText = "DELETE FROM event_journal WHERE ordering = 11";
            delete.ExecuteNonQuery();
        }

        var wrong = Assert.Throws<JournalFormatException>(() => PointInTime.Of(path));
        Assert.Contains("is not there", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_without_a_table_is_a_journal_of_no_events()
    {
        File.WriteAllBytes(_journals.At("empty.db"), []);
        var then = PointInTime.Of(_journals.At("empty.db"));
        Assert.Equal((0, 0), (then.Events, then.Contexts.Count));
        using var journal = JournalFile.Open(_journals.At("empty.db"));
        Assert.Empty(journal.Streams());
        Assert.Equal(0, journal.Count());
        Assert.Equal(0, JournalReplay.Run(journal).Events);
    }

    private string Three() =>
        _journals.Write(
            "three.db",
            new RandomHistory(1, 60).Close().Events,
            new RandomHistory(2, 100, number: 2).Events,
            new RandomHistory(3, 40, isPlain: true, number: 3).Close().Events
        );
}
