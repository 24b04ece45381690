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

    protected TestKitBase(ITestKitAssertions assertions, ActorSystem system = null, string testActorName = null)
        : this(assertions, system, ActorSystemSetup.Empty, null, testActorName) { }

    protected TestKitBase(
        ITestKitAssertions assertions,
        ActorSystemSetup setup,
        string actorSystemName = null,
        string testActorName = null
    )
        : this(assertions, null, setup, actorSystemName, testActorName) { }

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

    public static Config DefaultConfig => Defaults.Value;

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

    public ActorSystem Sys => _system;
    public TestKitSettings TestKitSettings { get; private set; }
    public IActorRef LastSender => _last.Sender;
    public object LastMessage => _last.Message;
    public IActorRef TestActor => _testActor;
    public ILoggingAdapter Log { get; private set; }
    public EventFilterFactory EventFilter { get; private set; }
    public bool HasMessages => _queue.Count > 0;
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

    protected void InitializeTest(ActorSystem system, Config config, string actorSystemName, string testActorName) =>
        InitializeTest(
            system,
            ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config)),
            actorSystemName,
            testActorName
        );

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

    public IActorRef CreateTestActor(string name) => CreateTestActor(_system, name);

    public EventFilterFactory CreateEventFilter(ActorSystem system) => new(this, system);

    public virtual TestProbe CreateTestProbe(string name = null) => new(Sys, _assertions, name);

    public virtual TestProbe CreateTestProbe(ActorSystem system, string name = null) => new(system, _assertions, name);

    public virtual TestLatch CreateTestLatch(int count = 1) => new(Dilated, count, TestKitSettings.DefaultTimeout);

    public TestBarrier CreateTestBarrier(int count) => new(this, count, TestKitSettings.DefaultTimeout);

    public void IgnoreMessages(Func<object, bool> shouldIgnoreMessage) =>
        _testActor.Tell(new TestActor.SetIgnore(m => shouldIgnoreMessage(m)));

    public void IgnoreMessages<TMsg>(Func<TMsg, bool> shouldIgnoreMessage) =>
        _testActor.Tell(new TestActor.SetIgnore(m => m is TMsg typed && shouldIgnoreMessage(typed)));

    public void IgnoreMessages<TMsg>() => IgnoreMessages<TMsg>(_ => true);

    public void IgnoreNoMessages() => _testActor.Tell(new TestActor.SetIgnore(null));

    public IActorRef Watch(IActorRef actorToWatch)
    {
        _testActor.Tell(new TestActor.Watch(actorToWatch));
        return actorToWatch;
    }

    public Task<IActorRef> WatchAsync(IActorRef actorToWatch) => Task.FromResult(Watch(actorToWatch));

    public IActorRef Unwatch(IActorRef actorToUnwatch)
    {
        _testActor.Tell(new TestActor.Unwatch(actorToUnwatch));
        return actorToUnwatch;
    }

    public Task<IActorRef> UnwatchAsync(IActorRef actorToUnwatch) => Task.FromResult(Unwatch(actorToUnwatch));

    public void SetAutoPilot(AutoPilot pilot) => _testActor.Tell(new TestActor.SetAutoPilot(pilot));

    public TimeSpan Remaining =>
        _end is { } end
            ? end - Clock
            : throw new InvalidOperationException(@"Remaining may not be called outside of ""within""");

    public TimeSpan RemainingOrDefault => RemainingOr(Dilated(TestKitSettings.SingleExpectDefault));

    protected TimeSpan RemainingOr(TimeSpan duration)
    {
        if (_end is not { } end)
            return duration;
        return end == Timeout.InfiniteTimeSpan ? end : end - Clock;
    }

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

    public TimeSpan Dilated(TimeSpan duration) =>
        duration <= TimeSpan.Zero || duration == TimeSpan.MaxValue
            ? duration
            : duration * TestKitSettings.TestTimeFactor;

    public TimeSpan GetTimeoutOrDefault(TimeSpan? timeout) => timeout ?? Dilated(TestKitSettings.DefaultTimeout);

    /// <summary>Ends this kit's system.</summary>
    public virtual void Shutdown(TimeSpan? duration = null, bool verifySystemShutdown = false) =>
        Shutdown(_system, duration, verifySystemShutdown);

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
