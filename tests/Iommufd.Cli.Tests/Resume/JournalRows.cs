using System.Globalization;
using Iommufd.Messages.Events;
using Iommufd.Persistence;
using Microsoft.Data.Sqlite;

namespace Iommufd.Cli.Tests.Resume;

/// <summary>A journal's rows as they stand in the file, and what a kill or a disk can do to them.</summary>
internal static class JournalRows
{
    /// <summary>Every row with all that is stored of it, in the order of the file.</summary>
    public static List<string> Of(string file)
    {
        using SqliteConnection connection = Open(file);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText =
            "SELECT ordering, persistence_id, sequence_nr, timestamp, serializer_id, hex(payload) FROM event_journal ORDER BY ordering";
        using SqliteDataReader reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(string.Join(' ', Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetValue(i))));
        }

        return rows;
    }

    /// <summary>Copies a journal as it was after its first rows.</summary>
    public static void CopyFirst(string from, string to, int rows)
    {
        File.Copy(from, to, overwrite: true);
        Change(to, string.Create(CultureInfo.InvariantCulture, $"DELETE FROM event_journal WHERE ordering > {rows}"));
    }

    /// <summary>Makes the journal of a seeded run one of a run that cannot be repeated.</summary>
    public static void ForgetSeed(string file)
    {
        using JournalFile journal = JournalFile.Open(file);
        byte[] payload = EventPayload.ToBytes(journal.ReadRun()!.Started with { IsSeeded = false });
        Change(
            file,
            $"UPDATE event_journal SET payload = x'{Convert.ToHexString(payload)}' "
                + $"WHERE persistence_id = '{RunStream.PersistenceId}' AND sequence_nr = 1"
        );
    }

    /// <summary>Changes a journal behind the program's back.</summary>
    public static void Change(string file, string sql)
    {
        using SqliteConnection connection = Open(file);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>
    /// Asks a journal for everything that was acknowledged: each line names the last event that its reply could show, and the hash of
    /// the stream up to it.
    /// </summary>
    /// <returns>How many replies were checked.</returns>
    public static int CheckReplies(string file, IEnumerable<string> lines)
    {
        var acknowledged = lines
            .Where(l => l.StartsWith("iommufd-", StringComparison.Ordinal))
            .Select(l => l.Split(' '))
            .ToList();
        using JournalFile journal = JournalFile.Open(file);
        foreach (IGrouping<string, string[]> stream in acknowledged.GroupBy(l => l[0]))
        {
            var chains = new List<ulong> { ReplyLog.EmptyChain };
            foreach (JournaledEvent journaled in journal.Read(stream.Key))
            {
                chains.Add(ReplyLog.Chain(chains[^1], EventPayload.ToBytes(journaled.Event)));
            }

            foreach (string[] line in stream)
            {
                int sequence = int.Parse(line[1], CultureInfo.InvariantCulture);
                Assert.True(
                    sequence < chains.Count,
                    $"acknowledged and lost: {string.Join(' ', line)}; the stream ends with {chains.Count - 1}"
                );
                Assert.Equal(line[2], chains[sequence].ToString("x16", CultureInfo.InvariantCulture));
            }
        }

        return acknowledged.Count;
    }

    private static SqliteConnection Open(string file)
    {
        var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        return connection;
    }
}
