using System.Security.Cryptography;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Persistence.Tests.Support;
using Akka.Simulation;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Akka.Persistence.Tests.Sqlite;

/// <summary>On the simulation scheduler the journal is part of the schedule: the same seed writes the same rows.</summary>
public sealed class SimulatedJournalTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("akka-simulation-");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Every column of every row, in the order of the file.</summary>
    private string Run(ulong seed, string name, string journalClass)
    {
        var file = Path.Combine(_folder.FullName, name);
        var config = ConfigurationFactory.ParseString(
            JournalConfigurations.Sqlite(journalClass, $"Data Source={file}", "journal-mode = wal")
                + "\nakka.loglevel = OFF\nakka.stdout-loglevel = OFF"
        );
        var system = ActorSystem.Create(
            "simulated",
            BootstrapSetup.Create().WithConfig(config).And(new SimulationSetup(seed))
        );
        var simulation = Akka.Simulation.Simulation.Get(system);
        var results = new List<object>();
        var collector = system.ActorOf(Props.Create(() => new Collector(results)));
        var counters = Enumerable
            .Range(0, 10)
            .Select(i => system.ActorOf(Props.Create(() => new CounterActor("c-" + i, collector, null)), "c-" + i))
            .ToArray();
        for (var n = 1; n <= 5; n++)
        {
            foreach (var counter in counters)
            {
                counter.Tell(new Add(n), collector);
            }
        }

        Assert.True(simulation.RunUntil(() => results.Count(r => r is long) == 50, 100_000));
        _ = system.Terminate();
        simulation.RunUntilIdle(100_000);
        return Rows(file);
    }

    private static string Rows(string file)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            "SELECT ordering, persistence_id, sequence_nr, timestamp, hex(payload), serializer_id FROM event_journal ORDER BY ordering";
        using var reader = command.ExecuteReader();
        var rows = new global::System.Text.StringBuilder();
        while (reader.Read())
        {
            for (var i = 0; i < reader.FieldCount; i++)
            {
                rows.Append(reader.GetString(i)).Append('|');
            }

            rows.Append('\n');
        }

        return rows.ToString();
    }

    private sealed class Collector(List<object> results) : UntypedActor
    {
        protected override void OnReceive(object message) => results.Add(message);
    }

    [Theory]
    [InlineData("SqliteJournal")]
    [InlineData("BatchingSqliteJournal")]
    public void The_same_seed_writes_the_same_rows(string journalClass)
    {
        for (ulong seed = 1; seed <= 5; seed++)
        {
            var first = Run(seed, $"{seed}-a.db", journalClass);
            Assert.Equal(50, first.Count(c => c == '\n'));
            Assert.Equal(first, Run(seed, $"{seed}-b.db", journalClass));
        }
    }

    [Fact]
    public void Different_seeds_write_in_different_orders()
    {
        var orders = Enumerable.Range(1, 6).Select(s => Run((ulong)s, $"{s}.db", "BatchingSqliteJournal"));
        Assert.True(
            orders
                .Select(o => Convert.ToHexString(SHA256.HashData(global::System.Text.Encoding.UTF8.GetBytes(o))))
                .Distinct()
                .Count() > 1
        );
    }

    [Fact]
    public void Virtual_time_stands_in_the_rows()
    {
        var row = Run(3, "time.db", "SqliteJournal").Split('|')[3];
        var year = new DateTime(long.Parse(row, global::System.Globalization.CultureInfo.InvariantCulture)).Year;
        Assert.Equal(2000, year);
    }
}
