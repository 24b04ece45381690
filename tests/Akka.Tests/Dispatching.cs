using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Xunit;

namespace AkkaTests;

/// <summary>Which threads actors run on.</summary>
public class Dispatching : TestKit
{
    public Dispatching()
        : base(
            """
            akka.loglevel = DEBUG
            akka.stdout-loglevel = OFF
            akka.actor.debug { receive = on, unhandled = on }
            pinned { type = PinnedDispatcher }
            three { type = ForkJoinDispatcher, dedicated-thread-pool.thread-count = 3 }
            scaled {
              type = Dispatcher
              executor = fork-join-executor
              fork-join-executor { parallelism-min = 2, parallelism-factor = 0.1, parallelism-max = 2 }
            }
            negative { type = ForkJoinDispatcher, dedicated-thread-pool.thread-count = -1 }
            mine { type = SynchronizedDispatcher }
            """
        ) { }

    private sealed class Telling : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(Thread.CurrentThread);
    }

    private async Task<Thread> ThreadOf(IActorRef actor) => await actor.Ask<Thread>("which?", RemainingOrDefault);

    [Fact]
    public async Task A_pinned_actor_has_a_thread_of_its_own()
    {
        var one = Sys.ActorOf(Props.Create<Telling>().WithDispatcher("pinned"));
        var other = Sys.ActorOf(Props.Create<Telling>().WithDispatcher("pinned"));
        var thread = await ThreadOf(one);
        Assert.False(thread.IsThreadPoolThread);
        for (var i = 0; i < 20; i++)
            Assert.Same(thread, await ThreadOf(one));
        Assert.NotSame(thread, await ThreadOf(other));
    }

    [Fact]
    public async Task The_thread_of_a_pinned_actor_ends_after_the_actor()
    {
        using var system = ActorSystem.Create(
            "short",
            "pinned { type = PinnedDispatcher, shutdown-timeout = 1ms }\nakka.loglevel = OFF\nakka.stdout-loglevel = OFF"
        );
        var actor = system.ActorOf(Props.Create<Telling>().WithDispatcher("pinned"));
        var thread = await ThreadOf(actor);
        Assert.True(await actor.GracefulStop(RemainingOrDefault));
        Assert.True(thread.Join(TimeSpan.FromSeconds(30)));
    }

    private sealed class Meeting(Barrier barrier, ConcurrentDictionary<int, bool> threads) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            threads[Environment.CurrentManagedThreadId] = Thread.CurrentThread.IsThreadPoolThread;
            Sender.Tell(barrier.SignalAndWait(TimeSpan.FromSeconds(30)));
        }
    }

    [Theory]
    [InlineData("three", 3)]
    [InlineData("scaled", 2)]
    public async Task A_fork_join_dispatcher_has_as_many_threads_as_configured(string dispatcher, int count)
    {
        using var barrier = new Barrier(count);
        var threads = new ConcurrentDictionary<int, bool>();
        var props = Props.Create(() => new Meeting(barrier, threads)).WithDispatcher(dispatcher);
        // All of them must be in their handlers at once, and twice as many actors need no further thread.
        var met = await Task.WhenAll(
            Enumerable.Range(0, 2 * count).Select(_ => Sys.ActorOf(props).Ask<bool>("meet", TimeSpan.FromSeconds(60)))
        );
        Assert.All(met, Assert.True);
        Assert.Equal(count, threads.Count);
        Assert.All(threads.Values, Assert.False);
    }

    [Fact]
    public void A_dispatcher_with_fewer_threads_than_one_is_a_configuration_error() =>
        Assert.Throws<ConfigurationException>(() => Sys.Dispatchers.Lookup("negative"));

    [Fact]
    public void An_unknown_dispatcher_is_a_configuration_error() =>
        Assert.Throws<ConfigurationException>(() => Sys.Dispatchers.Lookup("nowhere"));

    private sealed class Collecting : SynchronizationContext
    {
        internal BlockingCollection<(SendOrPostCallback Call, object? State)> Posted { get; } = [];

        public override void Post(SendOrPostCallback d, object? state) => Posted.Add((d, state));
    }

    [Fact]
    public void A_synchronized_dispatcher_runs_actors_in_the_context_that_looked_it_up()
    {
        var context = new Collecting();
        var before = SynchronizationContext.Current;
        IActorRef actor;
        SynchronizationContext.SetSynchronizationContext(context);
        try
        {
            actor = Sys.ActorOf(Props.Create<Telling>().WithDispatcher("mine"));
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
        actor.Tell("which?", TestActor);
        ExpectNoMsg(TimeSpan.FromMilliseconds(20));
        RunUntilTold();
        Assert.Same(Thread.CurrentThread, ExpectMsg<Thread>());
        // Its end needs the context too.
        Watch(actor);
        Sys.Stop(actor);
        RunUntilTold();
        ExpectTerminated(actor);

        void RunUntilTold() =>
            AwaitCondition(
                () =>
                {
                    if (context.Posted.TryTake(out var posted, TimeSpan.FromMilliseconds(20)))
                        posted.Call(posted.State);
                    return HasMessages;
                },
                TimeSpan.FromSeconds(20),
                TimeSpan.FromMilliseconds(1)
            );
    }

    [Fact]
    public void A_synchronized_dispatcher_needs_a_context()
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Assert.Throws<InvalidOperationException>(() => Sys.Dispatchers.Lookup("mine"));
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private sealed class Logged : ActorBase, ILogReceive
    {
        protected override bool Receive(object message) => message is string;
    }

    [Fact]
    public void Messages_of_actors_that_ask_for_it_are_logged()
    {
        var actor = Sys.ActorOf(Props.Create<Logged>(), "logged");
        EventFilter
            .Debug(message: $"received handled message hello from {TestActor.Path}")
            .ExpectOne(() => actor.Tell("hello", TestActor));
        EventFilter
            .Debug(message: $"received unhandled message 7 from {TestActor.Path}")
            .ExpectOne(() => actor.Tell(7, TestActor));
        EventFilter
            .Debug(message: $"received handled message nobody's from {Sys.DeadLetters.Path}")
            .ExpectOne(() => actor.Tell("nobody's", ActorRefs.NoSender));
    }

    [Fact]
    public void Unhandled_messages_are_logged_where_the_configuration_asks_for_it()
    {
        var actor = Sys.ActorOf(Props.Create<Logged>(), "unhandling");
        EventFilter
            .Debug(start: "Unhandled message from " + TestActor, contains: ": 8")
            .ExpectOne(() => actor.Tell(8, TestActor));
    }
}
