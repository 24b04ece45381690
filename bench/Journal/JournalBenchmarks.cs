using System.Diagnostics;
using Akka.Actor;
using Akka.Configuration;

namespace Iommufd.Bench.Journal;

/// <summary>
/// The SQLite journal with Hyperion payloads, as the product uses it: known types, no version data, the batching
/// journal, WAL. Peers are the medians of Akka.NET 1.5.30 on this kind of machine (tmpfs where it was measured there)
/// and plain prepared inserts into the same tables, measured in the same run.
/// </summary>
public static class JournalBenchmarks
{
    private const string Akka = "Akka.NET 1.5.30, batching, WAL, tmpfs";
    private const string Plain = "plain prepared inserts, same run";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Runs all of them: about half a minute.</summary>
    public static IReadOnlyList<BenchRow> Run()
    {
        var folder = Directory.CreateDirectory(
            Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), Path.GetRandomFileName())
        );
        try
        {
            var rows = new List<BenchRow>();
            var plain = PlainInserts.EventsPerSecond(FileOf(folder, "plain"), 300_000, 1_000, 1);
            var plainMany = PlainInserts.EventsPerSecond(FileOf(folder, "plain-256"), 100_000, 128, 256);
            rows.Add(
                new BenchRow("journal", "plain inserts", "events/s", Math.Round(plain), Plain, Math.Round(plain), 1)
            );
            rows.Add(Against("persist one by one", Write(folder, "one", 1, 20_000, 1, WriteStyle.OneByOne), 21_900));
            rows.Add(Against("PersistAll x 100", Write(folder, "all", 1, 100, 2_000, WriteStyle.Together), 132_000));
            var bursts = Write(folder, "burst", 1, 200, 1_000, WriteStyle.Pipelined);
            rows.Add(Against("PersistAsync, bursts of 200", bursts, 131_000));
            rows.Add(Row("PersistAsync, bursts of 200, beside SQLite", bursts, Plain, plain));
            var many = Write(folder, "many", 64, 2_000, 4, WriteStyle.Pipelined);
            rows.Add(Row("64 contexts, PersistAsync", many, Plain, plain));
            var group = Write(folder, "group", 256, 1_000, 1, WriteStyle.OneByOne);
            rows.Add(Row("256 contexts, Persist", group, Plain + ", 256 streams", plainMany));
            rows.Add(Against("replay, 1 context", Replay(folder, "burst", 1), 181_000));
            rows.Add(Against("replay, 64 contexts", Replay(folder, "many", 64), 181_000));
            rows.Add(BytesPerEvent(folder, "many", 64 * 2_000 * 4));
            rows.AddRange(ProductJournal.Run(folder, plain));
            return rows;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static BenchRow Against(string name, double value, double peer) => Row(name, value, Akka, peer);

    /// <summary>A rate beside its peer's.</summary>
    internal static BenchRow Row(string name, double value, string peer, double peerValue) =>
        new(
            "journal",
            name,
            "events/s",
            Math.Round(value),
            peer,
            Math.Round(peerValue),
            Math.Round(value / peerValue, 2)
        );

    private static BenchRow BytesPerEvent(DirectoryInfo folder, string name, int events)
    {
        var bytes = (double)new FileInfo(FileOf(folder, name)).Length / events;
        return new BenchRow(
            "journal",
            "size of an event",
            "bytes",
            Math.Round(bytes),
            Akka,
            355,
            Math.Round(bytes / 355, 2)
        );
    }

    private static string FileOf(DirectoryInfo folder, string name) => Path.Combine(folder.FullName, name + ".db");

    /// <summary>Each context gets the command, answers, and gets it again, as often as there are rounds.</summary>
    private static double Write(
        DirectoryInfo folder,
        string name,
        int contexts,
        int count,
        int rounds,
        WriteStyle style
    )
    {
        using var system = Start(FileOf(folder, name));
        var ready = Collect(system, contexts, out var readyCollector);
        var writers = Enumerable
            .Range(0, contexts)
            .Select(i => system.ActorOf(Props.Create(() => new WriterActor("iommufd-" + i, readyCollector))))
            .ToArray();
        Wait(ready);
        // One round to compile the code, not measured.
        Round(system, writers, new WriteEvents(Math.Min(count, 200), style));
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < rounds; round++)
        {
            Round(system, writers, new WriteEvents(count, style));
        }

        var seconds = clock.Elapsed.TotalSeconds;
        Stop(system);
        return (double)contexts * count * rounds / seconds;
    }

    private static void Round(ActorSystem system, IActorRef[] writers, WriteEvents command)
    {
        var done = Collect(system, writers.Length, out var collector);
        foreach (var writer in writers)
        {
            writer.Tell(command, collector);
        }

        Wait(done);
        system.Stop(collector);
    }

    private static double Replay(DirectoryInfo folder, string name, int contexts)
    {
        using var system = Start(FileOf(folder, name));
        var done = Collect(system, contexts, out var collector);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < contexts; i++)
        {
            var id = "iommufd-" + i;
            system.ActorOf(Props.Create(() => new WriterActor(id, collector)));
        }

        var events = Wait(done);
        var seconds = clock.Elapsed.TotalSeconds;
        Stop(system);
        return events / seconds;
    }

    private static Task<long> Collect(ActorSystem system, int expected, out IActorRef collector)
    {
        var done = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        collector = system.ActorOf(Props.Create(() => new Collector(expected, done)));
        return done.Task;
    }

    private static long Wait(Task<long> task) =>
        ((IAsyncResult)task).AsyncWaitHandle.WaitOne(Limit)
            ? task.GetAwaiter().GetResult()
            : throw new TimeoutException($"The journal did not finish within {Limit}.");

    private static void Stop(ActorSystem system)
    {
        if (!((IAsyncResult)system.Terminate()).AsyncWaitHandle.WaitOne(Limit))
        {
            throw new TimeoutException("The actor system did not stop.");
        }
    }

    /// <summary>An actor system with the product's journal on this file.</summary>
    internal static ActorSystem Start(string file) => ActorSystem.Create("bench", Configuration(file));

    private static Config Configuration(string file) =>
        ConfigurationFactory.ParseString(
            $$"""
            akka.loglevel = WARNING
            akka.actor {
              serializers.hyperion = "Akka.Serialization.HyperionSerializer, Akka.Serialization.Hyperion"
              serialization-bindings {
                "Iommufd.Bench.Journal.SampleEvent, {{typeof(SampleEvent).Assembly.GetName().Name}}" = hyperion
              }
              serialization-settings.hyperion {
                version-tolerance = false
                preserve-object-references = false
                known-types-provider = "Iommufd.Bench.Journal.SampleTypes, {{typeof(SampleTypes).Assembly.GetName().Name}}"
              }
            }
            akka.persistence {
              journal {
                plugin = "akka.persistence.journal.sqlite"
                sqlite {
                  class = "Akka.Persistence.Sqlite.Journal.BatchingSqliteJournal, Akka.Persistence.Sqlite"
                  connection-string = "Data Source={{file}}"
                  auto-initialize = on
                  journal-mode = wal
                  synchronous = normal
                  wal-autocheckpoint = 10000
                  max-batch-size = 1000
                }
              }
              snapshot-store.plugin = "akka.persistence.no-snapshot-store"
            }
            """
        );
}
