using Akka.Actor;
using Akka.Event;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Xunit;

namespace AkkaTests;

public class Watching : TestKit
{
    private sealed record WatchFor(IActorRef Who, object? With = null);

    private sealed record UnwatchIt(IActorRef Who);

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(IActorRef probe, bool handles)
        {
            Receive<WatchFor>(w =>
            {
                if (w.With is null)
                    Context.Watch(w.Who);
                else
                    Context.WatchWith(w.Who, w.With);
                Sender.Tell("watching");
            });
            Receive<UnwatchIt>(w =>
            {
                Context.Unwatch(w.Who);
                Sender.Tell("unwatched");
            });
            Receive<string>(s => probe.Tell(s));
            if (handles)
                Receive<Terminated>(t => probe.Tell(t.ActorRef));
        }
    }

    private IActorRef NewWatcher(bool handles = true) =>
        Sys.ActorOf(Props.Create(() => new Watcher(TestActor, handles)));

    private IActorRef NewTarget() => Sys.ActorOf(Props.Empty);

    [Fact]
    public void A_watch_on_the_dead_is_answered()
    {
        var target = Watch(NewTarget());
        Sys.Stop(target);
        ExpectTerminated(target);
        NewWatcher().Tell(new WatchFor(target));
        ExpectMsg("watching");
        ExpectMsg(target);
    }

    [Fact]
    public void A_watch_on_what_never_was_is_answered_unconfirmed()
    {
        var missing = ((ExtendedActorSystem)Sys).Provider.ResolveActorRef("akka://test/user/missing");
        Watch(missing);
        Assert.False(ExpectTerminated(missing).ExistenceConfirmed);
    }

    [Fact]
    public void WatchWith_sends_the_message_instead()
    {
        var target = NewTarget();
        NewWatcher().Tell(new WatchFor(target, "gone"));
        ExpectMsg("watching");
        Sys.Stop(target);
        ExpectMsg("gone");
    }

    [Fact]
    public void Watching_again_with_another_message_is_refused()
    {
        var target = NewTarget();
        var watcher = NewWatcher();
        watcher.Tell(new WatchFor(target));
        ExpectMsg("watching");
        EventFilter
            .Exception<InvalidOperationException>(contains: "termination message was not overwritten")
            .ExpectOne(() => watcher.Tell(new WatchFor(target, "other")));
    }

    [Fact]
    public void Unwatch_takes_back_a_Terminated_that_is_already_in_the_mailbox()
    {
        var target = NewTarget();
        var gate = CreateTestLatch();
        var entered = CreateTestLatch();
        var unwatcher = Sys.ActorOf(Props.Create(() => new Unwatcher(target, TestActor, entered, gate)));
        unwatcher.Tell("go");
        entered.Ready();
        Watch(target);
        Sys.Stop(target);
        ExpectTerminated(target);
        gate.Open();
        ExpectMsg("unwatched");
        unwatcher.Tell("ping");
        ExpectMsg("pong");
    }

    private sealed class Unwatcher : ReceiveActor
    {
        public Unwatcher(IActorRef target, IActorRef probe, TestLatch entered, TestLatch gate)
        {
            Context.Watch(target);
            Receive<string>(
                s => s == "go",
                _ =>
                {
                    entered.CountDown();
                    gate.Ready();
                    Context.Unwatch(target);
                    probe.Tell("unwatched");
                }
            );
            Receive<string>(_ => probe.Tell("pong"));
            Receive<Terminated>(_ => probe.Tell("terminated"));
        }
    }

    [Fact]
    public void An_unhandled_Terminated_is_a_death_pact()
    {
        var target = NewTarget();
        var watcher = Watch(NewWatcher(handles: false));
        watcher.Tell(new WatchFor(target));
        ExpectMsg("watching");
        EventFilter.Exception<DeathPactException>().ExpectOne(() => Sys.Stop(target));
        ExpectTerminated(watcher);
    }

    [Fact]
    public void Messages_to_the_dead_are_dead_letters()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        var target = Watch(NewTarget());
        Sys.Stop(target);
        ExpectTerminated(target);
        target.Tell("late");
        var letter = ExpectMsg<DeadLetter>();
        Assert.Equal("late", letter.Message);
        Assert.Equal(target, letter.Recipient);
        Assert.Equal(TestActor, letter.Sender);
    }

    [Fact]
    public void Suppressed_messages_make_suppressed_dead_letters_only()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(AllDeadLetters));
        var target = Watch(NewTarget());
        Sys.Stop(target);
        ExpectTerminated(target);
        target.Tell(PoisonPill.Instance);
        ExpectMsg<SuppressedDeadLetter>();
    }

    [Fact]
    public void What_waits_in_the_mailbox_of_a_stopped_actor_becomes_dead_letters_in_order()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        var gate = CreateTestLatch();
        var started = CreateTestLatch();
        var actor = Sys.ActorOf(Props.Create(() => new Waiting(gate, started)));
        actor.Tell("wait");
        started.Ready();
        for (var i = 0; i < 5; i++)
            actor.Tell(i);
        Sys.Stop(actor);
        gate.Open();
        for (var i = 0; i < 5; i++)
            Assert.Equal(i, ExpectMsg<DeadLetter>().Message);
    }

    private sealed class Waiting : ReceiveActor
    {
        public Waiting(TestLatch gate, TestLatch started)
        {
            Receive<string>(_ =>
            {
                started.Open();
                gate.Ready();
                Context.Stop(Self);
            });
        }
    }
}
