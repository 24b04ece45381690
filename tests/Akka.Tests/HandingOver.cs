using System.Diagnostics;
using Akka.Actor;
using Akka.Dispatch;
using Xunit;

namespace AkkaTests;

/// <summary>
/// Actors that wake each other run one after the other on one thread. Here: that this loses nothing, runs no actor twice
/// at once, and makes nobody wait for an actor that does not return.
/// </summary>
public class HandingOver
{
    private const int Relays = 8;
    private const int Outside = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static ActorSystem NewSystem(string config = "") =>
        ActorSystem.Create(
            "handing-over",
            "akka.loglevel = OFF, akka.stdout-loglevel = OFF, akka.log-dead-letters = off\n" + config
        );

    private sealed record Token(int Sender, long Number, int Hops);

    /// <summary>What all relays of a test know: each other, and how many tokens went from whom to whom.</summary>
    private sealed class Circle
    {
        internal IActorRef[] Members { get; } = new IActorRef[Relays];
        internal DeliveryOracle[] Oracles { get; } =
            Enumerable.Range(0, Relays).Select(_ => new DeliveryOracle(Relays + Outside)).ToArray();
        internal long[][] Sent { get; } = Enumerable.Range(0, Relays + Outside).Select(_ => new long[Relays]).ToArray();
        internal string? Stuck;

        internal void Send(int from, int to, int hops) =>
            Members[to].Tell(new Token(from, Sent[from][to]++, hops), ActorRefs.NoSender);

        internal long Received => Oracles.Sum(o => o.Received);
    }

    /// <summary>Sends on what it gets; now and then it takes long, and one of them waits for an actor that it told.</summary>
    private sealed class Relay(Circle circle, int index) : UntypedActor
    {
        private readonly Random _random = new(index);
        private readonly ManualResetEventSlim _answered = new();
        private IActorRef _helper = ActorRefs.Nobody;
        private int _handled;

        protected override void PreStart() => _helper = Context.ActorOf(Props.Create(() => new Setter(_answered)));

        protected override void OnReceive(object message)
        {
            var token = (Token)message;
            circle.Oracles[index].Handle(token.Sender, token.Number);
            _handled++;
            if (index == 0 && _handled % 500 == 0)
            {
                _answered.Reset();
                _helper.Tell("set it", Self);
                if (!_answered.Wait(Patience))
                    Volatile.Write(ref circle.Stuck, "an actor that was told never ran");
            }
            if (token.Hops > 0)
                circle.Send(index, _random.Next(Relays), token.Hops - 1);
            if (_handled % 50 == 0)
                Thread.SpinWait(_random.Next(2000));
        }
    }

    private sealed class Setter(ManualResetEventSlim signal) : UntypedActor
    {
        protected override void OnReceive(object message) => signal.Set();
    }

    [Theory]
    [InlineData("")]
    [InlineData("akka.actor.default-dispatcher.throughput = 1")]
    [InlineData("akka.actor.default-dispatcher.throughput-deadline-time = 1ms")]
    public void Tokens_that_go_from_actor_to_actor_arrive_once_and_in_order(string config)
    {
        const int hops = 40;
        using var system = NewSystem(config);
        var circle = new Circle();
        for (var i = 0; i < Relays; i++)
        {
            var index = i;
            circle.Members[i] = system.ActorOf(Props.Create(() => new Relay(circle, index)));
        }
        var threads = Enumerable
            .Range(0, Outside)
            .Select(t => new Thread(() => SendTokens(circle, Relays + t, hops)))
            .ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        var tokens = circle.Sent.Skip(Relays).Sum(s => s.Sum());
        Assert.True(
            SpinWait.SpinUntil(() => Broken(circle) is not null || circle.Received == tokens * (hops + 1), Patience),
            $"{circle.Received} of {tokens * (hops + 1)} arrived"
        );
        for (var i = 0; i < Relays; i++)
            circle.Oracles[i].ExpectAll(circle.Sent.Select(s => s[i]).ToArray());
        Assert.Null(Broken(circle));
    }

    private static string? Broken(Circle circle) =>
        Volatile.Read(ref circle.Stuck) ?? circle.Oracles.Select(o => o.Violation).FirstOrDefault(v => v is not null);

    private static void SendTokens(Circle circle, int sender, int hops)
    {
        var clock = Stopwatch.StartNew();
        var random = new Random(sender);
        while (clock.Elapsed < DeliveryOracle.Duration / 2)
        {
            for (var burst = random.Next(1, 8); burst > 0; burst--)
                circle.Send(sender, random.Next(Relays), hops);
            // So few that the relays run dry: a mailbox that wakes is what is tested.
            Thread.SpinWait(random.Next(0, 5000));
        }
    }

    private sealed class Waiting : UntypedActor
    {
        private readonly IActorRef _echo = Context.ActorOf(Props.Create(() => new Echo()));

        protected override void OnReceive(object message) =>
            // As nobody should, and many do.
            Sender.Tell(_echo.Ask<object>(message).Wait(Patience) ? "answered" : "stuck");
    }

    private sealed class Echo : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(message);
    }

    [Fact]
    public async Task An_actor_that_waits_for_another_actors_answer_gets_it()
    {
        using var system = NewSystem();
        var waiting = system.ActorOf(Props.Create(() => new Waiting()));
        for (var i = 0; i < 100; i++)
            Assert.Equal("answered", await waiting.Ask<string>("question", Patience));
    }

    /// <summary>Tells several, more than wait in a slot at once, and waits for all of them.</summary>
    private sealed class Impatient : UntypedActor
    {
        private readonly CountdownEvent _set = new(7);

        protected override void OnReceive(object message)
        {
            // Made here: each is woken twice, to come to life and to count.
            for (var i = 0; i < _set.InitialCount; i++)
                Context.ActorOf(Props.Create(() => new Counter(_set))).Tell("count");
            Sender.Tell(_set.Wait(Patience) ? "all ran" : "some never ran");
        }
    }

    private sealed class Counter(CountdownEvent count) : UntypedActor
    {
        protected override void OnReceive(object message) => count.Signal();
    }

    [Fact]
    public async Task All_that_an_actor_wakes_run_while_it_does_not_return()
    {
        using var system = NewSystem();
        for (var i = 0; i < 50; i++)
            Assert.Equal("all ran", await system.ActorOf<Impatient>().Ask<string>("go", 2 * Patience));
    }

    /// <summary>Calls for a rescue, and tells its helper, for which it then waits, just when that rescue has looked.</summary>
    private sealed class Dependent(ManualResetEventSlim looked, ManualResetEventSlim told, TimeSpan patience)
        : UntypedActor
    {
        private readonly ManualResetEventSlim _answered = new();
        private readonly IActorRef _other = Context.ActorOf(Props.Create<Silent>());
        private IActorRef _helper = ActorRefs.Nobody;

        protected override void PreStart() => _helper = Context.ActorOf(Props.Create(() => new Setter(_answered)));

        protected override void OnReceive(object message)
        {
            _other.Tell("something");
            looked.Wait(patience);
            _helper.Tell("set it");
            told.Set();
            Sender.Tell(_answered.Wait(Patience) ? "it ran" : "it never ran");
        }
    }

    private sealed class Silent : UntypedActor
    {
        protected override void OnReceive(object message) { }
    }

    [Fact]
    public async Task A_slot_that_is_filled_when_a_rescue_has_just_looked_is_emptied_by_the_next()
    {
        using var system = NewSystem();
        var held = 0;
        // A thread that rests from handing over calls for no rescue; after some messages it does again.
        for (var i = 0; i < 200 && Volatile.Read(ref held) < 5; i++)
        {
            var looked = new ManualResetEventSlim();
            var told = new ManualResetEventSlim();
            var patience = TimeSpan.FromMilliseconds(Math.Min(5 + 5 * i, 1000));
            var dependent = system.ActorOf(Props.Create(() => new Dependent(looked, told, patience)));
            await dependent.Ask<ActorIdentity>(new Identify(0), Patience);
            PoolWorker.RescueHasLooked = () =>
            {
                PoolWorker.RescueHasLooked = null;
                if (!told.IsSet)
                    Interlocked.Increment(ref held);
                looked.Set();
                told.Wait(Patience);
            };
            Assert.Equal("it ran", await dependent.Ask<string>("go", 2 * Patience));
        }
        PoolWorker.RescueHasLooked = null;
        Assert.NotEqual(0, held);
    }

    private sealed class Endless : UntypedActor
    {
        private IActorRef _other = ActorRefs.Nobody;

        protected override void OnReceive(object message)
        {
            if (message is IActorRef other)
                _other = other;
            else
                Sender.Tell(message);
            if (message is IActorRef)
                _other.Tell("ball");
        }
    }

    [Fact]
    public async Task Actors_that_wake_each_other_for_ever_do_not_starve_the_others()
    {
        using var system = NewSystem();
        for (var i = 0; i < Environment.ProcessorCount * 2; i++)
            system.ActorOf<Endless>().Tell(system.ActorOf<Endless>());
        var echo = system.ActorOf<Echo>();
        for (var i = 0; i < 100; i++)
            Assert.Equal(i, await echo.Ask<int>(i, Patience));
    }

    /// <summary>Bounces a ball, and counts how many of its messages one item of the pool handled.</summary>
    private sealed class Counting(int[] longest, TaskCompletionSource done) : UntypedActor
    {
        private int _left = 5000;

        protected override void OnReceive(object message)
        {
            var thread = Thread.CurrentThread;
            // The pool makes its threads background threads again after each item.
            if (thread.IsBackground)
                t_length = 0;
            thread.IsBackground = false;
            longest[0] = Math.Max(longest[0], ++t_length);
            if (--_left > 0)
                Sender.Tell(message);
            else
                done.TrySetResult();
        }

        [ThreadStatic]
        private static int t_length;
    }

    [Theory]
    [InlineData(30, 240)]
    [InlineData(1, 8)]
    public async Task A_thread_goes_back_to_the_pool_after_as_many_messages_as_eight_full_turns_have(
        int throughput,
        int most
    )
    {
        using var system = NewSystem($"akka.actor.default-dispatcher.throughput = {throughput}");
        var longest = new int[1];
        var done = new TaskCompletionSource();
        var one = system.ActorOf(Props.Create(() => new Counting(longest, done)));
        var other = system.ActorOf(Props.Create(() => new Counting(longest, done)));
        one.Tell("ball", other);
        await done.Task.WaitAsync(Patience);
        Assert.InRange(longest[0], 1, most);
    }

    private static readonly AsyncLocal<string?> Ambient = new();

    private sealed class Setting(IActorRef next) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            Ambient.Value = "of the first";
            SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
            next.Forward(message);
        }
    }

    private sealed class Seeing : UntypedActor
    {
        protected override void OnReceive(object message) =>
            Sender.Tell((Ambient.Value ?? "nothing") + (SynchronizationContext.Current is null ? "" : ", a context"));
    }

    [Fact]
    public async Task What_an_actor_sets_for_its_asynchronous_flow_is_not_seen_by_the_one_it_wakes()
    {
        using var system = NewSystem();
        var first = system.ActorOf(Props.Create(() => new Setting(system.ActorOf<Seeing>(null))));
        for (var i = 0; i < 200; i++)
            Assert.Equal("nothing", await first.Ask<string>("what do you see?", Patience));
    }
}
