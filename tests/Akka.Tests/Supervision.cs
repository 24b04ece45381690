using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Xunit;

namespace AkkaTests;

public class Supervision : TestKit
{
    private sealed record Fail(Exception With);

    private sealed record Get;

    private sealed class Counter : ReceiveActor
    {
        private int _count;

        public Counter()
        {
            Receive<int>(n => _count += n);
            Receive<Get>(_ => Sender.Tell(_count));
            Receive<Fail>(f => throw f.With);
        }
    }

    private sealed class Boss : ReceiveActor
    {
        private readonly SupervisorStrategy _strategy;

        public Boss(SupervisorStrategy strategy)
        {
            _strategy = strategy;
            Receive<Props>(p => Sender.Tell(Context.ActorOf(p)));
            Receive<Fail>(f => throw f.With);
        }

        protected override SupervisorStrategy SupervisorStrategy() => _strategy;
    }

    private static Directive Decide(Exception e) =>
        e switch
        {
            ArithmeticException => Directive.Resume,
            InvalidOperationException => Directive.Restart,
            ArgumentException => Directive.Stop,
            _ => Directive.Escalate,
        };

    private IActorRef Child(IActorRef boss)
    {
        boss.Tell(Props.Create<Counter>());
        return ExpectMsg<IActorRef>();
    }

    private IActorRef NewBoss(SupervisorStrategy? strategy = null) =>
        Sys.ActorOf(Props.Create(() => new Boss(strategy ?? new OneForOneStrategy(Decide))));

    private void ExpectCount(IActorRef counter, int count)
    {
        counter.Tell(new Get());
        ExpectMsg(count);
    }

    [Fact]
    public void Resume_keeps_the_state()
    {
        var child = Child(NewBoss());
        child.Tell(5);
        EventFilter.Warning("sum").ExpectOne(() => child.Tell(new Fail(new ArithmeticException("sum"))));
        ExpectCount(child, 5);
    }

    [Fact]
    public void Restart_starts_with_fresh_state_and_keeps_the_mailbox()
    {
        var child = Child(NewBoss());
        EventFilter
            .Exception<InvalidOperationException>()
            .ExpectOne(() =>
            {
                child.Tell(5);
                child.Tell(new Fail(new InvalidOperationException()));
                child.Tell(3);
            });
        ExpectCount(child, 3);
    }

    [Fact]
    public void Stop_ends_the_child()
    {
        var child = Watch(Child(NewBoss()));
        EventFilter.Exception<ArgumentException>().ExpectOne(() => child.Tell(new Fail(new ArgumentException())));
        ExpectTerminated(child);
    }

    [Fact]
    public void Escalate_fails_the_supervisor_whose_restart_stops_its_children()
    {
        var boss = NewBoss();
        var child = Watch(Child(boss));
        EventFilter.Exception<Exception>("up").ExpectOne(() => child.Tell(new Fail(new Exception("up"))));
        ExpectTerminated(child);
        ExpectCount(Child(boss), 0);
    }

    [Fact]
    public void OneForOne_leaves_siblings_alone()
    {
        var boss = NewBoss();
        var failing = Child(boss);
        var other = Child(boss);
        other.Tell(7);
        EventFilter
            .Exception<InvalidOperationException>()
            .ExpectOne(() => failing.Tell(new Fail(new InvalidOperationException())));
        ExpectCount(other, 7);
    }

    [Fact]
    public void AllForOne_restarts_siblings_too()
    {
        var boss = NewBoss(new AllForOneStrategy(Decide));
        var failing = Child(boss);
        var other = Child(boss);
        other.Tell(7);
        ExpectCount(other, 7);
        EventFilter
            .Exception<InvalidOperationException>()
            .ExpectOne(() => failing.Tell(new Fail(new InvalidOperationException())));
        ExpectCount(failing, 0);
        AwaitAssert(() => ExpectCount(other, 0));
    }

    [Fact]
    public void AllForOne_stops_siblings_too()
    {
        var boss = NewBoss(new AllForOneStrategy(Decide));
        var failing = Child(boss);
        var other = Watch(Child(boss));
        EventFilter.Exception<ArgumentException>().ExpectOne(() => failing.Tell(new Fail(new ArgumentException())));
        ExpectTerminated(other);
    }

    [Fact]
    public void Restarts_run_out()
    {
        var child = Watch(Child(NewBoss(new OneForOneStrategy(2, -1, _ => Directive.Restart))));
        EventFilter
            .Exception<Exception>()
            .Expect(
                3,
                () =>
                {
                    for (var i = 0; i < 3; i++)
                        child.Tell(new Fail(new InvalidOperationException()));
                }
            );
        ExpectTerminated(child);
    }

    [Fact]
    public void A_failure_during_restart_stops_the_child_by_default()
    {
        var boss = Sys.ActorOf(Props.Create(() => new Boss(Akka.Actor.SupervisorStrategy.DefaultStrategy)));
        boss.Tell(Props.Create<FailsInPostRestart>());
        var child = Watch(ExpectMsg<IActorRef>());
        EventFilter.Exception<PostRestartException>().ExpectOne(() => child.Tell("fail"));
        ExpectTerminated(child);
    }

    private sealed class FailsInPostRestart : ReceiveActor
    {
        public FailsInPostRestart()
        {
            ReceiveAny(_ => throw new InvalidOperationException("first"));
        }

        protected override void PostRestart(Exception reason) => throw new InvalidOperationException("second");
    }

    [Fact]
    public void Deciders_made_of_pairs_take_the_first_that_fits()
    {
        var decider = Decider.From(
            Directive.Escalate,
            new KeyValuePair<Type, Directive>(typeof(ArgumentNullException), Directive.Resume),
            new KeyValuePair<Type, Directive>(typeof(ArgumentException), Directive.Stop)
        );
        Assert.Equal(Directive.Resume, decider.Decide(new ArgumentNullException()));
        Assert.Equal(Directive.Stop, decider.Decide(new ArgumentException()));
        Assert.Equal(Directive.Escalate, decider.Decide(new InvalidOperationException()));
    }

    [Fact]
    public void The_user_guardian_stops_children_when_configured_to()
    {
        var system = ActorSystem.Create(
            "stopping",
            "akka.actor.guardian-supervisor-strategy = \"Akka.Actor.StoppingSupervisorStrategy\", akka.stdout-loglevel = OFF, akka.loglevel = OFF"
        );
        try
        {
            var child = system.ActorOf<Counter>();
            var probe = CreateTestProbe(system);
            probe.Watch(child);
            child.Tell(new Fail(new InvalidOperationException()));
            probe.ExpectTerminated(child);
        }
        finally
        {
            Shutdown(system);
        }
    }
}
