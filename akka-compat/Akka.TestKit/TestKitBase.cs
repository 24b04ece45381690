using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;

namespace Akka.TestKit;

// A test kit is an actor system, a test actor and what a test may expect of them. TestKitBase.cs: set-up and tear-down;
// the other parts are named after the methods they hold. Methods that wait exist twice: they block, or are awaited.

/// <summary>What tests of actors start from.</summary>
public abstract partial class TestKitBase : IActorRefFactory
{
    private static readonly Lazy<Config> Defaults = new(() =>
        ConfigurationFactory.FromResource<TestKitBase>("Akka.TestKit.reference.conf")
    );

    private readonly ITestKitAssertions _assertions;
    private readonly EnvelopeQueue _queue = new();
    private ActorSystem _system;
    private IActorRef _testActor;
    private MessageEnvelope _last = NullMessageEnvelope.Instance;
    private TimeSpan? _end;
    private bool _lastWasNoMsg;

    /// <summary>On this system, or on a new one with the kit's defaults.</summary>
    protected TestKitBase(ITestKitAssertions assertions, ActorSystem system = null, string testActorName = null)
        : this(assertions, system, ActorSystemSetup.Empty, null, testActorName) { }

    /// <summary>On a new system with these setups, and the kit's defaults behind their configuration.</summary>
    protected TestKitBase(
        ITestKitAssertions assertions,
        ActorSystemSetup setup,
        string actorSystemName = null,
        string testActorName = null
    )
        : this(assertions, null, setup, actorSystemName, testActorName) { }

    /// <summary>On a new system with this configuration, and the kit's defaults behind it.</summary>
    protected TestKitBase(
        ITestKitAssertions assertions,
        Config config,
        string actorSystemName = null,
        string testActorName = null
    )
        : this(assertions, null, BootstrapSetup.Create().WithConfig(config), actorSystemName, testActorName) { }

    private TestKitBase(
        ITestKitAssertions assertions,
        ActorSystem system,
        BootstrapSetup setup,
        string actorSystemName,
        string testActorName
    )
        : this(assertions, system, ActorSystemSetup.Create(setup), actorSystemName, testActorName) { }

    /// <summary>On this system, or, when it is null, on a new one with these setups.</summary>
    /// <exception cref="ArgumentNullException">The assertions are null.</exception>
    protected TestKitBase(
        ITestKitAssertions assertions,
        ActorSystem system,
        ActorSystemSetup config,
        string actorSystemName,
        string testActorName
    )
    {
        _assertions =
            assertions
            ?? throw new ArgumentNullException(nameof(assertions), "The supplied assertions must not be null.");
        InitializeTest(system, config, actorSystemName, testActorName);
    }

    /// <summary>
    /// What a kit adds to the system's defaults: the listener that filters need, times, the dispatcher of the calling
    /// thread.
    /// </summary>
    public static Config DefaultConfig => Defaults.Value;

    /// <summary>Switches on every log that helps to find a mistake.</summary>
    public static Config FullDebugConfig { get; } =
        ConfigurationFactory.ParseString(
            """
            akka.log-dead-letters-during-shutdown = true
            akka.actor.debug { receive = true, autoreceive = true, lifecycle = true, event-stream = true, unhandled = true, fsm = true, router-misconfiguration = true }
            akka.log-dead-letters = true
            akka.loglevel = DEBUG
            akka.stdout-loglevel = DEBUG
            """
        );

    /// <summary>The system under test.</summary>
    public ActorSystem Sys => _system;

    /// <summary>The settings under akka.test.</summary>
    public TestKitSettings TestKitSettings { get; private set; }

    /// <summary>The sender of the last message that was taken.</summary>
    /// <exception cref="IllegalActorStateException">There is none, or the last wait was in vain.</exception>
    public IActorRef LastSender => _last.Sender;

    /// <summary>The last message that was taken.</summary>
    /// <exception cref="IllegalActorStateException">There is none, or the last wait was in vain.</exception>
    public object LastMessage => _last.Message;

    /// <summary>The actor whose messages the test expects.</summary>
    public IActorRef TestActor => _testActor;

    /// <summary>Logs as the test.</summary>
    public ILoggingAdapter Log { get; private set; }

    /// <summary>Starts an expectation of log events.</summary>
    public EventFilterFactory EventFilter { get; private set; }

    /// <summary>Whether messages wait for the test. A hint: more may come at any moment.</summary>
    public bool HasMessages => _queue.Count > 0;

    /// <summary>Real time from an arbitrary beginning, for intervals.</summary>
    public static TimeSpan Now =>
        TimeSpan.FromTicks(
            System.Diagnostics.Stopwatch.GetTimestamp()
                * TimeSpan.TicksPerSecond
                / System.Diagnostics.Stopwatch.Frequency
        );

    internal ITestKitAssertions AssertionsInternal => _assertions;
    private Akka.Simulation.SimulationKernel SimulationOrNull => ((ActorSystemImpl)_system).Simulation;

    /// <summary>The time that this test's waits are measured in: virtual when its system is simulated.</summary>
    private TimeSpan Clock => SimulationOrNull?.Scheduler.MonotonicClock ?? Now;

    /// <summary>
    /// As <see cref="InitializeTest(ActorSystem, ActorSystemSetup, string, string)"/>, with a configuration in place of
    /// setups.
    /// </summary>
    protected void InitializeTest(ActorSystem system, Config config, string actorSystemName, string testActorName) =>
        InitializeTest(
            system,
            ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config)),
            actorSystemName,
            testActorName
        );

    /// <summary>
    /// Makes the system if there is none, the test actor and what belongs to them. Unless the test is
    /// <see cref="INoImplicitSender"/>, the thread tells as the test actor from here on.
    /// </summary>
    protected virtual void InitializeTest(
        ActorSystem system,
        ActorSystemSetup config,
        string actorSystemName,
        string testActorName
    )
    {
        if (system is null)
        {
            var bootstrap = config.Get<BootstrapSetup>().GetOrElse(BootstrapSetup.Create());
            var withDefaults = bootstrap.WithConfigFallback(DefaultConfig);
            system = ActorSystem.Create(actorSystemName ?? "test", config.WithSetup(withDefaults));
        }
        _system = system;
        TestKitSettings = TestKitExtension.For(system);
        Log = Logging.GetLogger(system, GetType());
        EventFilter = new EventFilterFactory(this);
        var name = testActorName ?? "testActor" + TestKitSettings.NextActorNumber();
        _testActor = CreateTestActor(system, name);
        if (this is INoImplicitSender)
            return;
        // On a simulation too: the test's own thread acts for its test actor.
        var cell = ((ActorRefWithCell)_testActor).Underlying;
        InternalCurrentActorCellKeeper.Current = cell;
        SynchronizationContext.SetSynchronizationContext(new ActorCellKeepingSynchronizationContext(cell));
    }

    private LocalActorRef CreateTestActor(ActorSystem system, string name)
    {
        var queue = _queue;
        var props = Props
            .CreateBy<InternalTestActor>(() => new InternalTestActor(queue))
            .WithDispatcher("akka.test.test-actor.dispatcher");
        return (LocalActorRef)((ActorSystemImpl)system).SystemActorOf(props, name);
    }

    /// <summary>Makes another test actor under /system; what it gets goes to the same queue.</summary>
    public IActorRef CreateTestActor(string name) => CreateTestActor(_system, name);

    /// <summary>Filters for the log of another system.</summary>
    public EventFilterFactory CreateEventFilter(ActorSystem system) => new(this, system);

    /// <summary>Makes a test actor of its own, with the methods of a kit.</summary>
    public virtual TestProbe CreateTestProbe(string name = null) => new(Sys, _assertions, name);

    /// <summary>Makes a test actor of its own on another system, with the methods of a kit.</summary>
    public virtual TestProbe CreateTestProbe(ActorSystem system, string name = null) => new(system, _assertions, name);

    /// <summary>Makes a latch whose waits are dilated.</summary>
    public virtual TestLatch CreateTestLatch(int count = 1) => new(Dilated, count, TestKitSettings.DefaultTimeout);

    /// <summary>Makes a barrier for so many threads.</summary>
    public TestBarrier CreateTestBarrier(int count) => new(this, count, TestKitSettings.DefaultTimeout);

    /// <summary>
    /// Overlooks messages that the function accepts, from when the test actor gets to know; replaces what was
    /// overlooked before.
    /// </summary>
    public void IgnoreMessages(Func<object, bool> shouldIgnoreMessage) =>
        _testActor.Tell(new TestActor.SetIgnore(m => shouldIgnoreMessage(m)));

    /// <summary>
    /// Overlooks messages that the function accepts, from when the test actor gets to know; replaces what was
    /// overlooked before.
    /// </summary>
    public void IgnoreMessages<TMsg>(Func<TMsg, bool> shouldIgnoreMessage) =>
        _testActor.Tell(new TestActor.SetIgnore(m => m is TMsg typed && shouldIgnoreMessage(typed)));

    /// <summary>Overlooks messages of a type; replaces what was overlooked before.</summary>
    public void IgnoreMessages<TMsg>() => IgnoreMessages<TMsg>(_ => true);

    /// <summary>Overlooks nothing.</summary>
    public void IgnoreNoMessages() => _testActor.Tell(new TestActor.SetIgnore(null));

    /// <summary>Lets the test actor watch somebody; the Terminated is a message for the test.</summary>
    public IActorRef Watch(IActorRef actorToWatch)
    {
        _testActor.Tell(new TestActor.Watch(actorToWatch));
        return actorToWatch;
    }

    /// <summary>Lets the test actor watch somebody; the Terminated is a message for the test.</summary>
    public Task<IActorRef> WatchAsync(IActorRef actorToWatch) => Task.FromResult(Watch(actorToWatch));

    /// <summary>Lets the test actor watch somebody no longer.</summary>
    public IActorRef Unwatch(IActorRef actorToUnwatch)
    {
        _testActor.Tell(new TestActor.Unwatch(actorToUnwatch));
        return actorToUnwatch;
    }

    /// <summary>Lets the test actor watch somebody no longer.</summary>
    public Task<IActorRef> UnwatchAsync(IActorRef actorToUnwatch) => Task.FromResult(Unwatch(actorToUnwatch));

    /// <summary>Gives the test actor a pilot, which acts on messages before the test sees them.</summary>
    public void SetAutoPilot(AutoPilot pilot) => _testActor.Tell(new TestActor.SetAutoPilot(pilot));

    /// <summary>What is left of Within.</summary>
    /// <exception cref="InvalidOperationException">This is not inside one.</exception>
    public TimeSpan Remaining =>
        _end is { } end
            ? end - Clock
            : throw new InvalidOperationException(@"Remaining may not be called outside of ""within""");

    /// <summary>What is left of Within; outside of one, akka.test.single-expect-default, dilated.</summary>
    public TimeSpan RemainingOrDefault => RemainingOr(Dilated(TestKitSettings.SingleExpectDefault));

    /// <summary>What is left of Within; outside of one, the duration as it is.</summary>
    protected TimeSpan RemainingOr(TimeSpan duration)
    {
        if (_end is not { } end)
            return duration;
        return end == Timeout.InfiniteTimeSpan ? end : end - Clock;
    }

    /// <summary>The duration, dilated; null is <see cref="RemainingOrDefault"/>.</summary>
    /// <exception cref="ArgumentException">It is infinite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public TimeSpan RemainingOrDilated(TimeSpan? duration)
    {
        if (duration is null)
            return RemainingOrDefault;
        if (duration == Timeout.InfiniteTimeSpan)
            throw new ArgumentException("max duration cannot be infinite", nameof(duration));
        if (duration < TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(duration), "max duration cannot be negative");
        return Dilated(duration.Value);
    }

    /// <summary>
    /// The time multiplied by akka.test.timefactor; one that is not positive, or the longest of all, stays as it is.
    /// </summary>
    public TimeSpan Dilated(TimeSpan duration) =>
        duration <= TimeSpan.Zero || duration == TimeSpan.MaxValue
            ? duration
            : duration * TestKitSettings.TestTimeFactor;

    /// <summary>The timeout as it is; null is akka.test.default-timeout, dilated.</summary>
    public TimeSpan GetTimeoutOrDefault(TimeSpan? timeout) => timeout ?? Dilated(TestKitSettings.DefaultTimeout);

    /// <summary>Ends this kit's system.</summary>
    public virtual void Shutdown(TimeSpan? duration = null, bool verifySystemShutdown = false) =>
        Shutdown(_system, duration, verifySystemShutdown);

    /// <summary>
    /// Ends a system and waits, for 5 s (dilated) unless told otherwise. A system that does not end is a warning in its
    /// log, or, if so asked, a failure.
    /// </summary>
    /// <exception cref="TimeoutException">It did not end, and that was to be verified.</exception>
    protected virtual void Shutdown(ActorSystem system, TimeSpan? duration = null, bool verifySystemShutdown = false)
    {
        system ??= _system;
        var wait = duration ?? Dilated(TimeSpan.FromSeconds(5));
        var done = ((ActorSystemImpl)system).Await(system.Terminate(), wait);
        if (done)
            return;
        var text = $"Failed to stop [{system.Name}] within [{wait}]\n{((ExtendedActorSystem)system).PrintTree()}";
        if (verifySystemShutdown)
            throw new TimeoutException(text);
        system.Log.Log(LogLevel.WarningLevel, null, text);
    }

    /// <summary>Waits for a task on this thread; a simulated system runs meanwhile.</summary>
    private T Wait<T>(Task<T> task)
    {
        if (!task.IsCompleted && SimulationOrNull is { } simulation)
            simulation.RunUntil(() => task.IsCompleted, long.MaxValue);
        return task.GetAwaiter().GetResult();
    }

    private void Wait(Task task)
    {
        if (!task.IsCompleted && SimulationOrNull is { } simulation)
            simulation.RunUntil(() => task.IsCompleted, long.MaxValue);
        task.GetAwaiter().GetResult();
    }
}
