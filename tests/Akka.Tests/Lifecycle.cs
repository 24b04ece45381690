using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Xunit;

namespace AkkaTests;

public class Lifecycle : TestKit
{
    private sealed class Recorder : ReceiveActor
    {
        private readonly IActorRef _probe;

        public Recorder(IActorRef probe)
        {
            _probe = probe;
            Receive<string>(s => s == "fail", _ => throw new InvalidOperationException("told to"));
            Receive<string>(s => s == "who", _ => Sender.Tell(Self));
            ReceiveAny(m => _probe.Tell(m));
        }

        protected override void PreStart() => _probe.Tell("PreStart");

        protected override void PostStop() => _probe.Tell("PostStop");

        protected override void PreRestart(Exception reason, object message)
        {
            _probe.Tell($"PreRestart {reason.Message} {message}");
            base.PreRestart(reason, message);
        }

        protected override void PostRestart(Exception reason)
        {
            _probe.Tell($"PostRestart {reason.Message}");
            base.PostRestart(reason);
        }
    }

    private sealed class FailsToStart : ReceiveActor
    {
        public FailsToStart()
        {
            throw new InvalidOperationException("no");
        }
    }

    private IActorRef NewRecorder(string? name = null) =>
        Sys.ActorOf(Props.Create(() => new Recorder(TestActor)), name);

    [Fact]
    public void A_restart_runs_the_hooks_in_order_and_goes_on_with_the_next_message()
    {
        var actor = NewRecorder();
        ExpectMsg("PreStart");
        EventFilter
            .Exception<InvalidOperationException>("told to")
            .ExpectOne(() =>
            {
                actor.Tell("fail");
                actor.Tell("after");
            });
        ExpectMsg("PreRestart told to fail");
        ExpectMsg("PostStop");
        ExpectMsg("PostRestart told to");
        ExpectMsg("PreStart");
        ExpectMsg("after");
    }

    [Fact]
    public void Stopping_runs_PostStop_and_tells_watchers()
    {
        var actor = NewRecorder();
        ExpectMsg("PreStart");
        Watch(actor);
        Sys.Stop(actor);
        ExpectMsg("PostStop");
        ExpectTerminated(actor);
    }

    [Fact]
    public void A_poison_pill_stops_after_what_was_sent_before_it()
    {
        var actor = NewRecorder();
        ExpectMsg("PreStart");
        actor.Tell(1);
        actor.Tell(PoisonPill.Instance);
        actor.Tell(2);
        ExpectMsg(1);
        ExpectMsg("PostStop");
        ExpectNoMsg(50);
    }

    [Fact]
    public void Kill_is_logged_and_stops_by_default()
    {
        var actor = NewRecorder();
        ExpectMsg("PreStart");
        Watch(actor);
        EventFilter.Exception<ActorKilledException>("Kill").ExpectOne(() => actor.Tell(Kill.Instance));
        ExpectMsg("PostStop");
        ExpectTerminated(actor);
    }

    [Fact]
    public void An_actor_whose_constructor_throws_is_stopped()
    {
        EventFilter
            .Exception<ActorInitializationException>()
            .ExpectOne(() => ExpectTerminated(Watch(Sys.ActorOf(Props.Create<FailsToStart>()))));
    }

    [Fact]
    public void Names_are_unique_among_siblings_and_free_again_after_death()
    {
        var actor = NewRecorder("one");
        ExpectMsg("PreStart");
        Assert.Throws<InvalidActorNameException>(() => NewRecorder("one"));
        Watch(actor);
        Sys.Stop(actor);
        ExpectMsg("PostStop");
        ExpectTerminated(actor);
        AwaitAssert(() => Assert.NotEqual(actor, NewRecorder("one")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("$x")]
    [InlineData("a b")]
    [InlineData("hallå")]
    public void Illegal_names_are_refused(string name) =>
        Assert.Throws<InvalidActorNameException>(() => NewRecorder(name));

    [Fact]
    public void Unnamed_children_are_called_a_b_c()
    {
        var names = Enumerable.Range(0, 3).Select(_ => Sys.ActorOf(Props.Empty).Path.Name);
        Assert.Equal(["$a", "$b", "$c"], names);
    }

    [Fact]
    public void A_new_incarnation_is_not_equal_to_the_old_one_but_its_path_is()
    {
        var first = NewRecorder("twice");
        ExpectMsg("PreStart");
        Watch(first);
        Sys.Stop(first);
        ExpectMsg("PostStop");
        ExpectTerminated(first);
        IActorRef? second = null;
        AwaitAssert(() => second = NewRecorder("twice"));
        Assert.NotEqual(first, second);
        Assert.Equal(first.Path, second!.Path);
        Assert.NotEqual(first.Path.Uid, second.Path.Uid);
    }

    [Fact]
    public void Identify_is_answered_without_the_actor_seeing_it()
    {
        var actor = NewRecorder();
        ExpectMsg("PreStart");
        actor.Tell(new Identify(7));
        var identity = ExpectMsg<ActorIdentity>();
        Assert.Equal(7, identity.MessageId);
        Assert.Equal(actor, identity.Subject);
    }

    [Fact]
    public void A_null_message_is_refused_at_the_sender()
    {
        var actor = NewRecorder();
        Assert.Throws<InvalidMessageException>(() => actor.Tell(null!));
    }

    [Fact]
    public void An_actor_cannot_be_made_with_new() =>
        Assert.Throws<ActorInitializationException>(() =>
        {
            var outer = Akka.Actor.Internal.InternalCurrentActorCellKeeper.Current;
            Akka.Actor.Internal.InternalCurrentActorCellKeeper.Current = null;
            try
            {
                _ = new BlackHole();
            }
            finally
            {
                Akka.Actor.Internal.InternalCurrentActorCellKeeper.Current = outer;
            }
        });

    private sealed class BlackHole : ReceiveActor;

    [Fact]
    public void Children_stop_before_their_parent()
    {
        var parent = Sys.ActorOf(Props.Create(() => new Parent(TestActor)));
        ExpectMsg("child PreStart");
        Watch(parent);
        Sys.Stop(parent);
        ExpectMsg("child PostStop");
        ExpectMsg("parent PostStop");
        ExpectTerminated(parent);
    }

    private sealed class Parent : ReceiveActor
    {
        private readonly IActorRef _probe;

        public Parent(IActorRef probe)
        {
            _probe = probe;
            Context.ActorOf(Props.Create(() => new Child(probe)), "child");
        }

        protected override void PostStop() => _probe.Tell("parent PostStop");
    }

    private sealed class Child(IActorRef probe) : ReceiveActor
    {
        protected override void PreStart() => probe.Tell("child PreStart");

        protected override void PostStop() => probe.Tell("child PostStop");
    }

    [Fact]
    public async Task A_terminated_system_says_so_and_runs_its_callbacks_last_registered_first()
    {
        var system = ActorSystem.Create("short-lived");
        var order = new List<int>();
        system.RegisterOnTermination(() => order.Add(1));
        system.RegisterOnTermination(() => order.Add(2));
        await system.Terminate().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.True(system.WhenTerminated.IsCompletedSuccessfully);
        Assert.Equal([2, 1], order);
    }

    [Fact]
    public async Task GracefulStop_is_true_when_the_actor_is_gone()
    {
        var actor = NewRecorder();
        Assert.True(await actor.GracefulStop(TimeSpan.FromSeconds(3)));
        Assert.True(await actor.GracefulStop(TimeSpan.FromSeconds(3)));
    }
}
