using Akka.Actor;
using Akka.Event;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Xunit;

namespace AkkaTests;

public class Behaviour : TestKit
{
    private sealed class Becoming : ReceiveActor
    {
        public Becoming()
        {
            Receive<string>(
                s => s == "push",
                _ => BecomeStacked(() => Receive<string>(s => s == "pop", _ => UnbecomeStacked()))
            );
            Receive<string>(
                s => s == "swap",
                _ =>
                    Become(() =>
                    {
                        Receive<int>(n => Sender.Tell(-n));
                    })
            );
            Receive<int>(n => Sender.Tell(n));
        }
    }

    [Fact]
    public void Become_replaces_the_handlers()
    {
        var actor = Sys.ActorOf<Becoming>();
        actor.Tell(1);
        ExpectMsg(1);
        actor.Tell("swap");
        actor.Tell(1);
        ExpectMsg(-1);
    }

    [Fact]
    public void BecomeStacked_is_undone_by_UnbecomeStacked()
    {
        var actor = Sys.ActorOf<Becoming>();
        Sys.EventStream.Subscribe(TestActor, typeof(UnhandledMessage));
        actor.Tell("push");
        actor.Tell(1);
        Assert.Equal(1, ExpectMsg<UnhandledMessage>().Message);
        actor.Tell("pop");
        actor.Tell(2);
        ExpectMsg(2);
    }

    private sealed class LateHandler : ReceiveActor
    {
        public LateHandler()
        {
            ReceiveAny(_ =>
            {
                try
                {
                    Receive<int>(_ => { });
                }
                catch (InvalidOperationException e)
                {
                    Sender.Tell(e.Message);
                }
            });
        }
    }

    [Fact]
    public void Handlers_cannot_be_added_later()
    {
        Sys.ActorOf<LateHandler>().Tell("now");
        ExpectMsg("You may only call Receive-methods when constructing the actor and inside Become().");
    }

    private sealed class AfterAny : ReceiveActor
    {
        public AfterAny(IActorRef probe)
        {
            ReceiveAny(_ => { });
            try
            {
                Receive<int>(_ => { });
            }
            catch (InvalidOperationException)
            {
                probe.Tell("refused");
            }
        }
    }

    [Fact]
    public void Nothing_can_follow_a_handler_of_everything()
    {
        Sys.ActorOf(Props.Create(() => new AfterAny(TestActor)));
        ExpectMsg("refused");
    }

    private sealed class FirstFit : ReceiveActor
    {
        public FirstFit()
        {
            Receive<int>(n => n > 10, n => Sender.Tell("big"));
            Receive<int>(n =>
            {
                if (n < 0)
                    return false;
                Sender.Tell("small");
                return true;
            });
            Receive(typeof(int), _ => Sender.Tell("negative"));
        }
    }

    [Fact]
    public void The_first_handler_that_fits_handles()
    {
        var actor = Sys.ActorOf<FirstFit>();
        foreach (var n in new[] { 11, 1, -1 })
            actor.Tell(n);
        ExpectMsg("big");
        ExpectMsg("small");
        ExpectMsg("negative");
    }

    private sealed class Stasher : ReceiveActor, IWithUnboundedStash
    {
        public Stasher(IActorRef probe)
        {
            Closed(probe);
        }

        public IStash Stash { get; set; } = null!;

        private void Closed(IActorRef probe)
        {
            Receive<string>(
                s => s == "open",
                _ =>
                {
                    Become(() => Open(probe));
                    Stash.UnstashAll();
                }
            );
            Receive<string>(s => s == "fail", _ => throw new InvalidOperationException("fail"));
            Receive<string>(
                s => s == "twice",
                _ =>
                {
                    Stash.Stash();
                    try
                    {
                        Stash.Stash();
                    }
                    catch (IllegalActorStateException e)
                    {
                        probe.Tell(e.Message);
                    }
                }
            );
            ReceiveAny(_ => Stash.Stash());
        }

        private void Open(IActorRef probe) => ReceiveAny(m => probe.Tell(m, Sender));
    }

    [Fact]
    public void Stashed_messages_come_back_in_order_before_later_ones_with_their_senders()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Stasher(TestActor)));
        var sender = CreateTestProbe();
        sender.Send(actor, 1);
        actor.Tell(2);
        actor.Tell("open");
        actor.Tell(3);
        ExpectMsg(1);
        Assert.Equal(sender.Ref, LastSender);
        ExpectMsg(2);
        ExpectMsg(3);
    }

    [Fact]
    public void A_restart_puts_the_stash_back_into_the_mailbox()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Stasher(TestActor)));
        actor.Tell(1);
        actor.Tell(2);
        EventFilter.Exception<InvalidOperationException>().ExpectOne(() => actor.Tell("fail"));
        actor.Tell("open");
        ExpectMsg(1);
        ExpectMsg(2);
    }

    [Fact]
    public void The_same_message_cannot_be_stashed_twice()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Stasher(TestActor)));
        actor.Tell("twice");
        ExpectMsg("Can't stash the same message twice more than once");
    }

    [Fact]
    public void A_stopped_actors_stash_becomes_dead_letters()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Stasher(TestActor)));
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        actor.Tell("kept");
        actor.Tell(PoisonPill.Instance);
        Assert.Equal("kept", ExpectMsg<DeadLetter>().Message);
    }

    [Fact]
    public void What_nobody_handles_is_published()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(UnhandledMessage));
        var actor = Sys.ActorOf<FirstFit>();
        actor.Tell("?");
        var unhandled = ExpectMsg<UnhandledMessage>();
        Assert.Equal("?", unhandled.Message);
        Assert.Equal(actor, unhandled.Recipient);
        Assert.Equal(TestActor, unhandled.Sender);
    }

    private sealed class Intercepting : ReceiveActor
    {
        public Intercepting()
        {
            Receive<int>(n => Sender.Tell(n));
        }

        protected override bool AroundReceive(Receive receive, object message) =>
            base.AroundReceive(receive, message is string s ? s.Length : message);
    }

    [Fact]
    public void AroundReceive_may_change_the_message()
    {
        Sys.ActorOf<Intercepting>().Tell("four");
        ExpectMsg(4);
    }
}
