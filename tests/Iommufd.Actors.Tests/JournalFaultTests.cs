using Akka.Actor;
using Akka.TestKit.Xunit2;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;
using Xunit;

namespace Iommufd.Actors.Tests;

/// <summary>The writer of a journal that dies: what was written is known, nothing is written twice or out of order.</summary>
public sealed class JournalFaultTests : TestKit
{
    public JournalFaultTests()
        : base(
            """
            akka.loglevel = OFF
            akka.test.single-expect-default = 10s
            akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
            akka.persistence.snapshot-store.plugin = "akka.persistence.no-snapshot-store"
            """
        ) { }

    [Fact]
    public void A_writer_that_is_started_again_tells_how_far_the_journal_got()
    {
        IActorRef parent = Start("journal-a");
        Assert.Equal(0, ExpectMsg<JournalStarted>().LastSequence);
        Append(parent, 1, 2, 3);
        Assert.Equal(3, Durable(3));
        parent.Tell(new Strike());
        Assert.Equal(3, ExpectMsg<JournalStarted>().LastSequence);
        Append(parent, 3, 4);
        Assert.Equal(4, Durable(1));
    }

    [Fact]
    public void An_event_that_overtakes_a_lost_one_waits_for_it()
    {
        IActorRef parent = Start("journal-b");
        ExpectMsg<JournalStarted>();
        Append(parent, 1, 3, 2, 3);
        Assert.Equal(3, Durable(3));
        parent.Tell(new Strike());
        Assert.Equal(3, ExpectMsg<JournalStarted>().LastSequence);
    }

    private IActorRef Start(string id)
    {
        IActorRef probe = TestActor;
        return Sys.ActorOf(Props.Create(() => new Parent(probe, id)));
    }

    private static void Append(IActorRef parent, params long[] numbers)
    {
        foreach (long number in numbers)
        {
            parent.Tell(new AppendEvent(number, new QueueDescriptorClosed((uint)number)));
        }
    }

    private long Durable(int events)
    {
        long last = 0;
        for (int i = 0; i < events; i++)
        {
            long next = ExpectMsg<EventsDurable>().Sequence;
            Assert.True(next > last, $"event {next} after {last}");
            last = next;
        }

        return last;
    }

    /// <summary>Stands for the context: passes down what the test says, and up what the writer says.</summary>
    private sealed class Parent : UntypedActor
    {
        private readonly IActorRef _probe;
        private readonly IActorRef _journal;

        public Parent(IActorRef probe, string id)
        {
            _probe = probe;
            _journal = Context.ActorOf(Props.Create(() => new JournalActor(id, null, 0, null)), "journal");
        }

        protected override SupervisorStrategy SupervisorStrategy() => ParticipantSupervision.Strategy();

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case AppendEvent append:
                    _journal.Tell(append);
                    break;
                case Strike:
                    _journal.Tell(Kill.Instance);
                    break;
                default:
                    _probe.Tell(message);
                    break;
            }
        }
    }

    private sealed record Strike;
}
