using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using Xunit;

namespace AkkaTests;

/// <summary>Many threads against the mailbox, with an oracle that knows what may come out.</summary>
public class Stress
{
    private const int Senders = 6;

    private sealed record Numbered(int Sender, long Number);

    /// <summary>Sends from several threads for a while, in bursts and pauses so that the mailbox runs dry often.</summary>
    private static long[] SendFor(TimeSpan duration, Action<Numbered> post)
    {
        var sent = new long[Senders];
        var threads = Enumerable
            .Range(0, Senders)
            .Select(i => new Thread(() =>
            {
                var clock = Stopwatch.StartNew();
                var random = new Random(i);
                while (clock.Elapsed < duration)
                {
                    for (var burst = random.Next(1, 200); burst > 0; burst--)
                        post(new Numbered(i, sent[i]++));
                    Thread.SpinWait(random.Next(0, 2000));
                    if (sent[i] % 16 == 0)
                        Thread.Yield();
                }
            }))
            .ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        return sent;
    }

    private static ActorSystem NewSystem() =>
        ActorSystem.Create("stress", "akka.loglevel = OFF, akka.stdout-loglevel = OFF, akka.log-dead-letters = off");

    private static bool Eventually(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > TimeSpan.FromSeconds(20))
                return false;
            Thread.Yield();
        }
        return true;
    }

    private sealed class Receiver(DeliveryOracle oracle) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is Numbered numbered)
                oracle.Handle(numbered.Sender, numbered.Number);
        }
    }

    [Fact]
    public void The_mailbox_loses_nothing_doubles_nothing_and_keeps_each_senders_order()
    {
        var oracle = new DeliveryOracle(Senders);
        using var system = NewSystem();
        var actor = system.ActorOf(Props.Create(() => new Receiver(oracle)));
        var sent = SendFor(DeliveryOracle.Duration, m => actor.Tell(m, ActorRefs.NoSender));
        Assert.True(Eventually(() => oracle.Violation is not null || oracle.Received == sent.Sum()));
        oracle.ExpectAll(sent);
        Assert.Null(oracle.Violation);
    }

    private sealed class Failing(DeliveryOracle oracle, int[] sinceFailure) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            var numbered = (Numbered)message;
            oracle.Handle(numbered.Sender, numbered.Number);
            if (++sinceFailure[0] % 97 == 0)
                throw new InvalidOperationException("now and then");
        }
    }

    [Fact]
    public void Restarts_under_load_lose_nothing()
    {
        var oracle = new DeliveryOracle(Senders);
        using var system = NewSystem();
        var actor = system.ActorOf(Props.Create(() => new Failing(oracle, new int[1])));
        var sent = SendFor(DeliveryOracle.Duration / 2, m => actor.Tell(m, ActorRefs.NoSender));
        Assert.True(Eventually(() => oracle.Violation is not null || oracle.Received == sent.Sum()));
        oracle.ExpectAll(sent);
        Assert.Null(oracle.Violation);
    }

    private sealed class Stasher(DeliveryOracle oracle) : UntypedActor, IWithUnboundedStash
    {
        private int _stashed;

        public IStash Stash { get; set; } = null!;

        protected override void OnReceive(object message)
        {
            var numbered = (Numbered)message;
            if (_stashed < 50)
            {
                _stashed++;
                Stash.Stash();
                return;
            }
            // Everything stashed comes back before this one, which is put behind it.
            if (_stashed == 50)
            {
                _stashed++;
                Stash.Stash();
                Stash.UnstashAll();
                return;
            }
            oracle.Handle(numbered.Sender, numbered.Number);
        }
    }

    [Fact]
    public void A_stash_under_load_keeps_the_order()
    {
        var oracle = new DeliveryOracle(Senders);
        using var system = NewSystem();
        var actor = system.ActorOf(Props.Create(() => new Stasher(oracle)));
        var sent = SendFor(DeliveryOracle.Duration / 4, m => actor.Tell(m, ActorRefs.NoSender));
        Assert.True(Eventually(() => oracle.Violation is not null || oracle.Received == sent.Sum()));
        oracle.ExpectAll(sent);
        Assert.Null(oracle.Violation);
    }

    private sealed class DeadLetterCounter(long[] count) : UntypedActor
    {
        protected override void PreStart() => Context.System.EventStream.Subscribe(Self, typeof(DeadLetter));

        protected override void OnReceive(object message)
        {
            if (message is DeadLetter { Message: Numbered })
                Interlocked.Increment(ref count[0]);
        }
    }

    [Fact]
    public void Every_message_to_an_actor_that_is_stopped_is_handled_or_a_dead_letter()
    {
        var clock = Stopwatch.StartNew();
        do
        {
            var oracle = new DeliveryOracle(Senders);
            var dead = new long[1];
            using var system = NewSystem();
            var counter = system.ActorOf(Props.Create(() => new DeadLetterCounter(dead)));
            counter.Ask<ActorIdentity>(new Identify(0)).Wait();
            var actor = system.ActorOf(Props.Create(() => new Receiver(oracle)));
            actor.Ask<ActorIdentity>(new Identify(0)).Wait();
            var stopped = 0;
            var sent = SendFor(
                TimeSpan.FromMilliseconds(10),
                m =>
                {
                    actor.Tell(m, ActorRefs.NoSender);
                    if (m.Number == 100 && Interlocked.Exchange(ref stopped, 1) == 0)
                        system.Stop(actor);
                }
            );
            Assert.True(
                Eventually(() => oracle.Received + Interlocked.Read(ref dead[0]) == sent.Sum()),
                $"{sent.Sum()} sent, {oracle.Received} handled, {dead[0]} dead"
            );
            Assert.Null(oracle.Violation);
        } while (clock.Elapsed < DeliveryOracle.Duration);
    }

    [Fact]
    public void Asynchronous_handlers_under_load_keep_the_order()
    {
        var oracle = new DeliveryOracle(Senders);
        using var system = NewSystem();
        var actor = system.ActorOf(Props.Create(() => new AsyncReceiver(oracle)));
        var sent = SendFor(DeliveryOracle.Duration / 4, m => actor.Tell(m, ActorRefs.NoSender));
        Assert.True(Eventually(() => oracle.Violation is not null || oracle.Received == sent.Sum()));
        oracle.ExpectAll(sent);
        Assert.Null(oracle.Violation);
    }

    private sealed class AsyncReceiver : ReceiveActor
    {
        private int _count;

        public AsyncReceiver(DeliveryOracle oracle)
        {
            Receive<Numbered>(_ => ++_count % 512 != 0, m => oracle.Handle(m.Sender, m.Number));
            ReceiveAsync<Numbered>(async m =>
            {
                await Task.Yield();
                oracle.Handle(m.Sender, m.Number);
            });
        }
    }

    /// <summary>A mailbox as it should not be: how it is broken is the argument.</summary>
    private sealed class BrokenMailbox(DeliveryOracle oracle, string how)
    {
        private readonly Queue<Numbered> _queue = new();
        private Numbered? _held;
        private long _count;
        private readonly Barrier _both = new(2);

        internal void Post(Numbered message)
        {
            lock (_queue)
            {
                _count++;
                switch (how)
                {
                    case "loses" when _count % 1000 == 0:
                        return;
                    case "doubles" when _count % 1000 == 0:
                        _queue.Enqueue(message);
                        break;
                    case "reorders" when _held is null && message.Sender == 0:
                        _held = message;
                        return;
                    case "reorders" when message.Sender == 0:
                        _queue.Enqueue(message);
                        message = _held!;
                        _held = null;
                        break;
                }
                _queue.Enqueue(message);
            }
        }

        internal void Drain()
        {
            if (how == "runs twice")
            {
                Parallel.Invoke(
                    new ParallelOptions { MaxDegreeOfParallelism = 2 },
                    () => DrainHalf(true),
                    () => DrainHalf(true)
                );
                return;
            }
            DrainHalf(false);
        }

        private void DrainHalf(bool together)
        {
            while (true)
            {
                Numbered? next;
                lock (_queue)
                {
                    if (!_queue.TryDequeue(out next))
                        return;
                }
                oracle.Handle(
                    next.Sender,
                    next.Number,
                    together ? () => _both.SignalAndWait(TimeSpan.FromSeconds(5)) : null
                );
                if (oracle.Violation is not null)
                    return;
            }
        }
    }

    [Theory]
    [InlineData("loses")]
    [InlineData("doubles")]
    [InlineData("reorders")]
    [InlineData("runs twice")]
    public void The_oracle_sees_a_broken_mailbox(string how)
    {
        var oracle = new DeliveryOracle(Senders);
        var broken = new BrokenMailbox(oracle, how);
        var sent = new long[Senders];
        for (var i = 0; i < 5000; i++)
            broken.Post(new Numbered(i % Senders, sent[i % Senders]++));
        broken.Drain();
        oracle.ExpectAll(sent);
        Assert.NotNull(oracle.Violation);
    }

    [Fact]
    public void The_oracle_accepts_a_sound_mailbox()
    {
        var oracle = new DeliveryOracle(Senders);
        var sound = new BrokenMailbox(oracle, "not at all");
        var sent = new long[Senders];
        for (var i = 0; i < 5000; i++)
            sound.Post(new Numbered(i % Senders, sent[i % Senders]++));
        sound.Drain();
        oracle.ExpectAll(sent);
        Assert.Null(oracle.Violation);
    }
}
