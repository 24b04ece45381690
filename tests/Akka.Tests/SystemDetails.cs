using System.Globalization;
using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.Event;
using Akka.TestKit.TestActors;
using Akka.TestKit.Xunit2;
using Xunit;

namespace AkkaTests;

/// <summary>What a system says of itself, and how it ends.</summary>
public class SystemDetails : TestKit
{
    public SystemDetails()
        : base(
            """
            akka.loglevel = INFO
            akka.stdout-loglevel = OFF
            akka.log-dead-letters = 3
            akka.log-dead-letters-suspend-duration = 300ms
            """
        ) { }

    private sealed class Dropping : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is int)
                Context.System.EventStream.Publish(new Dropped(message, "No numbers", Self));
            else
                Unhandled(message);
        }
    }

    [Fact]
    public void Dead_letters_are_logged_up_to_a_number_then_not_for_a_while_then_again()
    {
        var dead = Sys.ActorOf(BlackHoleActor.Props);
        var dropping = Sys.ActorOf(Props.Create<Dropping>());
        Watch(dead);
        Sys.Stop(dead);
        ExpectTerminated(dead);
        Logged($"Message [String] from {TestActor} to {dead} was not delivered. [1] dead", dead, "a");
        Logged($"Message [Int32] to {dropping} was dropped. No numbers. [2] dead letters encountered. ", dropping, 2);
        var last =
            $"was unhandled. [3] dead letters encountered, no more dead letters will be logged in next [00:00:00.3";
        Logged($"Message [String] from {TestActor} to {dropping} {last}", dropping, "c");
        // Counted, not logged until the pause is over; the first line after it says how many there were.
        var log = CreateTestProbe();
        Sys.EventStream.Subscribe(log, typeof(Info));
        var told = 0;
        object? line = null;
        AwaitCondition(
            () =>
            {
                dead.Tell("d", TestActor);
                told++;
                return (line = log.ReceiveOne(TimeSpan.FromMilliseconds(500))) is not null;
            },
            TimeSpan.FromSeconds(20),
            TimeSpan.FromMilliseconds(50)
        );
        var said = Regex.Match(
            Assert.IsType<Info>(line).Message.ToString()!,
            @"was not delivered. \[(\d+)\] dead letters encountered, of which (\d+) were not"
        );
        Assert.True(said.Success, line!.ToString());
        var unlogged = int.Parse(said.Groups[2].Value, CultureInfo.InvariantCulture);
        Assert.Equal(3 + unlogged + 1, int.Parse(said.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.InRange(unlogged, 0, told - 1);
        // What was told while that line was on its way is logged too, counted anew.
        var late = told - (unlogged + 1);
        Logged($"Message [String] from {TestActor} to {dead} was not delivered. [{late + 1}] dead", dead, "e");
    }

    private void Logged(string start, IActorRef actor, object message) =>
        EventFilter.Info(start: start).ExpectOne(TimeSpan.FromSeconds(10), () => actor.Tell(message, TestActor));

    private class Wide;

    private class Middle : Wide;

    private sealed class Narrow : Middle;

    [Fact]
    public void A_part_of_what_was_subscribed_to_can_be_taken_back_and_asked_for_again()
    {
        var bus = new EventStream(false);
        Assert.True(bus.Subscribe(TestActor, typeof(Wide)));
        Assert.False(bus.Subscribe(TestActor, typeof(Narrow)));
        Assert.True(bus.Unsubscribe(TestActor, typeof(Middle)));
        Assert.False(bus.Unsubscribe(TestActor, typeof(Narrow)));
        bus.Publish(new Narrow());
        bus.Publish(new Middle());
        var wide = new Wide();
        bus.Publish(wide);
        ExpectMsg((object)wide);
        Assert.True(bus.Subscribe(TestActor, typeof(Narrow)));
        bus.Publish(new Middle());
        var narrow = new Narrow();
        bus.Publish(narrow);
        ExpectMsg((object)narrow);
        Assert.True(bus.Subscribe(TestActor, typeof(Wide)));
        var middle = new Middle();
        bus.Publish(middle);
        ExpectMsg((object)middle);
        Assert.True(bus.Unsubscribe(TestActor));
        bus.Publish(wide);
        ExpectNoMsg(TimeSpan.FromMilliseconds(20));
    }

    [Fact]
    public async Task A_system_says_on_its_bus_that_it_ends()
    {
        using var system = ActorSystem.Create("says", "akka.stdout-loglevel = OFF");
        system.EventStream.Subscribe(TestActor, typeof(Debug));
        await system.Terminate();
        string[] expected =
        [
            "System shutdown initiated",
            "Shutting down: StandardOutLogger started",
            "All default loggers stopped",
        ];
        foreach (var text in expected)
            Assert.Equal(text, ExpectMsg<Debug>().Message);
    }

    [Fact]
    public async Task A_coordinated_shutdown_ends_when_the_system_has_ended()
    {
        using var system = ActorSystem.Create("ends", "akka.loglevel = OFF, akka.stdout-loglevel = OFF");
        await CoordinatedShutdown
            .Get(system)
            .Run(CoordinatedShutdown.UnknownReason.Instance)
            .WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(system.WhenTerminated.IsCompleted);
    }

    private sealed class FailsToBegin : UntypedActor
    {
        public FailsToBegin(int[] attempts)
        {
            if (++attempts[0] < 4)
                throw new InvalidOperationException("not yet");
        }

        protected override void OnReceive(object message) => Sender.Tell(message);
    }

    private sealed class Insisting : UntypedActor
    {
        private readonly IActorRef _child;

        public Insisting(int[] attempts)
        {
            _child = Context.ActorOf(Props.Create(() => new FailsToBegin(attempts)));
        }

        protected override SupervisorStrategy SupervisorStrategy()
        {
            var count = 0;
            return new OneForOneStrategy(_ => count++ % 2 == 0 ? Directive.Resume : Directive.Restart);
        }

        protected override void OnReceive(object message) => _child.Forward(message);
    }

    [Fact]
    public void A_child_that_failed_to_begin_begins_anew_on_resume_and_on_restart()
    {
        var attempts = new int[1];
        EventFilter
            .Error(start: "changing Re")
            .Expect(
                3,
                () =>
                {
                    Sys.ActorOf(Props.Create(() => new Insisting(attempts))).Tell("hello", TestActor);
                    ExpectMsg("hello");
                }
            );
        Assert.Equal(4, attempts[0]);
    }
}
