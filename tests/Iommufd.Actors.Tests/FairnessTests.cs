using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Simulation;
using Iommufd.Actors.Protocol;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Actors.Tests;

/// <summary>
/// A process that floods a context does not starve another one there (docs/decisions/0013-fairness.md). Counted in messages of a simulated schedule,
/// so that the answer does not depend on the machine.
/// </summary>
public sealed class FairnessTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_polite_process_waits_no_longer_when_the_flood_beside_it_grows_tenfold(ulong seed)
    {
        var small = new Flood(seed, calls: 200).LongestPoliteWait();
        var large = new Flood(seed, calls: 2_000).LongestPoliteWait();

        Assert.InRange(large, 1, small * 3 / 2);
    }

    [Fact]
    public void Without_a_line_the_polite_process_would_wait_for_the_whole_flood()
    {
        var lined = new Flood(seed: 1, calls: 2_000).LongestPoliteWait();
        var unlined = new Flood(seed: 1, calls: 2_000, callsAtOnce: int.MaxValue).LongestPoliteWait();

        Assert.True(unlined > 5 * lined, $"{unlined} messages without a line, {lined} with one");
    }

    [Fact]
    public void A_call_more_than_a_process_can_have_under_way_is_EAGAIN_and_changes_nothing()
    {
        var flood = new Flood(seed: 1, calls: 300, callsInLine: 100);

        Assert.InRange(flood.LongestPoliteWait(), 1, int.MaxValue);
        Assert.InRange(flood.Refused, 1, 200);
        Assert.Equal(0, flood.CloseAndCountLeaks());
    }

    [Fact]
    public void Calls_of_one_process_are_answered_in_the_order_of_the_line()
    {
        var flood = new Flood(seed: 5, calls: 500, callsAtOnce: 1);
        flood.LongestPoliteWait();

        Assert.Equal(flood.FloodAnswers.Order(), flood.FloodAnswers);
        Assert.Equal(500, flood.FloodAnswers.Count);
    }

    /// <summary>One context, a process that sends all its calls at once and again for each answer, and one that makes one call at a time.</summary>
    private sealed class Flood
    {
        private const int PoliteCalls = 20;

        // Takes the IOAS's lock and asks its participant: calls wait for one another as they do in the kernel.
        private static readonly IoasUnmap UnmapAll = new() { IoasId = 1, Length = ulong.MaxValue };
        private readonly ActorSystem _system;
        private readonly Simulation _simulation;
        private readonly IActorRef _context;
        private readonly Inbox _inbox;
        private readonly int _flooder;
        private readonly int _polite;
        private readonly int _calls;
        private bool _isOver;

        public Flood(ulong seed, int calls, int callsAtOnce = 64, int callsInLine = 4096)
        {
            _calls = calls;
            _system = ActorSystem.Create(
                "fairness",
                ActorSystemSetup.Create(
                    BootstrapSetup.Create().WithConfig("akka.loglevel = ERROR"),
                    new SimulationSetup(seed)
                )
            );
            _simulation = Simulation.Get(_system);
            _inbox = new Inbox();
            var collector = _system.ActorOf(Props.Create(() => new Collector(_inbox)));
            var host = SimulatedHost.Start(
                _system,
                new HostOptions { CallsAtOnce = callsAtOnce, CallsInLine = callsInLine }
            );
            _flooder = Ask<ProcessStarted>(
                host.Machine,
                new StartProcess(new ProcessSpec("flooder")),
                collector
            ).ProcessId;
            _polite = Ask<ProcessStarted>(
                host.Machine,
                new StartProcess(new ProcessSpec("polite")),
                collector
            ).ProcessId;
            _context = Ask<IommufdOpened>(host.Machine, new OpenIommufd(_flooder), collector).Context;
            Sender = collector;
            _context.Tell(new IoctlRequest(0, _flooder, new IoasAlloc()), Sender);
            _simulation.RunUntilIdle(long.MaxValue);
            _inbox.Messages.Clear();
        }

        /// <summary>Calls of the flood that were refused.</summary>
        public int Refused { get; private set; }

        /// <summary>Tags of the flood's first calls, in the order of their answers.</summary>
        public List<long> FloodAnswers { get; } = [];

        private IActorRef Sender { get; }

        /// <summary>Messages handled in the whole system between a polite call and its answer, at most.</summary>
        public long LongestPoliteWait()
        {
            for (var i = 1; i <= _calls; i++)
            {
                Call(i, _flooder);
            }

            // The first one comes behind the calls that were made before it, as many as the flooder has threads.
            PoliteCall();
            var longest = 0L;
            for (var i = 0; i < PoliteCalls; i++)
            {
                longest = Math.Max(longest, PoliteCall());
            }

            _isOver = true;
            _simulation.RunUntilIdle(long.MaxValue);
            TakeAnswers();
            return longest;
        }

        /// <summary>Closes the context; what is left of it.</summary>
        public int CloseAndCountLeaks() => Ask<IommufdClosed>(_context, new CloseIommufd(), Sender).Leaked;

        private long PoliteCall()
        {
            Call(0, _polite);
            var steps = 0L;
            while (!TakeAnswers())
            {
                Assert.True(_simulation.RunUntilIdle(1) > 0, "nothing can happen any more");
                steps++;
            }

            return steps;
        }

        // What the flooder is answered it asks again, as long as there is a flood.
        private bool TakeAnswers()
        {
            var polite = false;
            while (_inbox.Messages.TryDequeue(out var message))
            {
                if (message is not IoctlAnswer answer)
                {
                    continue;
                }

                if (answer.Tag == 0)
                {
                    polite = true;
                    continue;
                }

                Refused += answer.Result.Errno == Errno.EAGAIN ? 1 : 0;
                if (answer.Tag <= _calls)
                {
                    FloodAnswers.Add(answer.Tag);
                }

                if (!_isOver && answer.Result.IsOk)
                {
                    Call(answer.Tag + _calls, _flooder);
                }
            }

            return polite;
        }

        private void Call(long tag, int process) => _context.Tell(new IoctlRequest(tag, process, UnmapAll), Sender);

        private T Ask<T>(IActorRef whom, object message, IActorRef collector)
        {
            whom.Tell(message, collector);
            _simulation.RunUntilIdle(long.MaxValue);
            return _inbox.Messages.OfType<T>().Last();
        }
    }

    private sealed class Inbox
    {
        public Queue<object> Messages { get; } = new();
    }

    private sealed class Collector : UntypedActor
    {
        private readonly Inbox _inbox;

        public Collector(Inbox inbox) => _inbox = inbox;

        protected override void OnReceive(object message) => _inbox.Messages.Enqueue(message);
    }
}
