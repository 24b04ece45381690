using Akka.Actor;
using Akka.Simulation;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AkkaTests;

public class Simulating
{
    /// <summary>Many nodes that pass numbers around a ring, all at once.</summary>
    private static void Ring(SimulatedRun run)
    {
        var nodes = new List<IActorRef>();
        for (var i = 0; i < 8; i++)
        {
            var at = i;
            nodes.Add(
                run.System.ActorOf(Props.Create(() => new Node(run, n => nodes[(at + n) % nodes.Count])), "node-" + i)
            );
        }
        foreach (var node in nodes)
            node.Tell(10, ActorRefs.NoSender);
        run.Simulation.RunReady(10_000);
    }

    [Fact]
    public void The_same_seed_gives_the_same_schedule()
    {
        for (ulong seed = 0; seed < 20; seed++)
            Assert.Equal(SimulatedRun.Of(seed, Ring), SimulatedRun.Of(seed, Ring));
    }

    [Fact]
    public void Other_seeds_give_other_schedules()
    {
        var hashes = Enumerable.Range(0, 20).Select(s => SimulatedRun.Of((ulong)s, Ring).Hash);
        Assert.Equal(20, hashes.Distinct().Count());
    }

    [Fact]
    public void The_schedule_of_a_seed_is_the_same_on_every_machine_and_in_every_build() =>
        Assert.Equal(15_585_036_966_666_371_322UL, SimulatedRun.Of(42, Ring).Hash);

    [Fact]
    public void Pct_repeats_too()
    {
        var strategy = SimulationStrategy.Pct(3, 500);
        for (ulong seed = 0; seed < 20; seed++)
            Assert.Equal(SimulatedRun.Of(seed, Ring, strategy), SimulatedRun.Of(seed, Ring, strategy));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_schedule_that_was_written_down_is_repeated_whatever_the_seed(bool pct)
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            using var run = SimulatedRun.Start(seed, pct ? SimulationStrategy.Pct(3, 500) : null);
            Ring(run);
            run.Simulation.RunReady(100_000);
            Assert.NotEmpty(run.Turns);

            using var again = SimulatedRun.Start(seed + 1000, SimulationStrategy.InOrder([.. run.Turns]));
            Ring(again);
            again.Simulation.RunReady(100_000);
            Assert.Equal(run.Simulation.ScheduleHash, again.Simulation.ScheduleHash);
            Assert.Equal(run.Turns, again.Turns);
        }
    }

    [Fact]
    public void In_order_who_has_been_ready_longest_runs_next()
    {
        using var run = SimulatedRun.Start(7, SimulationStrategy.InOrder([]));
        Ring(run);
        run.Simulation.RunReady(100_000);
        Assert.True(run.Simulation.Steps > 10);
        Assert.Empty(run.Turns);
    }

    [Fact]
    public void Messages_of_one_sender_to_one_receiver_keep_their_order_under_any_seed() =>
        Prop.ForAll<ulong>(seed =>
            {
                using var run = SimulatedRun.Start(seed);
                var got = new List<int>();
                var sink = run.System.ActorOf(Props.Create(() => new Collector(got)));
                var senders = Enumerable
                    .Range(0, 4)
                    .Select(i => run.System.ActorOf(Props.Create(() => new Burst(sink, i))))
                    .ToList();
                senders.ForEach(s => s.Tell("go", ActorRefs.NoSender));
                run.Simulation.RunReady(10_000);
                return got.Count == 40 && got.GroupBy(n => n / 100).All(g => g.SequenceEqual(g.Order()));
            })
            .QuickCheckThrowOnFailure();

    private sealed class Collector : ReceiveActor
    {
        public Collector(List<int> got)
        {
            Receive<int>(got.Add);
        }
    }

    private sealed class Burst : ReceiveActor
    {
        public Burst(IActorRef sink, int number)
        {
            ReceiveAny(_ =>
            {
                for (var i = 0; i < 10; i++)
                    sink.Tell((number * 100) + i);
            });
        }
    }

    [Fact]
    public void Time_moves_only_when_nothing_can_run()
    {
        using var run = SimulatedRun.Start(1);
        var start = run.Simulation.VirtualNow;
        var times = new List<TimeSpan>();
        var actor = run.System.ActorOf(Props.Create(() => new Clocked(times)));
        run.System.Scheduler.ScheduleTellOnce(TimeSpan.FromDays(10), actor, "late", ActorRefs.NoSender);
        actor.Tell("early", ActorRefs.NoSender);
        run.Simulation.RunReady(1000);
        Assert.Equal([TimeSpan.Zero], times);
        run.Simulation.RunUntil(() => times.Count == 2, 1000);
        Assert.Equal(TimeSpan.FromDays(10), times[1]);
        Assert.Equal(start + TimeSpan.FromDays(10), run.Simulation.VirtualNow);
    }

    private sealed class Clocked : ReceiveActor
    {
        public Clocked(List<TimeSpan> times)
        {
            ReceiveAny(_ => times.Add(Context.System.Scheduler.MonotonicClock));
        }
    }

    [Fact]
    public void Timers_and_receive_timeouts_follow_virtual_time()
    {
        using var run = SimulatedRun.Start(3);
        var log = new List<string>();
        run.System.ActorOf(Props.Create(() => new Timed(log)));
        run.Simulation.RunFor(TimeSpan.FromSeconds(10.5), 10_000);
        Assert.Equal(["tick 3", "tick 6", "tick 9", "silence 10"], log);
    }

    private sealed class Timed : ReceiveActor, IWithTimers
    {
        private readonly List<string> _log;

        public Timed(List<string> log)
        {
            _log = log;
            Receive<string>(s =>
            {
                log.Add($"{s} {Context.System.Scheduler.MonotonicClock.TotalSeconds}");
                if (Context.System.Scheduler.MonotonicClock >= TimeSpan.FromSeconds(9))
                {
                    Timers.CancelAll();
                    SetReceiveTimeout(TimeSpan.FromSeconds(1));
                }
            });
            Receive<ReceiveTimeout>(_ =>
            {
                log.Add($"silence {Context.System.Scheduler.MonotonicClock.TotalSeconds}");
                SetReceiveTimeout(null);
            });
        }

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart() => Timers.StartPeriodicTimer("t", "tick", TimeSpan.FromSeconds(3));
    }

    [Fact]
    public void An_ask_is_answered_by_running()
    {
        using var run = SimulatedRun.Start(4);
        var echo = run.System.ActorOf<Echo>();
        var answer = echo.Ask<string>("hello", TimeSpan.FromSeconds(1));
        Assert.False(answer.IsCompleted);
        Assert.True(run.Simulation.RunUntil(() => answer.IsCompleted, 1000));
        Assert.Equal("hello", answer.Result);
    }

    [Fact]
    public void An_unanswered_ask_times_out_in_virtual_time()
    {
        using var run = SimulatedRun.Start(4);
        var asked = run.System.ActorOf(Props.Empty).Ask<string>("hello", TimeSpan.FromHours(1));
        Assert.True(run.Simulation.RunUntil(() => asked.IsCompleted, 1000));
        Assert.IsType<AskTimeoutException>(asked.Exception!.InnerException);
        Assert.Equal(TimeSpan.FromHours(1), run.System.Scheduler.MonotonicClock);
    }

    private sealed class Echo : ReceiveActor
    {
        public Echo()
        {
            ReceiveAny(m => Sender.Tell(m));
        }
    }

    [Fact]
    public void What_an_actor_awaits_resumes_in_its_mailbox_on_the_same_thread()
    {
        using var run = SimulatedRun.Start(5);
        var echo = run.System.ActorOf<Echo>("echo");
        var actor = run.System.ActorOf(Props.Create(() => new Awaiting(echo)), "awaiting");
        var answer = actor.Ask<string>("q", TimeSpan.FromMinutes(1));
        actor.Tell("overtake", ActorRefs.NoSender);
        Assert.True(run.Simulation.RunUntil(() => answer.IsCompleted, 1000));
        Assert.Equal($"q {Environment.CurrentManagedThreadId} /user/awaiting", answer.Result);
    }

    private sealed class Awaiting : ReceiveActor
    {
        public Awaiting(IActorRef echo)
        {
            ReceiveAsync<string>(
                s => s == "q",
                async s =>
                {
                    var answer = await echo.Ask<string>(s);
                    var later = new TaskCompletionSource();
                    Context.System.Scheduler.Advanced.ScheduleOnce(TimeSpan.FromSeconds(2), later.SetResult);
                    await later.Task;
                    Sender.Tell($"{answer} {Environment.CurrentManagedThreadId} {Self.Path.ToStringWithoutAddress()}");
                }
            );
            ReceiveAny(_ => { });
        }
    }

    [Fact]
    public void A_plain_await_in_a_handler_comes_back_to_the_simulation()
    {
        using var run = SimulatedRun.Start(6);
        var threads = new List<int>();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var actor = run.System.ActorOf(Props.Create(() => new PlainAwait(gate.Task, threads)));
        actor.Tell("go", ActorRefs.NoSender);
        run.Simulation.RunReady(1000);
        gate.SetResult();
        run.Simulation.RunReady(1000);
        Assert.Equal([Environment.CurrentManagedThreadId], threads);
    }

    private sealed class PlainAwait : ReceiveActor
    {
        public PlainAwait(Task gate, List<int> threads)
        {
            ReceiveAny(_ => Go(gate, threads).PipeTo(ActorRefs.Nobody));
        }

        private static async Task Go(Task gate, List<int> threads)
        {
            await gate;
            threads.Add(Environment.CurrentManagedThreadId);
        }
    }

    [Fact]
    public void Pct_finds_a_race_that_needs_one_preemption()
    {
        var found = Enumerable
            .Range(0, 50)
            .Count(seed =>
            {
                using var run = SimulatedRun.Start((ulong)seed, SimulationStrategy.Pct(2, 60));
                var late = new List<string>();
                var store = run.System.ActorOf(Props.Create(() => new Store(late)), "store");
                run.System.ActorOf(Props.Create(() => new Sends(store, "write")), "writer").Tell(0, ActorRefs.NoSender);
                run.System.ActorOf(Props.Create(() => new Sends(store, "close")), "closer").Tell(0, ActorRefs.NoSender);
                run.Simulation.RunReady(1000);
                return late.Count > 0;
            });
        Assert.InRange(found, 5, 45);
    }

    private sealed class Store : ReceiveActor
    {
        public Store(List<string> late)
        {
            var closed = false;
            Receive<string>(s =>
            {
                if (s == "close")
                    closed = true;
                else if (closed)
                    late.Add(s);
            });
        }
    }

    private sealed class Sends : ReceiveActor
    {
        public Sends(IActorRef to, string what)
        {
            ReceiveAny(_ => to.Tell(what));
        }
    }

    [Fact]
    public void Restarts_and_death_are_part_of_the_schedule_and_lose_nothing()
    {
        static void Scenario(SimulatedRun run)
        {
            var boss = run.System.ActorOf(Props.Create(() => new FragileBoss(run)), "boss");
            for (var i = 0; i < 20; i++)
                boss.Tell(i, ActorRefs.NoSender);
        }
        for (ulong seed = 0; seed < 10; seed++)
        {
            var (hash, trace) = SimulatedRun.Of(seed, Scenario);
            Assert.Equal((hash, trace), SimulatedRun.Of(seed, Scenario));
            Assert.Equal(20, trace.Split('\n').Count(l => l.StartsWith("child got", StringComparison.Ordinal)));
        }
    }

    private sealed class FragileBoss : ReceiveActor
    {
        public FragileBoss(SimulatedRun run)
        {
            var child = Context.ActorOf(Props.Create(() => new Fragile(run)));
            ReceiveAny(child.Forward);
        }
    }

    private sealed class Fragile : ReceiveActor
    {
        public Fragile(SimulatedRun run)
        {
            Receive<int>(n =>
            {
                run.Trace.Add($"child got {n}");
                if (n % 3 == 0)
                    throw new InvalidOperationException("every third");
            });
        }
    }

    [Fact]
    public void A_system_without_a_simulation_has_none()
    {
        using var system = ActorSystem.Create("plain", "akka.stdout-loglevel = OFF, akka.loglevel = OFF");
        Assert.False(Simulation.IsSimulated(system));
        Assert.Throws<InvalidOperationException>(() => Simulation.Get(system));
    }

    [Fact]
    public void A_simulation_cannot_be_run_from_inside_itself()
    {
        using var run = SimulatedRun.Start(8);
        Exception? refused = null;
        run.System.Scheduler.Advanced.ScheduleOnce(
            TimeSpan.FromSeconds(1),
            () => refused = Record.Exception(() => run.Simulation.Step())
        );
        run.Simulation.RunUntil(() => refused is not null, 100);
        Assert.IsType<InvalidOperationException>(refused);
    }

    [Fact]
    public void A_shutdown_is_over_in_the_step_that_ends_the_system()
    {
        using var run = SimulatedRun.Start(1);
        Task shutdown = CoordinatedShutdown
            .Get(run.System)
            .Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance);
        run.Simulation.RunUntil(() => run.System.WhenTerminated.IsCompleted, 100_000);
        Assert.True(shutdown.IsCompletedSuccessfully, "the shutdown is left to a thread of the pool");
    }

    [Fact]
    public void What_is_to_be_done_at_the_end_of_a_system_is_refused_once_it_has_ended()
    {
        using var run = SimulatedRun.Start(1);
        bool done = false;
        run.System.RegisterOnTermination(() => done = true);
        Task terminated = run.System.Terminate();
        run.Simulation.RunUntil(() => terminated.IsCompleted, 100_000);
        Assert.True(done);
        Assert.Throws<InvalidOperationException>(() => run.System.RegisterOnTermination(() => done = false));
    }
}
