using Akka.Actor;
using Akka.Event;
using Akka.TestKit;
using Akka.TestKit.TestActors;
using Akka.TestKit.Xunit2;
using Xunit;

namespace AkkaTests;

/// <summary>Small things that programs come to rely on.</summary>
public class Details : TestKit
{
    public Details()
        : base(
            """
            akka.loglevel = DEBUG
            akka.stdout-loglevel = OFF
            akka.actor.inbox.inbox-size = 3
            akka.actor.debug.log-timers = on
            """
        ) { }

    private sealed class Stashing : UntypedActor, IWithUnboundedStash
    {
        public IStash Stash { get; set; } = null!;

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case "unstash":
                    Become(m => Sender.Tell(m));
                    Stash.UnstashAll();
                    break;
                case "capacity":
                    Sender.Tell(Stash.Capacity);
                    break;
                case "twice":
                    Stash.Stash();
                    Sender.Tell(Record.Exception(Stash.Stash)!);
                    break;
                default:
                    Stash.Stash();
                    Sender.Tell("stashed");
                    break;
            }
        }
    }

    [Fact]
    public void The_same_object_may_be_sent_and_stashed_again()
    {
        var actor = Sys.ActorOf(Props.Create<Stashing>());
        for (var i = 0; i < 2; i++)
        {
            actor.Tell("same", TestActor);
            ExpectMsg("stashed");
        }
        actor.Tell("unstash", TestActor);
        ExpectMsg("same");
        ExpectMsg("same");
    }

    [Fact]
    public void One_message_cannot_be_stashed_twice()
    {
        Sys.ActorOf(Props.Create<Stashing>()).Tell("twice", TestActor);
        ExpectMsg<IllegalActorStateException>();
    }

    [Fact]
    public void An_unbounded_stash_has_no_capacity_whatever_the_props_say()
    {
        Sys.ActorOf(Props.Create<Stashing>().WithStashCapacity(1)).Tell("capacity", TestActor);
        ExpectMsg(-1);
    }

    private sealed class StashesTerminated : ReceiveActor, IWithUnboundedStash
    {
        private bool _seen;

        public IStash Stash { get; set; } = null!;

        public StashesTerminated(IActorRef probe)
        {
            var child = Context.Watch(Context.ActorOf(BlackHoleActor.Props));
            Context.Stop(child);
            Receive<Terminated>(_ =>
            {
                probe.Tell(_seen ? "second" : "first");
                if (_seen)
                    return;
                _seen = true;
                Stash.Stash();
                Stash.UnstashAll();
            });
        }
    }

    [Fact]
    public void A_stashed_Terminated_comes_again()
    {
        Sys.ActorOf(Props.Create(() => new StashesTerminated(TestActor)));
        ExpectMsg("first");
        ExpectMsg("second");
    }

    private sealed class Ticking : UntypedActor, IWithTimers
    {
        private readonly IActorRef _probe;

        public ITimerScheduler Timers { get; set; } = null!;

        public Ticking(IActorRef probe)
        {
            _probe = probe;
            Timers.StartPeriodicTimer("tick", "tick", TimeSpan.FromMilliseconds(5));
        }

        protected override void OnReceive(object message)
        {
            if (message is "fail")
                throw new InvalidOperationException("asked to");
            if (message is "die")
                Timers.StartSingleTimer("end", PoisonPill.Instance, TimeSpan.Zero);
            else
                _probe.Tell(message);
        }

        protected override void PreRestart(Exception reason, object message) =>
            _probe.Tell($"restart, active: {Timers.IsTimerActive("tick")}");

        protected override void PostStop() => _probe.Tell($"stop, active: {Timers.IsTimerActive("tick")}");
    }

    [Fact]
    public void Timers_can_be_started_in_the_constructor_and_are_gone_before_the_last_hooks()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Ticking(TestActor)));
        ExpectMsg("tick");
        actor.Tell("fail");
        FishForMessage<string>(m => m == "restart, active: False");
        ExpectMsg("tick");
        actor.Tell("die");
        FishForMessage<string>(m => m == "stop, active: False");
    }

    [Fact]
    public void Timers_are_logged_where_the_configuration_asks_for_it() =>
        EventFilter
            .Debug(start: "Start timer [tick] with generation [1]")
            .ExpectOne(() => Sys.ActorOf(Props.Create(() => new Ticking(TestActor))));

    private sealed class FailsAfterTimer : UntypedActor, IWithTimers
    {
        public ITimerScheduler Timers { get; set; } = null!;

        public FailsAfterTimer(IActorRef probe)
        {
            Timers.StartPeriodicTimer("tick", "tick", TimeSpan.FromMilliseconds(1), probe);
            throw new InvalidOperationException("not today");
        }

        protected override void OnReceive(object message) { }
    }

    [Fact]
    public void Timers_of_an_actor_that_never_came_to_be_do_not_fire()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(AllDeadLetters));
        Watch(Sys.ActorOf(Props.Create(() => new FailsAfterTimer(TestActor))));
        FishForMessage(m => m is Terminated);
        ExpectNoMsg(TimeSpan.FromMilliseconds(50));
    }

    private sealed class Late(IActorRef probe) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            probe.Tell(Sender);
            if (message is "null")
                Sender.Tell(null!);
        }
    }

    [Fact]
    public async Task Null_is_an_answer()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Late(TestActor)));
        Assert.Null(await actor.Ask<string>("null", RemainingOrDefault));
    }

    [Fact]
    public async Task A_late_answer_is_a_dead_letter_unless_the_question_was_cancelled()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Late(TestActor)));
        var dead = CreateTestProbe();
        Sys.EventStream.Subscribe(dead.Ref, typeof(DeadLetter));
        using var cancelled = new CancellationTokenSource();
        var first = actor.Ask<string>("question", cancelled.Token);
        var asker = ExpectMsg<IActorRef>();
        await cancelled.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => first);
        asker.Tell("too late", TestActor);
        await Assert.ThrowsAsync<AskTimeoutException>(() =>
            actor.Ask<string>("question", TimeSpan.FromMilliseconds(10))
        );
        ExpectMsg<IActorRef>().Tell("late", TestActor);
        Assert.Equal("late", dead.ExpectMsg<DeadLetter>().Message);
        dead.ExpectNoMsg(TimeSpan.FromMilliseconds(20));
    }

    [Fact]
    public void A_full_inbox_says_so_once()
    {
        using var inbox = Inbox.Create(Sys);
        for (var i = 0; i < 3; i++)
            inbox.Receiver.Tell(i);
        EventFilter.Warning(start: "Dropping message").ExpectOne(() => inbox.Receiver.Tell("one too many"));
        EventFilter
            .Warning(start: "Dropping message")
            .Expect(
                0,
                () =>
                {
                    inbox.Receiver.Tell("two too many");
                    for (var i = 0; i < 3; i++)
                        Assert.Equal(i, inbox.Receive(RemainingOrDefault));
                }
            );
    }

    [Fact]
    public async Task An_inbox_whose_time_is_already_over_fails_at_once()
    {
        using var inbox = Inbox.Create(Sys);
        var late = await inbox.ReceiveAsync(TimeSpan.FromSeconds(-1)).WaitAsync(RemainingOrDefault);
        Assert.IsType<TimeoutException>(Assert.IsType<Status.Failure>(late).Cause);
    }

    private IActorRef? Identified(ActorSelection selection)
    {
        selection.Tell(new Identify(1), TestActor);
        return ExpectMsg<ActorIdentity>().Subject;
    }

    [Fact]
    public void Relative_selections_of_a_system_begin_at_its_root()
    {
        var actor = Sys.ActorOf(BlackHoleActor.Props, "found");
        var root = ((ExtendedActorSystem)Sys).LookupRoot;
        Assert.Equal(actor, Identified(Sys.ActorSelection("user/found")));
        Assert.Equal(actor, Identified(Sys.ActorSelection("user/found/")));
        Assert.Equal(root, Identified(Sys.ActorSelection("..")));
        Assert.Equal(root, Identified(Sys.ActorSelection("/")));
        Assert.Null(Identified(Sys.ActorSelection("user/nobody")));
        Assert.Null(Identified(Sys.ActorSelection("akka://elsewhere/user/found")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/deadLetters")]
    [InlineData("deadLetters/")]
    [InlineData("nonsense://user")]
    public void Where_dead_letters_are_Nobody_answers(string path) =>
        Assert.Equal(ActorRefs.Nobody, Identified(Sys.ActorSelection(path)));

    [Fact]
    public void Selections_are_equal_when_anchor_and_path_are_and_print_both()
    {
        var one = Sys.ActorOf(BlackHoleActor.Props, "one");
        var other = Sys.ActorOf(BlackHoleActor.Props, "other");
        var selection = new ActorSelection(one, "../*/hello");
        Assert.Equal(selection, new ActorSelection(one, "../*/hello"));
        Assert.Equal(selection.GetHashCode(), new ActorSelection(one, "../*/hello").GetHashCode());
        Assert.NotEqual(selection, new ActorSelection(other, "../*/hello"));
        Assert.NotEqual(selection.GetHashCode(), new ActorSelection(other, "../*/hello").GetHashCode());
        Assert.Equal($"ActorSelection[Anchor({one.Path}#{one.Path.Uid}), Path(/../*/hello)]", selection.ToString());
    }
}
