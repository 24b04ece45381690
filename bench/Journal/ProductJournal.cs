using System.Diagnostics;
using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Actors.Protocol;
using Iommufd.Bench.Flow;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Iommufd.Persistence;

namespace Iommufd.Bench.Journal;

/// <summary>
/// The product's own path to the journal and back: contexts that write in group mode, the journal that they leave, its restoring and
/// its index. The peer is what plain inserts reach in the same run, or a goal of the project where no peer does the same.
/// </summary>
internal static class ProductJournal
{
    private const int Contexts = 64;
    private const int InFlight = 64;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Runs all of them.</summary>
    /// <param name="folder">Where the journals go.</param>
    /// <param name="plain">Plain inserts a second.</param>
    public static IEnumerable<BenchRow> Run(DirectoryInfo folder, double plain)
    {
        const string Inserts = "plain prepared inserts, same run";
        var options = Path.Combine(folder.FullName, "options.db");
        var many = Write(
            options,
            1_000,
            4,
            (machine, observer) => Props.Create(() => new OptionClient(machine, InFlight, observer)),
            perCommand: 1
        );
        yield return JournalBenchmarks.Row("64 contexts of the product, OPTION", many, Inserts, plain);

        var maps = Path.Combine(folder.FullName, "maps.db");
        var rate = Write(
            maps,
            1_000,
            6,
            (machine, observer) =>
                Props.Create(() => new FlowClient(new FlowClientPlan(machine, null, InFlight), observer)),
            perCommand: 2
        );
        yield return JournalBenchmarks.Row("64 contexts of the product, MAP and UNMAP", rate, Inserts, plain);

        using var journal = JournalFile.Open(maps);
        var events = journal.Count();
        var bytes = (double)new FileInfo(maps).Length / events;
        yield return new BenchRow(
            "journal",
            "size of the product's events",
            "bytes",
            Math.Round(bytes),
            "goal",
            180,
            Math.Round(bytes / 180, 2)
        );

        // The first replay of the process compiles the code that it runs; the second one is what a longer journal would see.
        foreach (var what in new[] { "every event restored, the first time in the process", "every event restored" })
        {
            var replay = JournalReplay.Run(journal);
            yield return JournalBenchmarks.Row(what, replay.Events / replay.Elapsed.TotalSeconds, "goal", 1_000_000);
        }

        yield return TimeTravel(maps, events, out var half);
        yield return JournalBenchmarks.Row(
            FormattableString.Invariant($"restored by way of the index: {half.Applied} events stand for {half.Events}"),
            half.Events / Math.Max(1e-6, half.Elapsed.TotalSeconds),
            "goal",
            1_000_000
        );
        foreach (var row in SmallDomains(folder))
        {
            yield return row;
        }
    }

    /// <summary>
    /// A journal as fleets of VMs leave it: contexts that open, bind devices, map, attach, unmap and close, with a digest each.
    /// Written by the sequential model; what is measured is its replay, each digest compared.
    /// </summary>
    private static IEnumerable<BenchRow> SmallDomains(DirectoryInfo folder)
    {
        var path = Path.Combine(folder.FullName, "fleet.db");
        FleetJournal.Write(path, contexts: 4_000);
        using var journal = JournalFile.Open(path);
        ReplayReport? replay = null;
        for (var i = 0; i < 3; i++)
        {
            replay = JournalReplay.Run(journal);
        }

        if (replay!.Mismatches.Count > 0 || replay.Verified == 0)
        {
            throw new InvalidOperationException("the fleet's journal does not replay to its digests");
        }

        yield return JournalBenchmarks.Row(
            FormattableString.Invariant(
                $"{replay.Events} events of VMs with devices restored, {replay.Verified} digests compared"
            ),
            replay.Events / replay.Elapsed.TotalSeconds,
            "goal",
            1_000_000
        );
    }

    private static BenchRow TimeTravel(string path, long events, out PointInTime half)
    {
        PointInTime.Of(path, 1);
        var times = new List<PointInTime>();
        foreach (var part in new[] { 4, 2, 1 })
        {
            times.Add(PointInTime.Of(path, events / part));
        }

        half = times[1];
        var slowest = times.Max(t => t.Elapsed).TotalMilliseconds;
        return new BenchRow(
            "journal",
            FormattableString.Invariant($"state at three points of {events} events, the slowest"),
            "ms",
            Math.Round(slowest, 1),
            "goal",
            100,
            Math.Round(slowest / 100, 2)
        );
    }

    // Events a second, from the first request to the last reply; the contexts stay open.
    private static double Write(
        string file,
        int commands,
        int rounds,
        Func<IActorRef, IActorRef, Props> client,
        int perCommand
    )
    {
        var hocon = "akka { loglevel = WARNING }\n" + JournalSettings.ToHocon(file, Durability.Group);
        using var system = ActorSystem.Create("bench", hocon);
        var host = SimulatedHost.Start(system, new HostOptions { Journal = true });
        var done = Collect(system, out var observer);
        var clients = new IActorRef[Contexts];
        for (var i = 0; i < Contexts; i++)
        {
            clients[i] = system.ActorOf(client(host.Machine, observer));
        }

        Wait(done);
        // One round to compile the code, not measured.
        Round(system, clients, commands / 4);
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < rounds; round++)
        {
            Round(system, clients, commands);
        }

        var seconds = clock.Elapsed.TotalSeconds;
        Wait(system.Terminate());
        return (double)Contexts * commands * rounds * perCommand / seconds;
    }

    private static void Round(ActorSystem system, IActorRef[] clients, int commands)
    {
        var done = Collect(system, out var observer);
        foreach (var client in clients)
        {
            client.Tell(new DoPairs(commands), observer);
        }

        Wait(done);
    }

    private static Task<bool> Collect(ActorSystem system, out IActorRef observer)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        observer = system.ActorOf(Props.Create(() => new FlowObserver(Contexts, done)));
        return done.Task;
    }

    private static void Wait(Task task)
    {
        if (!((IAsyncResult)task).AsyncWaitHandle.WaitOne(Limit))
        {
            throw new TimeoutException($"The journal did not finish within {Limit}.");
        }

        task.GetAwaiter().GetResult();
    }
}

/// <summary>
/// A context whose client sets an option over and over: a command that asks nobody but the context, so that its cost is that of the way
/// to the journal and back.
/// </summary>
internal sealed class OptionClient : ReceiveActor
{
    private readonly int _inFlight;
    private IActorRef _observer;
    private IActorRef _context = ActorRefs.Nobody;
    private int _process;
    private int _toStart;
    private int _running;
    private long _tag;

    public OptionClient(IActorRef machine, int inFlight, IActorRef observer)
    {
        (_inFlight, _observer) = (inFlight, observer);
        Receive<ProcessStarted>(started =>
        {
            _process = started.ProcessId;
            machine.Tell(new OpenIommufd(_process));
        });
        Receive<IommufdOpened>(opened =>
        {
            _context = opened.Context;
            _observer.Tell(new FlowClientDone());
        });
        Receive<DoPairs>(commands =>
        {
            _observer = Sender;
            _running = Math.Min(_inFlight, commands.Count);
            _toStart = commands.Count - _running;
            for (var i = 0; i < _running; i++)
            {
                Call();
            }
        });
        Receive<IoctlAnswer>(OnAnswer);
        machine.Tell(new StartProcess(new ProcessSpec("bench")), Self);
    }

    private void OnAnswer(IoctlAnswer answer)
    {
        if (!answer.Result.IsOk)
        {
            throw new InvalidOperationException($"the benchmark's call ended with {answer.Result.Errno}");
        }

        if (_toStart > 0)
        {
            _toStart--;
            Call();
        }
        else if (--_running == 0)
        {
            _observer.Tell(new FlowClientDone());
        }
    }

    private void Call()
    {
        _tag++;
        _context.Tell(new IoctlRequest(_tag, _process, new Option { Op = OptionOp.Set, Val64 = (ulong)(_tag % 2) }));
    }
}
