using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Akka.Actor;

namespace Iommufd.Bench.Actors;

/// <summary>
/// What the actor runtime costs. The peers' figures are the medians of Akka.NET 1.5.30 on two cores of this kind of
/// machine, so their ratios hold only there; raw queues are measured in the same run.
/// </summary>
public static class ActorBenchmarks
{
    private const string Area = "actors";
    private const string AkkaNet = "Akka.NET 1.5.30 (recorded)";
    private const int Rounds = 3;

    /// <summary>All of them, one after the other; about half a minute.</summary>
    public static IReadOnlyList<BenchRow> All() => [.. Tell(), .. PingPong(), .. Ask(), .. Creation(), .. FanOut()];

    /// <summary>One sender, one receiver.</summary>
    public static IReadOnlyList<BenchRow> Tell()
    {
        const int messages = 3_000_000;
        var receive = Median(() => TellOnce(Props.Create<CountingReceiver>(messages), fromActor: true, messages));
        var untyped = Median(() => TellOnce(Props.Create<CountingUntyped>(messages), fromActor: true, messages));
        var outside = Median(() => TellOnce(Props.Create<CountingUntyped>(messages), fromActor: false, messages));
        var queue = Median(() => RawQueue(messages));
        var channel = Median(() => RawChannel(messages));
        return
        [
            Rate("tell, actor to ReceiveActor", receive, AkkaNet, 13.2e6),
            Rate("tell, actor to UntypedActor", untyped, AkkaNet, 15.1e6),
            Rate("tell, thread to UntypedActor", outside, AkkaNet, 13.7e6),
            Rate("tell, actor to UntypedActor", untyped, "ConcurrentQueue, one thread each side (this run)", queue),
            Rate("tell, actor to UntypedActor", untyped, "unbounded Channel, one reader (this run)", channel),
        ];
    }

    /// <summary>Two pairs that send a message back and forth.</summary>
    public static IReadOnlyList<BenchRow> PingPong() =>
        [
            Rate("ping-pong, 2 pairs, 1 in flight", Median(() => PingPongOnce(1, 1_000_000)), AkkaNet, 7.0e6),
            Rate("ping-pong, 2 pairs, 100 in flight", Median(() => PingPongOnce(100, 3_000_000)), AkkaNet, 20.0e6),
        ];

    /// <summary>Questions from outside of actors.</summary>
    public static IReadOnlyList<BenchRow> Ask() =>
        [
            Rate("ask, one at a time", Median(() => AskOnce(1, 200_000, null)), AkkaNet, 0.65e6),
            Rate(
                "ask, one at a time, 10 s timeout",
                Median(() => AskOnce(1, 200_000, TimeSpan.FromSeconds(10))),
                AkkaNet,
                0.70e6
            ),
            Rate("ask, 64 in flight", Median(() => AskOnce(64, 400_000, null)), AkkaNet, 0.98e6),
            Rate(
                "ask, 64 in flight, 10 s timeout",
                Median(() => AskOnce(64, 400_000, TimeSpan.FromSeconds(10))),
                AkkaNet,
                0.81e6
            ),
        ];

    /// <summary>Making actors, and what they weigh.</summary>
    public static IReadOnlyList<BenchRow> Creation()
    {
        const int actors = 100_000;
        var top = Median(() => CreateTopLevel(actors).PerSecond);
        var children = Median(() => CreateChildren(actors));
        var bytes = CreateTopLevel(actors).BytesEach;
        return
        [
            Rate("ActorOf, 100k top-level", top, AkkaNet, 65e3),
            Rate("ActorOf, 100k children", children, AkkaNet, 71e3),
            new BenchRow(Area, "memory an actor", "bytes", bytes, AkkaNet, 2008, 2008 / bytes),
        ];
    }

    /// <summary>One message to each of ten thousand actors, whose answers are counted.</summary>
    public static IReadOnlyList<BenchRow> FanOut() =>
        [Rate("fan-out 1 to 10,000 and gather", Median(() => FanOutOnce(10_000, 50)), AkkaNet, 5.75e6)];

    private static BenchRow Rate(string name, double value, string peer, double peerValue) =>
        new(Area, name, "1/s", value, peer, peerValue, value / peerValue);

    /// <summary>The median of some rounds, after one that only warms up.</summary>
    private static double Median(Func<double> measure)
    {
        measure();
        return Enumerable.Range(0, Rounds).Select(_ => measure()).Order().ElementAt(Rounds / 2);
    }

    private static double TellOnce(Props receiver, bool fromActor, int messages)
    {
        using var done = new ManualResetEventSlim();
        Signal.Current = done;
        using var bench = new BenchSystem();
        var system = bench.System;
        var target = system.ActorOf(receiver);
        var message = new object();
        var clock = Stopwatch.StartNew();
        if (fromActor)
            system.ActorOf<Sender>().Tell(new Order(target, messages, message), ActorRefs.NoSender);
        else
            for (var i = 0; i < messages; i++)
                target.Tell(message, ActorRefs.NoSender);
        done.Wait();
        return messages / clock.Elapsed.TotalSeconds;
    }

    private static double RawQueue(int messages)
    {
        var queue = new ConcurrentQueue<(object, object?)>();
        var message = new object();
        var clock = Stopwatch.StartNew();
        var reader = new Thread(() =>
        {
            for (var got = 0; got < messages; )
            {
                if (queue.TryDequeue(out _))
                    got++;
            }
        });
        reader.Start();
        for (var i = 0; i < messages; i++)
            queue.Enqueue((message, null));
        reader.Join();
        return messages / clock.Elapsed.TotalSeconds;
    }

    private static double RawChannel(int messages)
    {
        var channel = Channel.CreateUnbounded<(object, object?)>(
            new UnboundedChannelOptions { SingleReader = true, AllowSynchronousContinuations = false }
        );
        var message = new object();
        var clock = Stopwatch.StartNew();
        var reader = Task.Run(async () =>
        {
            for (var got = 0; got < messages && await channel.Reader.WaitToReadAsync().ConfigureAwait(false); )
            {
                while (channel.Reader.TryRead(out _))
                    got++;
            }
        });
        for (var i = 0; i < messages; i++)
            channel.Writer.TryWrite((message, null));
        reader.Wait();
        return messages / clock.Elapsed.TotalSeconds;
    }

    private static double PingPongOnce(int inFlight, int messagesEach)
    {
        using var done = new CountdownEvent(2);
        Signal.Countdown = done;
        using var bench = new BenchSystem();
        var system = bench.System;
        var clock = Stopwatch.StartNew();
        for (var pair = 0; pair < 2; pair++)
        {
            var pong = system.ActorOf<Pong>();
            system.ActorOf(Props.Create<Ping>(pong, inFlight, messagesEach / 2)).Tell(new Start(), ActorRefs.NoSender);
        }
        done.Wait();
        return 2.0 * messagesEach / clock.Elapsed.TotalSeconds;
    }

    private static double AskOnce(int inFlight, int questions, TimeSpan? timeout)
    {
        using var bench = new BenchSystem();
        var system = bench.System;
        var echo = system.ActorOf<Pong>();
        var question = new object();
        var clock = Stopwatch.StartNew();
        var askers = Enumerable
            .Range(0, inFlight)
            .Select(_ =>
                Task.Run(async () =>
                {
                    for (var i = 0; i < questions / inFlight; i++)
                        await echo.Ask<object>(question, timeout).ConfigureAwait(false);
                })
            )
            .ToArray();
        Task.WaitAll(askers);
        return questions / clock.Elapsed.TotalSeconds;
    }

    private static (double PerSecond, double BytesEach) CreateTopLevel(int count)
    {
        using var bench = new BenchSystem();
        var system = bench.System;
        using var done = new CountdownEvent(count);
        Signal.Countdown = done;
        var refs = new IActorRef[count];
        var props = Props.Create<Small>();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < count; i++)
            refs[i] = system.ActorOf(props);
        done.Wait();
        var seconds = clock.Elapsed.TotalSeconds;
        var after = GC.GetTotalMemory(forceFullCollection: true);
        GC.KeepAlive(refs);
        return (count / seconds, (after - before) / (double)count);
    }

    private static double CreateChildren(int count)
    {
        using var bench = new BenchSystem();
        var system = bench.System;
        using var done = new CountdownEvent(count);
        Signal.Countdown = done;
        var clock = Stopwatch.StartNew();
        system.ActorOf<Parent>().Tell(count, ActorRefs.NoSender);
        done.Wait();
        return count / clock.Elapsed.TotalSeconds;
    }

    private static double FanOutOnce(int actors, int rounds)
    {
        using var bench = new BenchSystem();
        var system = bench.System;
        using var done = new ManualResetEventSlim();
        Signal.Current = done;
        var hub = system.ActorOf(Props.Create<Hub>(actors, rounds));
        var ready = hub.Ask<object>("ready");
        ready.Wait();
        var clock = Stopwatch.StartNew();
        hub.Tell(new Start(), ActorRefs.NoSender);
        done.Wait();
        return 2.0 * actors * rounds / clock.Elapsed.TotalSeconds;
    }
}
