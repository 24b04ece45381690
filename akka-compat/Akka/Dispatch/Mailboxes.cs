using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch.MessageQueues;

namespace Akka.Dispatch;

/// <summary>An actor that asks for a queue with certain semantics.</summary>
public interface IRequiresMessageQueue<T>
    where T : ISemantics;

/// <summary>What a queue promises.</summary>
public interface ISemantics;

/// <summary>A queue without a limit.</summary>
public interface IUnboundedMessageQueueSemantics : ISemantics;

/// <summary>A queue that makes producers wait when it is full.</summary>
public interface IBoundedMessageQueueSemantics : ISemantics
{
    /// <summary>How long a producer waits for room; then the message is a dead letter.</summary>
    TimeSpan PushTimeOut { get; }
}

/// <summary>A queue that its owner may also put messages in front of.</summary>
public interface IDequeBasedMessageQueueSemantics : ISemantics
{
    /// <summary>Puts a message before all others.</summary>
    void EnqueueFirst(Envelope envelope);
}

/// <summary>A deque without a limit.</summary>
public interface IUnboundedDequeBasedMessageQueueSemantics
    : IDequeBasedMessageQueueSemantics,
        IUnboundedMessageQueueSemantics;

/// <summary>A deque with a limit.</summary>
public interface IBoundedDequeBasedMessageQueueSemantics
    : IDequeBasedMessageQueueSemantics,
        IBoundedMessageQueueSemantics;

/// <summary>Says which queue a kind of mailbox makes.</summary>
public interface IProducesMessageQueue<TQueue>
    where TQueue : IMessageQueue;

/// <summary>A mailbox that makes producers wait.</summary>
public interface IProducesPushTimeoutSemanticsMailbox
{
    /// <summary>How long a producer waits for room; zero does not wait.</summary>
    TimeSpan PushTimeout { get; }
}

/// <summary>A kind of mailbox.</summary>
public abstract class MailboxType
{
    /// <summary>The settings of the system; null in a mailbox type that was made without any.</summary>
    protected readonly Settings Settings;

    /// <summary>
    /// The section that describes the mailbox, with the defaults filled in; null in a mailbox type that was made
    /// without any.
    /// </summary>
    protected readonly Config Config;

    /// <summary>The constructor that the runtime calls by reflection must have these parameters too.</summary>
    protected MailboxType(Settings settings, Config config)
    {
        Settings = settings;
        Config = config;
    }

    /// <summary>Makes a queue; null stands for the runtime's own.</summary>
    public abstract IMessageQueue Create(IActorRef owner, ActorSystem system);
}

/// <summary>The default: the runtime's own lock-free queue.</summary>
public sealed class UnboundedMailbox : MailboxType
{
    /// <summary>Nothing is read from the configuration.</summary>
    public UnboundedMailbox()
        : this(null, null) { }

    /// <summary>Nothing is read from the configuration.</summary>
    public UnboundedMailbox(Settings settings, Config config)
        : base(settings, config) { }

    /// <inheritdoc/>
    public override IMessageQueue Create(IActorRef owner, ActorSystem system) => null;
}

/// <summary>The runtime's own queue too: every mailbox can take messages back in front.</summary>
public sealed class UnboundedDequeBasedMailbox : MailboxType
{
    /// <summary>Nothing is read from the configuration.</summary>
    public UnboundedDequeBasedMailbox(Settings settings, Config config)
        : base(settings, config) { }

    /// <inheritdoc/>
    public override IMessageQueue Create(IActorRef owner, ActorSystem system) => null;
}

/// <summary>Producers wait for room for as long as the configuration says; then the message is a dead letter.</summary>
public sealed class BoundedMailbox : MailboxType, IProducesPushTimeoutSemanticsMailbox
{
    /// <summary>Reads mailbox-capacity and mailbox-push-timeout-time (10 s if it is not there).</summary>
    /// <exception cref="ArgumentException">The capacity is missing or not positive.</exception>
    public BoundedMailbox(Settings settings, Config config)
        : base(settings, config)
    {
        Capacity = BoundedQueue.CapacityIn(config);
        PushTimeout = BoundedQueue.PushTimeoutIn(config);
    }

    /// <summary>How many user messages fit.</summary>
    public int Capacity { get; }

    /// <summary>
    /// How long a producer's thread is blocked for room, at most. On a simulated system never: what does not fit is a
    /// dead letter at once.
    /// </summary>
    public TimeSpan PushTimeout { get; }

    /// <inheritdoc/>
    public override IMessageQueue Create(IActorRef owner, ActorSystem system) =>
        new BoundedQueue(Capacity, PushTimeout, system);
}

/// <summary>A bounded mailbox for actors with a stash.</summary>
public class BoundedDequeBasedMailbox : MailboxType, IProducesPushTimeoutSemanticsMailbox
{
    /// <summary>Reads mailbox-capacity and mailbox-push-timeout-time (10 s if it is not there).</summary>
    /// <exception cref="ArgumentException">The capacity is missing or not positive.</exception>
    public BoundedDequeBasedMailbox(Settings settings, Config config)
        : base(settings, config)
    {
        Capacity = BoundedQueue.CapacityIn(config);
        PushTimeout = BoundedQueue.PushTimeoutIn(config);
    }

    /// <summary>How many user messages fit.</summary>
    public int Capacity { get; }

    /// <summary>
    /// How long a producer's thread is blocked for room, at most. On a simulated system never: what does not fit is a
    /// dead letter at once.
    /// </summary>
    public TimeSpan PushTimeout { get; }

    /// <inheritdoc/>
    public override IMessageQueue Create(IActorRef owner, ActorSystem system) =>
        new BoundedQueue(Capacity, PushTimeout, system);
}

/// <summary>Handles the most urgent message first; the lowest number is the most urgent.</summary>
public abstract class UnboundedPriorityMailbox : MailboxType
{
    /// <summary>11; of no meaning here, where the queue grows as it needs to.</summary>
    public const int DefaultCapacity = 11;

    /// <summary>Nothing is read from the configuration.</summary>
    protected UnboundedPriorityMailbox(Settings settings, Config config)
        : base(settings, config) { }

    /// <summary>Always <see cref="DefaultCapacity"/>.</summary>
    public int InitialCapacity => DefaultCapacity;

    /// <summary>
    /// The urgency of a message; lower goes first. Called by producers, on any thread and under the queue's lock: has
    /// to be quick and pure. Here equally urgent messages keep their order too.
    /// </summary>
    protected abstract int PriorityGenerator(object message);

    /// <inheritdoc/>
    public sealed override IMessageQueue Create(IActorRef owner, ActorSystem system) =>
        new PriorityQueueOfMessages(PriorityGenerator);
}

/// <summary>Handles the most urgent message first, the oldest of equally urgent ones.</summary>
public abstract class UnboundedStablePriorityMailbox : MailboxType
{
    /// <summary>11; of no meaning here, where the queue grows as it needs to.</summary>
    public const int DefaultCapacity = 11;

    /// <summary>Nothing is read from the configuration.</summary>
    protected UnboundedStablePriorityMailbox(Settings settings, Config config)
        : base(settings, config) { }

    /// <summary>Always <see cref="DefaultCapacity"/>.</summary>
    public int InitialCapacity => DefaultCapacity;

    /// <summary>
    /// The urgency of a message; lower goes first, equal ones in the order of their arrival. Called by producers, on
    /// any thread and under the queue's lock: has to be quick and pure.
    /// </summary>
    protected abstract int PriorityGenerator(object message);

    /// <inheritdoc/>
    public sealed override IMessageQueue Create(IActorRef owner, ActorSystem system) =>
        new PriorityQueueOfMessages(PriorityGenerator);
}

internal sealed class BoundedQueue(int capacity, TimeSpan pushTimeout, ActorSystem system) : IMessageQueue
{
    private readonly Queue<Envelope> _queue = new();
    private readonly object _gate = new();

    /// <inheritdoc/>
    public bool HasMessages => Count > 0;

    /// <inheritdoc/>
    public int Count
    {
        get
        {
            lock (_gate)
                return _queue.Count;
        }
    }

    internal static int CapacityIn(Config config) =>
        config.GetInt("mailbox-capacity", 0) is > 0 and var capacity
            ? capacity
            : throw new ArgumentException("The mailbox-capacity must be greater than zero.");

    internal static TimeSpan PushTimeoutIn(Config config) =>
        config.GetTimeSpan("mailbox-push-timeout-time", TimeSpan.FromSeconds(10));

    /// <inheritdoc/>
    public void Enqueue(IActorRef receiver, Envelope envelope)
    {
        lock (_gate)
        {
            var start = Environment.TickCount64;
            // Under simulation nobody else runs: waiting for room would never end.
            var mayWait = ((ActorSystemImpl)system).Simulation is null;
            while (mayWait && _queue.Count >= capacity)
            {
                var left = pushTimeout.TotalMilliseconds - (Environment.TickCount64 - start);
                if (left <= 0 || !Monitor.Wait(_gate, (int)Math.Min(left, int.MaxValue)))
                    break;
            }
            if (_queue.Count < capacity)
            {
                _queue.Enqueue(envelope);
                return;
            }
        }
        system.DeadLetters.Tell(new Event.DeadLetter(envelope.Message, envelope.Sender, receiver), envelope.Sender);
    }

    /// <inheritdoc/>
    public bool TryDequeue(out Envelope envelope)
    {
        lock (_gate)
        {
            if (!_queue.TryDequeue(out envelope))
                return false;
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <inheritdoc/>
    public void CleanUp(IActorRef owner, IMessageQueue deadletters) { }
}

internal sealed class PriorityQueueOfMessages(Func<object, int> priority) : IMessageQueue
{
    private readonly PriorityQueue<Envelope, (int Priority, long Sequence)> _queue = new();
    private readonly object _gate = new();
    private long _sequence;

    /// <inheritdoc/>
    public bool HasMessages => Count > 0;

    /// <inheritdoc/>
    public int Count
    {
        get
        {
            lock (_gate)
                return _queue.Count;
        }
    }

    /// <inheritdoc/>
    public void Enqueue(IActorRef receiver, Envelope envelope)
    {
        lock (_gate)
            _queue.Enqueue(envelope, (priority(envelope.Message), _sequence++));
    }

    /// <inheritdoc/>
    public bool TryDequeue(out Envelope envelope)
    {
        lock (_gate)
            return _queue.TryDequeue(out envelope, out _);
    }

    /// <inheritdoc/>
    public void CleanUp(IActorRef owner, IMessageQueue deadletters) { }
}

/// <summary>Chooses the kind of mailbox for an actor.</summary>
public class Mailboxes(ActorSystem system)
{
    /// <summary>The configuration path of the mailbox that actors get whom nothing else gives one.</summary>
    public static readonly string DefaultMailboxId = "akka.actor.default-mailbox";

    /// <summary>Empty: no requirement.</summary>
    public static readonly string NoMailboxRequirement = "";

    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, MailboxType> _known = new(
        StringComparer.Ordinal
    );

    /// <summary>The kind of mailbox that a section of the configuration describes.</summary>
    public MailboxType Lookup(string id) => _known.GetOrAdd(id, Make);

    /// <summary>Whether actors of a type ask for a queue with certain semantics.</summary>
    public bool HasRequiredType(Type actorType) => GetRequiredType(actorType) is not null;

    /// <summary>The semantics that a type asks for; null when it asks for none.</summary>
    public Type GetRequiredType(Type actorType) =>
        actorType
            .GetInterfaces()
            .FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IRequiresMessageQueue<>))
            ?.GetGenericArguments()[0];

    /// <summary>The mailbox that akka.actor.mailbox.requirements names for a kind of queue.</summary>
    /// <exception cref="ConfigurationException">There is none.</exception>
    public MailboxType LookupByQueueType(Type queueType)
    {
        var requirements = system.Settings.Config.GetConfig("akka.actor.mailbox.requirements");
        foreach (var pair in requirements?.Root.GetObject().Items ?? [])
        {
            if (Type.GetType(pair.Key) == queueType)
                return Lookup(pair.Value.GetString());
        }
        throw new ConfigurationException($"Mailbox Mapping for [{queueType}] not configured");
    }

    /// <summary>What actors get whose props name no mailbox; looking it up takes longer than making the rest of an actor.</summary>
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(Type, Config), MailboxType> _unnamed = new();

    /// <summary>Props first, then the dispatcher, then what the actor requires, then the default.</summary>
    public MailboxType GetMailboxType(Props props, Config dispatcherConfig)
    {
        if (props.Deploy.Mailbox is { } own && !string.Equals(own, DefaultMailboxId, StringComparison.Ordinal))
            return Lookup(own);
        var key = (props.Type, dispatcherConfig);
        return _unnamed.TryGetValue(key, out var known)
            ? known
            : _unnamed.GetOrAdd(key, Find(key.Type, key.dispatcherConfig));
    }

    private MailboxType Find(Type actorType, Config dispatcherConfig)
    {
        var ofDispatcher = dispatcherConfig?.GetString("mailbox-type");
        if (!string.IsNullOrEmpty(ofDispatcher))
        {
            var id = dispatcherConfig.GetString("id");
            return Lookup(string.IsNullOrEmpty(id) ? DefaultMailboxId : id);
        }
        return GetRequiredType(actorType) is { } required ? LookupByQueueType(required) : Lookup(DefaultMailboxId);
    }

    /// <summary>
    /// How many messages the stash of an actor holds: the mailbox's section decides, then the dispatcher's, then the
    /// default mailbox's; -1 for any number.
    /// </summary>
    public int StashCapacity(string dispatcher, string mailbox)
    {
        var config = system.Settings.Config;
        if (mailbox is not null && config.HasPath(mailbox + ".stash-capacity"))
            return config.GetInt(mailbox + ".stash-capacity", -1);
        if (dispatcher is not null && config.HasPath(dispatcher + ".stash-capacity"))
            return config.GetInt(dispatcher + ".stash-capacity", -1);
        return config.GetInt(DefaultMailboxId + ".stash-capacity", -1);
    }

    private MailboxType Make(string id)
    {
        var all = system.Settings.Config;
        if (!all.HasPath(id))
            throw new ConfigurationException($"Mailbox Type [{id}] not configured");
        var defaults = all.GetConfig(DefaultMailboxId) ?? Config.Empty;
        var config = all.GetConfig(id).WithFallback(defaults);
        var name = config.GetString("mailbox-type");
        switch (name)
        {
            case null or "" or "Akka.Dispatch.UnboundedMailbox":
                return new UnboundedMailbox(system.Settings, config);
            case "Akka.Dispatch.UnboundedDequeBasedMailbox":
                return new UnboundedDequeBasedMailbox(system.Settings, config);
        }
        var type =
            Type.GetType(name)
            ?? throw new ConfigurationException(
                $"Found mailbox-type [{name}] in configuration for [{id}], but could not find that type in any loaded assemblies."
            );
        return (MailboxType)Activator.CreateInstance(type, system.Settings, config);
    }
}
