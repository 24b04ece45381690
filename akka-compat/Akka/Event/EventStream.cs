using Akka.Actor;
using Akka.Configuration;

namespace Akka.Event;

/// <summary>Carries events to those who subscribed to their kind.</summary>
public abstract class EventBus<TEvent, TClassifier, TSubscriber>
{
    private readonly object _gate = new();
    private List<(TSubscriber Subscriber, TClassifier Classifier)> _subscriptions = [];

    /// <summary>Classes taken back from subscribers that are still subscribed to a wider one.</summary>
    private List<(TSubscriber Subscriber, TClassifier Classifier)> _exceptions = [];

    /// <summary>Who gets events of a class; emptied by every change.</summary>
    private System.Collections.Concurrent.ConcurrentDictionary<TClassifier, TSubscriber[]> _cache = new();

    /// <summary>The name of the type without its namespace.</summary>
    protected string SimpleName(object source) => SimpleName(source.GetType());

    /// <summary>The name of the type without its namespace.</summary>
    protected string SimpleName(Type source) => source.Name;

    /// <summary>Subscribes to a class of events and all below it; false when the subscriber gets them already.</summary>
    public virtual bool Subscribe(TSubscriber subscriber, TClassifier classifier)
    {
        lock (_gate)
        {
            var exceptions = _exceptions.RemoveAll(e =>
                Same(e.Subscriber, subscriber) && Includes(classifier, e.Classifier)
            );
            if (Gets(subscriber, classifier))
            {
                _cache = new();
                return exceptions > 0;
            }
            _subscriptions =
            [
                .. _subscriptions.Where(s => !(Same(s.Subscriber, subscriber) && Includes(classifier, s.Classifier))),
                (subscriber, classifier),
            ];
            _cache = new();
            return true;
        }
    }

    /// <summary>Ends all subscriptions of a subscriber; false when there were none.</summary>
    public virtual bool Unsubscribe(TSubscriber subscriber)
    {
        lock (_gate)
        {
            _exceptions.RemoveAll(e => Same(e.Subscriber, subscriber));
            return Remove(s => Same(s.Subscriber, subscriber));
        }
    }

    /// <summary>Ends the subscription to a class and all below it, also of a subscriber to a wider class.</summary>
    public virtual bool Unsubscribe(TSubscriber subscriber, TClassifier classifier)
    {
        lock (_gate)
        {
            var removed = Remove(s => Same(s.Subscriber, subscriber) && Includes(classifier, s.Classifier));
            if (!Gets(subscriber, classifier))
                return removed;
            _exceptions.Add((subscriber, classifier));
            _cache = new();
            return true;
        }
    }

    private bool Remove(Predicate<(TSubscriber Subscriber, TClassifier Classifier)> which)
    {
        var rest = _subscriptions.Where(s => !which(s)).ToList();
        if (rest.Count == _subscriptions.Count)
            return false;
        _subscriptions = rest;
        _cache = new();
        return true;
    }

    private bool Includes(TClassifier wide, TClassifier narrow) =>
        Equals(wide, narrow) || IsSubClassification(wide, narrow);

    /// <summary>By a subscription from which no exception below it takes the class away.</summary>
    private bool Gets(TSubscriber subscriber, TClassifier kind) =>
        _subscriptions.Any(s =>
            Same(s.Subscriber, subscriber)
            && Includes(s.Classifier, kind)
            && !_exceptions.Any(e =>
                Same(e.Subscriber, subscriber) && Includes(s.Classifier, e.Classifier) && Includes(e.Classifier, kind)
            )
        );

    private static bool Same(TSubscriber left, TSubscriber right) =>
        EqualityComparer<TSubscriber>.Default.Equals(left, right);

    /// <summary>Whether subscribers to the first class get events of the second too.</summary>
    protected abstract bool IsSubClassification(TClassifier parent, TClassifier child);

    /// <summary>Hands an event to one subscriber. Called by the publisher's thread.</summary>
    protected abstract void Publish(TEvent @event, TSubscriber subscriber);

    /// <summary>Whether an event belongs to a class or to one below it.</summary>
    protected abstract bool Classify(TEvent @event, TClassifier classifier);

    /// <summary>The class of an event, the narrowest one.</summary>
    protected abstract TClassifier GetClassifier(TEvent @event);

    /// <summary>
    /// Hands an event to each subscriber to its class, once; by the caller's thread, in the order of subscription. Any
    /// thread; who subscribes at the same time may or may not get it.
    /// </summary>
    public virtual void Publish(TEvent @event)
    {
        var kind = GetClassifier(@event);
        var cache = Volatile.Read(ref _cache);
        if (!cache.TryGetValue(kind, out var subscribers))
        {
            lock (_gate)
            {
                subscribers = _subscriptions.Select(s => s.Subscriber).Distinct().Where(s => Gets(s, kind)).ToArray();
                _cache.TryAdd(kind, subscribers);
            }
        }
        foreach (var subscriber in subscribers)
            Publish(@event, subscriber);
    }
}

/// <summary>A bus whose subscribers are actors.</summary>
public abstract class ActorEventBus<TEvent, TClassifier> : EventBus<TEvent, TClassifier, IActorRef>;

/// <summary>The bus that log events take.</summary>
public class LoggingBus : ActorEventBus<object, Type>
{
    private readonly List<IActorRef> _loggers = [];
    private IActorRef _stdout;

    /// <summary>Events below this level are not even published.</summary>
    public LogLevel LogLevel { get; private set; }

    /// <inheritdoc/>
    protected override bool IsSubClassification(Type parent, Type child) => parent.IsAssignableFrom(child);

    /// <inheritdoc/>
    protected override void Publish(object @event, IActorRef subscriber) => subscriber.Tell(@event, ActorRefs.NoSender);

    /// <inheritdoc/>
    protected override bool Classify(object @event, Type classifier) => classifier.IsInstanceOfType(@event);

    /// <inheritdoc/>
    protected override Type GetClassifier(object @event) => @event.GetType();

    /// <summary>
    /// Subscribes the logger that is there before the others, at akka.stdout-loglevel, and takes that level for the
    /// bus.
    /// </summary>
    public void StartStdoutLogger(Settings config)
    {
        SetUpStdoutLogger(config);
        Publish(new Debug(SimpleName(this), GetType(), "StandardOutLogger started"));
    }

    private void SetUpStdoutLogger(Settings config)
    {
        _stdout = config.StdoutLogger;
        var level = Logging.LogLevelFor(config.StdoutLogLevel);
        LogLevel = level;
        SubscribeFrom(level, _stdout);
    }

    /// <summary>
    /// Changes the level of the bus and what the loggers subscribe to. While it runs a logger may miss events.
    /// </summary>
    public void SetLogLevel(LogLevel logLevel)
    {
        LogLevel = logLevel;
        foreach (var logger in _loggers)
        {
            Unsubscribe(logger);
            SubscribeFrom(logLevel, logger);
        }
    }

    private void SubscribeFrom(LogLevel level, IActorRef logger)
    {
        foreach (var each in Logging.Levels)
        {
            if (each >= level)
                Subscribe(logger, each.ClassFor());
        }
    }

    internal void StartDefaultLoggers(ActorSystemImpl system)
    {
        var settings = system.Settings;
        var level = Logging.LogLevelFor(settings.LogLevel);
        LogLevel = level;
        var wantsStdout = false;
        foreach (var name in settings.Loggers)
        {
            if (name == typeof(StandardOutLogger).FullName)
            {
                wantsStdout = true;
                continue;
            }
            var type =
                Type.GetType(name)
                ?? throw new ConfigurationException($@"Logger specified in config cannot be found: ""{name}""");
            AddLogger(system, type, level);
        }
        if (!wantsStdout)
            Unsubscribe(_stdout);
        Publish(new Debug(SimpleName(this), GetType(), "Default Loggers started"));
    }

    private void AddLogger(ActorSystemImpl system, Type type, LogLevel level)
    {
        var name = "log" + system.NextLoggerNumber() + "-" + type.Name;
        var logger = system.SystemActorOf(Props.Create(type).WithDispatcher(system.Settings.LoggersDispatcher), name);
        var reply = logger.Ask<object>(new InitializeLogger(this), Timeout.InfiniteTimeSpan);
        if (!system.Await(reply, system.Settings.LoggerStartTimeout))
            Publish(
                new Warning(SimpleName(this), GetType(), $"Logger {name} did not respond to InitializeLogger in time")
            );
        _loggers.Add(logger);
        SubscribeFrom(level, logger);
        Publish(new Debug(SimpleName(this), GetType(), $"Logger {name} [{type.Name}] started"));
    }

    internal void StopDefaultLoggers(ActorSystemImpl system)
    {
        if (!_loggers.Any(l => l.Path.Name.Contains("TestEventListener", StringComparison.Ordinal)))
            SetUpStdoutLogger(system.Settings);
        Publish(
            new Debug(
                SimpleName(this),
                GetType(),
                $"Shutting down: {Logging.SimpleName(system.Settings.StdoutLogger)} started"
            )
        );
        foreach (var logger in _loggers)
        {
            Unsubscribe(logger);
            system.Stop(logger);
        }
        _loggers.Clear();
        Publish(new Debug(SimpleName(this), GetType(), "All default loggers stopped"));
    }
}

/// <summary>The bus of a whole system: log events, dead letters and whatever else is published.</summary>
public class EventStream(bool debug) : LoggingBus
{
    /// <inheritdoc/>
    public override bool Subscribe(IActorRef subscriber, Type channel)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        if (debug)
            Publish(new Debug(SimpleName(this), GetType(), $"subscribing {subscriber} to channel {channel}"));
        var changed = base.Subscribe(subscriber, channel);
        if (changed && subscriber is LocalActorRef)
            WatchSubscriber(subscriber);
        return changed;
    }

    /// <inheritdoc/>
    public override bool Unsubscribe(IActorRef subscriber, Type channel)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        var changed = base.Unsubscribe(subscriber, channel);
        if (debug)
            Publish(new Debug(SimpleName(this), GetType(), $"unsubscribing {subscriber} from channel {channel}"));
        return changed;
    }

    /// <inheritdoc/>
    public override bool Unsubscribe(IActorRef subscriber)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        var changed = base.Unsubscribe(subscriber);
        if (debug)
            Publish(new Debug(SimpleName(this), GetType(), $"unsubscribing {subscriber} from all channels"));
        return changed;
    }

    /// <summary>Starts the actor that takes dead subscribers off the bus.</summary>
    public void StartUnsubscriber(ActorSystemImpl system) =>
        _unsubscriber = system.SystemActorOf(
            Props
                .CreateBy<Unsubscriber>(() => new Unsubscriber(this))
                .WithDispatcher(Dispatch.Dispatchers.InternalDispatcherId),
            "eventStreamUnsubscriber"
        );

    private IActorRef _unsubscriber;

    internal void WatchSubscriber(IActorRef subscriber) =>
        _unsubscriber?.Tell(new Unsubscriber.Register(subscriber), null);

    private sealed class Unsubscriber(EventStream stream) : ActorBase
    {
        protected override bool Receive(object message)
        {
            switch (message)
            {
                case Register register:
                    Context.Watch(register.Actor);
                    return true;
                case Terminated terminated:
                    stream.Unsubscribe(terminated.ActorRef);
                    return true;
                default:
                    return false;
            }
        }

        internal sealed record Register(IActorRef Actor) : INoSerializationVerificationNeeded;
    }
}

/// <summary>Subscribing by type argument.</summary>
public static class EventStreamExtensions
{
    /// <summary>
    /// As <see cref="EventBus{TEvent, TClassifier, TSubscriber}.Subscribe"/>, for the type and all derived from it.
    /// </summary>
    public static bool Subscribe<TChannel>(this EventStream eventStream, IActorRef subscriber) =>
        eventStream.Subscribe(subscriber, typeof(TChannel));

    /// <summary>Ends the subscription to the type and all derived from it.</summary>
    public static bool Unsubscribe<TChannel>(this EventStream eventStream, IActorRef subscriber) =>
        eventStream.Unsubscribe(subscriber, typeof(TChannel));
}
