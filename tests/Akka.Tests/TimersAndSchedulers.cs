using Akka.Actor;
using Akka.Pattern;
using Akka.TestKit;
using Akka.TestKit.Configs;
using Akka.TestKit.Xunit2;
using Xunit;

namespace AkkaTests;

public class TimersAndSchedulers() : TestKit(TestConfigs.TestSchedulerConfig)
{
    private TestScheduler Scheduler => (TestScheduler)Sys.Scheduler;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private sealed record Do(Action<ITimerScheduler> What);

    private sealed class Timing : ReceiveActor, IWithTimers
    {
        public Timing(IActorRef probe)
        {
            Receive<Do>(d =>
            {
                d.What(Timers);
                probe.Tell("done");
            });
            Receive<string>(s => s == "fail", _ => throw new InvalidOperationException("fail"));
            ReceiveAny(m => probe.Tell(m));
        }

        public ITimerScheduler Timers { get; set; } = null!;
    }

    private IActorRef NewTiming() => Sys.ActorOf(Props.Create(() => new Timing(TestActor)));

    private void Ask(IActorRef actor, Action<ITimerScheduler> what)
    {
        actor.Tell(new Do(what));
        ExpectMsg("done");
    }

    [Fact]
    public void A_single_timer_fires_once()
    {
        var actor = NewTiming();
        Ask(actor, t => t.StartSingleTimer("k", "ping", Second));
        ExpectNoMsg(20);
        Scheduler.Advance(Second);
        ExpectMsg("ping");
        Scheduler.Advance(Second * 5);
        ExpectNoMsg(20);
        Ask(actor, t => Assert.False(t.IsTimerActive("k")));
    }

    [Fact]
    public void A_periodic_timer_fires_until_it_is_cancelled()
    {
        var actor = NewTiming();
        Ask(actor, t => t.StartPeriodicTimer("k", "tick", Second));
        Scheduler.Advance(Second * 3);
        ReceiveN(3);
        Ask(actor, t => t.Cancel("k"));
        Scheduler.Advance(Second * 3);
        ExpectNoMsg(20);
    }

    [Fact]
    public void A_new_timer_of_a_key_replaces_the_old_one_even_if_that_has_already_fired()
    {
        var actor = NewTiming();
        var gate = CreateTestLatch();
        var entered = CreateTestLatch();
        actor.Tell(
            new Do(t =>
            {
                t.StartSingleTimer("k", "old", Second);
                entered.CountDown();
                gate.Ready();
                t.StartSingleTimer("k", "new", Second);
            })
        );
        entered.Ready();
        Scheduler.Advance(Second);
        gate.Open();
        ExpectMsg("done");
        Scheduler.Advance(Second);
        ExpectMsg("new");
        ExpectNoMsg(20);
    }

    [Fact]
    public void Timers_die_with_a_restart()
    {
        var actor = NewTiming();
        Ask(actor, t => t.StartPeriodicTimer("k", "tick", Second));
        EventFilter.Exception<InvalidOperationException>("fail").ExpectOne(() => actor.Tell("fail"));
        Ask(actor, t => Assert.Empty(t.ActiveTimers));
        Scheduler.Advance(Second * 3);
        ExpectNoMsg(20);
    }

    private sealed class Idle : ReceiveActor
    {
        public Idle(IActorRef probe)
        {
            SetReceiveTimeout(Second);
            Receive<ReceiveTimeout>(_ => probe.Tell("timeout"));
            Receive<Transparent>(_ => probe.Tell("transparent"));
            Receive<string>(s => s == "off", _ => SetReceiveTimeout(null));
            ReceiveAny(m => probe.Tell(m));
        }
    }

    private sealed class Transparent : INotInfluenceReceiveTimeout;

    [Fact]
    public void A_receive_timeout_comes_again_and_again_until_it_is_switched_off()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Idle(TestActor)));
        actor.Tell(1);
        ExpectMsg(1);
        for (var i = 0; i < 2; i++)
        {
            Scheduler.Advance(Second);
            ExpectMsg("timeout");
            // The next one starts once this one has been handled.
            actor.Tell(new Transparent());
            ExpectMsg("transparent");
        }
        actor.Tell("off");
        actor.Tell(2);
        ExpectMsg(2);
        Scheduler.Advance(Second * 3);
        ExpectNoMsg(20);
    }

    [Fact]
    public void A_message_puts_a_receive_timeout_off_unless_it_says_that_it_does_not()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Idle(TestActor)));
        actor.Tell(1);
        ExpectMsg(1);
        AwaitReady(actor);
        Scheduler.Advance(Second / 2);
        actor.Tell(new Transparent());
        ExpectMsg("transparent");
        Scheduler.Advance(Second / 2);
        ExpectMsg("timeout");
        AwaitReady(actor);
        Scheduler.Advance(Second / 2);
        actor.Tell(2);
        ExpectMsg(2);
        AwaitReady(actor);
        Scheduler.Advance(Second / 2);
        ExpectNoMsg(20);
    }

    /// <summary>Waits until what was sent before has been handled to its end.</summary>
    private void AwaitReady(IActorRef actor)
    {
        actor.Tell(new Transparent());
        ExpectMsg("transparent");
    }

    [Fact]
    public void Scheduled_tells_and_actions_fire_in_order_and_can_be_cancelled()
    {
        var cancelled = Sys.Scheduler.ScheduleTellOnceCancelable(Second, TestActor, "never", ActorRefs.NoSender);
        Sys.Scheduler.ScheduleTellOnce(Second * 2, TestActor, "second", ActorRefs.NoSender);
        Sys.Scheduler.Advanced.ScheduleOnce(Second, () => TestActor.Tell("first"));
        cancelled.Cancel();
        Scheduler.Advance(Second * 2);
        ExpectMsg("first");
        ExpectMsg("second");
    }

    [Fact]
    public void A_cancelable_cancels_its_token_and_those_linked_to_it()
    {
        var one = new Cancelable(Sys.Scheduler);
        var linked = Cancelable.CreateLinkedCancelable(Sys.Scheduler, one, new Cancelable(Sys.Scheduler));
        Assert.False(linked.Token.IsCancellationRequested);
        one.Cancel();
        Assert.True(one.Token.IsCancellationRequested);
        Assert.True(linked.IsCancellationRequested);
        Assert.True(Cancelable.CreateCanceled().Token.IsCancellationRequested);
    }

    [Fact]
    public void CancelAfter_follows_the_scheduler()
    {
        var cancelable = new Cancelable(Sys.Scheduler, Second);
        Assert.False(cancelable.IsCancellationRequested);
        Scheduler.Advance(Second);
        Assert.True(cancelable.IsCancellationRequested);
    }

    private sealed class Fragile : ReceiveActor
    {
        public Fragile()
        {
            Receive<string>(s => s == "fail", _ => throw new InvalidOperationException("fail"));
            Receive<string>(s => s == "stop", _ => Context.Stop(Self));
            ReceiveAny(m => Sender.Tell(m));
        }
    }

    [Theory]
    [InlineData("fail", true)]
    [InlineData("stop", false)]
    public void A_backoff_supervisor_starts_its_child_again_after_growing_pauses(string how, bool onFailure)
    {
        var options = onFailure
            ? Backoff.OnFailure(Props.Create<Fragile>(), "c", Second, Second * 10, 0, -1)
            : Backoff.OnStop(Props.Create<Fragile>(), "c", Second, Second * 10, 0, -1);
        var supervisor = Sys.ActorOf(BackoffSupervisor.Props(options.WithManualReset()));
        using var muted = EventFilter.Exception<InvalidOperationException>().Mute();
        foreach (var pause in new[] { 1, 2, 4 })
        {
            supervisor.Tell(BackoffSupervisor.GetCurrentChild.Instance);
            var child = Watch(ExpectMsg<BackoffSupervisor.CurrentChild>().Ref);
            supervisor.Tell(how);
            ExpectTerminated(child);
            AwaitAssert(() =>
            {
                supervisor.Tell(BackoffSupervisor.GetCurrentChild.Instance);
                Assert.Null(ExpectMsg<BackoffSupervisor.CurrentChild>().Ref);
            });
            Scheduler.Advance(Second * (pause - 0.1));
            supervisor.Tell(BackoffSupervisor.GetCurrentChild.Instance);
            Assert.Null(ExpectMsg<BackoffSupervisor.CurrentChild>().Ref);
            Scheduler.Advance(Second * 0.2);
            supervisor.Tell("alive");
            ExpectMsg("alive");
        }
        supervisor.Tell(BackoffSupervisor.GetRestartCount.Instance);
        Assert.Equal(3, ExpectMsg<BackoffSupervisor.RestartCount>().Count);
    }

    [Fact]
    public void A_backoff_supervisor_gives_up_after_its_retries()
    {
        var options = Backoff.OnStop(Props.Create<Fragile>(), "c", Second, Second, 0, 0);
        var supervisor = Watch(Sys.ActorOf(BackoffSupervisor.Props(options)));
        supervisor.Tell("stop");
        ExpectTerminated(supervisor);
    }

    [Fact]
    public async Task A_circuit_breaker_opens_tries_and_closes()
    {
        var breaker = new CircuitBreaker(Sys.Scheduler, 2, Second, Second * 10);
        for (var i = 0; i < 2; i++)
            await Assert.ThrowsAsync<InvalidOperationException>(() =>
                breaker.WithCircuitBreaker(() => Task.FromException(new InvalidOperationException()))
            );
        Assert.True(breaker.IsOpen);
        await Assert.ThrowsAsync<OpenCircuitException>(() => breaker.WithCircuitBreaker(() => Task.CompletedTask));
        Scheduler.Advance(Second * 10);
        Assert.True(breaker.IsHalfOpen);
        await breaker.WithCircuitBreaker(() => Task.CompletedTask);
        Assert.True(breaker.IsClosed);
    }

    [Fact]
    public async Task A_call_through_a_circuit_breaker_that_takes_too_long_fails()
    {
        var breaker = new CircuitBreaker(Sys.Scheduler, 1, Second, Second * 10);
        var never = new TaskCompletionSource<int>();
        var call = breaker.WithCircuitBreaker(() => never.Task);
        Scheduler.Advance(Second);
        await Assert.ThrowsAsync<TimeoutException>(() => call);
        Assert.True(breaker.IsOpen);
    }

    [Fact]
    public async Task Retry_tries_as_often_as_it_is_told()
    {
        var tries = 0;
        Task<int> Attempt() =>
            ++tries < 3 ? Task.FromException<int>(new InvalidOperationException()) : Task.FromResult(7);
        Assert.Equal(7, await RetrySupport.Retry(Attempt, 2));
        tries = 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() => RetrySupport.Retry(Attempt, 1));
    }
}
