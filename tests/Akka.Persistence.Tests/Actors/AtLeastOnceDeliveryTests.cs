using Akka.Actor;
using Akka.Persistence.Tests.Support;
using Xunit;

namespace Akka.Persistence.Tests.Actors;

/// <summary>Messages are sent until they are confirmed, over restarts too.</summary>
public sealed class AtLeastOnceDeliveryTests()
    : PersistenceTest(
        JournalConfigurations.InMemory
            + """

            akka.persistence.at-least-once-delivery {
              redeliver-interval = 100ms
              warn-after-number-of-unconfirmed-attempts = 3
              max-unconfirmed-messages = 4
            }
            """
    )
{
    private sealed record Send(string Text);

    private sealed record Confirm(long Id);

    private sealed record Sent(string Text);

    private sealed record Confirmed(long Id);

    private sealed record Parcel(long Id, string Text);

    private sealed class Courier : AtLeastOnceDeliveryReceiveActor
    {
        private readonly ActorPath _target;

        public Courier(IActorRef target, IActorRef log)
        {
            _target = target.Path;
            Recover<Sent>(Apply);
            Recover<Confirmed>(e => ConfirmDelivery(e.Id));
            Recover<SnapshotOffer>(o => SetDeliverySnapshot((AtLeastOnceDeliverySnapshot)o.Snapshot));
            Command<Send>(c => Persist(new Sent(c.Text), Apply));
            Command<Confirm>(c => Persist(new Confirmed(c.Id), e => log.Tell(ConfirmDelivery(e.Id))));
            Command<UnconfirmedWarning>(w => log.Tell(w));
            Command<string>(_ => SaveSnapshot(GetDeliverySnapshot()));
            Command<SaveSnapshotSuccess>(_ => log.Tell("saved"));
        }

        public override string PersistenceId => "sender";

        private void Apply(Sent e) => Deliver(_target, id => new Parcel(id, e.Text));
    }

    private (IActorRef Sender, Probe Target, Probe Log) Start()
    {
        var (target, log) = (new Probe(System), new Probe(System));
        return (StartWith(target, log), target, log);
    }

    private IActorRef StartWith(Probe target, Probe log)
    {
        var (to, tell) = (target.Ref, log.Ref);
        return System.ActorOf(Props.Create(() => new Courier(to, tell)));
    }

    [Fact]
    public void A_message_is_sent_again_until_it_is_confirmed()
    {
        var (sender, target, log) = Start();
        sender.Tell(new Send("a"));
        Assert.Equal(new Parcel(1, "a"), target.Next());
        Assert.Equal(new Parcel(1, "a"), target.Next());
        sender.Tell(new Confirm(1));
        log.Expect(true);
    }

    [Fact]
    public void Confirming_twice_says_so()
    {
        var (sender, target, log) = Start();
        sender.Tell(new Send("a"));
        target.Expect<Parcel>();
        sender.Tell(new Confirm(1));
        sender.Tell(new Confirm(1));
        log.Expect(true, false);
    }

    [Fact]
    public void What_is_unconfirmed_is_sent_by_the_next_incarnation_and_the_rest_is_not()
    {
        var (sender, target, log) = Start();
        sender.Tell(new Send("a"));
        sender.Tell(new Send("b"));
        sender.Tell(new Confirm(1));
        log.Expect(true);
        System.Stop(sender);
        Assert.True(sender.WatchAsync().Wait(TimeSpan.FromSeconds(10)));
        var later = new Probe(System);
        StartWith(later, log);
        Assert.Equal(new Parcel(2, "b"), later.Next());
        Assert.Equal(new Parcel(2, "b"), later.Next());
    }

    [Fact]
    public void Many_attempts_without_confirmation_raise_a_warning()
    {
        var (sender, _, log) = Start();
        sender.Tell(new Send("a"));
        var warning = log.Expect<UnconfirmedWarning>();
        Assert.Equal(new Parcel(1, "a"), Assert.Single(warning.UnconfirmedDeliveries).Message);
    }

    [Fact]
    public void A_snapshot_holds_what_is_unconfirmed()
    {
        var (sender, target, log) = Start();
        sender.Tell(new Send("a"));
        target.Expect<Parcel>();
        sender.Tell("snapshot");
        log.Expect("saved");
        System.Stop(sender);
        Assert.True(sender.WatchAsync().Wait(TimeSpan.FromSeconds(10)));
        target.Ref.Tell("the next incarnation begins");
        StartWith(new Probe(System), log);
        while (target.Next() is Parcel) { }

        Assert.Equal(new Parcel(1, "a"), target.Next());
    }

    [Fact]
    public void Too_many_unconfirmed_messages_fail_the_actor()
    {
        var (sender, _, _) = Start();
        var ended = sender.WatchAsync();
        for (var i = 0; i < 5; i++)
        {
            sender.Tell(new Send("x"));
        }

        // The fifth event is stored, so every incarnation fails on it during replay, and stops.
        Assert.True(ended.Wait(TimeSpan.FromSeconds(10)));
    }
}
