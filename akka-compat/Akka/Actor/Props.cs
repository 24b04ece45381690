using System.Linq.Expressions;
using Akka.Configuration;
using Akka.Routing;
using Akka.Util;

namespace Akka.Actor;

/// <summary>How to make an actor: its type, its arguments and where it runs. Immutable.</summary>
public class Props : IEquatable<Props>, ISurrogated
{
    /// <summary>Says nothing about where the actor runs. First: the other statics are made with it.</summary>
    private static readonly Deploy DefaultDeploy = new();

    /// <summary>Props that name no actor; making one from them throws.</summary>
    public static readonly Props None = new(typeof(NoActor));

    /// <summary>An <see cref="ActorFactory"/>, or a producer itself: props of many actors that are made by producers stay small.</summary>
    private readonly object _maker;

    /// <summary>Names no actor: for derived props that override <see cref="NewActor"/>.</summary>
    protected Props()
        : this(typeof(NoActor)) { }

    /// <summary>Shares everything with the original, the looked-up constructor included.</summary>
    protected Props(Props copy)
        : this(copy.Deploy, copy._maker, copy.Arguments, copy.SupervisorStrategy) { }

    /// <summary>
    /// As <see cref="Create(Type, object[])"/>. A type that is an <see cref="IIndirectActorProducer"/> is made at once
    /// and asked.
    /// </summary>
    public Props(Type type, object[] args)
        : this(DefaultDeploy, ActorFactory.ForType(type, args), args, null) { }

    /// <summary>For an actor whose constructor takes nothing.</summary>
    public Props(Type type)
        : this(type, []) { }

    /// <summary>With the strategy for the actor's children; null leaves it to the actor.</summary>
    public Props(Type type, SupervisorStrategy supervisorStrategy, IEnumerable<object> args)
        : this(type, supervisorStrategy, args.ToArray()) { }

    /// <summary>With the strategy for the actor's children; null leaves it to the actor.</summary>
    public Props(Type type, SupervisorStrategy supervisorStrategy, params object[] args)
        : this(DefaultDeploy, ActorFactory.ForType(type, args), args, supervisorStrategy) { }

    /// <summary>With a deployment, which replaces the default one entirely.</summary>
    public Props(Deploy deploy, Type type, IEnumerable<object> args)
        : this(deploy, type, args.ToArray()) { }

    /// <summary>With a deployment, which replaces the default one entirely.</summary>
    public Props(Deploy deploy, Type type, params object[] args)
        : this(deploy, ActorFactory.ForType(type, args), args, null) { }

    private Props(Deploy deploy, object maker, object[] args, SupervisorStrategy strategy)
    {
        Deploy = deploy;
        _maker = maker;
        Arguments = args ?? [];
        SupervisorStrategy = strategy;
    }

    /// <summary>
    /// What a cell keeps of them: these props, or, where they say nothing else, the producer itself. Of millions of actors that are made by
    /// producers nobody asks for the props again.
    /// </summary>
    internal object Blueprint =>
        _maker is IIndirectActorProducer
        && GetType() == typeof(Props)
        && ReferenceEquals(Deploy, DefaultDeploy)
        && Arguments.Length == 0
        && SupervisorStrategy is null
            ? _maker
            : this;

    /// <summary>The type of the actor, as far as it is known before one is made.</summary>
    public Type Type => _maker is ActorFactory factory ? factory.ActorType : ((IIndirectActorProducer)_maker).ActorType;

    /// <summary>The assembly-qualified name of <see cref="Type"/>.</summary>
    public string TypeName => Type.AssemblyQualifiedName;

    /// <summary>What the constructor gets, in order. The array is not copied: don't change it.</summary>
    public object[] Arguments { get; }

    /// <summary>Where the actor runs; a deployment section for its path has precedence.</summary>
    public Deploy Deploy { get; protected set; }

    /// <summary>Overrides the actor's own strategy for its children; null does not.</summary>
    public SupervisorStrategy SupervisorStrategy { get; protected set; }

    /// <summary>
    /// The configuration path of the dispatcher, that of the default one if the deployment names none.
    /// </summary>
    public string Dispatcher => Deploy.Dispatcher ?? Akka.Dispatch.Dispatchers.DefaultDispatcherId;

    /// <summary>The configuration path of the mailbox, that of the default one if the deployment names none.</summary>
    public string Mailbox => Deploy.Mailbox ?? Akka.Dispatch.Mailboxes.DefaultMailboxId;

    /// <summary>Of no effect here: there are no routers.</summary>
    public RouterConfig RouterConfig => Deploy.RouterConfig;

    /// <summary>Props of an actor that handles nothing: each message is published as unhandled.</summary>
    public static Props Empty { get; } = new(typeof(EmptyActor));

    /// <summary>Props from a constructor call; its arguments are evaluated here, once.</summary>
    public static Props Create<TActor>(Expression<Func<TActor>> factory, SupervisorStrategy supervisorStrategy = null)
        where TActor : ActorBase
    {
        if (factory.Body is UnaryExpression)
            throw new ArgumentException("Do not cast the newly created actor to a base type.", nameof(factory));
        if (factory.Body is not NewExpression creation)
            throw new ArgumentException("The create function must be a 'new T (args)' expression", nameof(factory));
        var arguments = creation.Arguments.Select(ExpressionValue.Of).ToArray();
        return new Props(
            DefaultDeploy,
            ActorFactory.ForConstructor(creation.Constructor, creation.Type, arguments),
            arguments,
            supervisorStrategy
        );
    }

    /// <summary>
    /// Props from a type and arguments. The constructor is looked up when the first actor is made; a lack of one fails
    /// there.
    /// </summary>
    public static Props Create<TActor>(params object[] args)
        where TActor : ActorBase => new(typeof(TActor), args);

    /// <summary>With the strategy for the actor's children.</summary>
    public static Props Create<TActor>(SupervisorStrategy supervisorStrategy)
        where TActor : ActorBase, new() => new(typeof(TActor), supervisorStrategy);

    /// <summary>
    /// Props from a type and arguments; the constructor that fits the arguments most exactly is taken.
    /// </summary>
    /// <exception cref="ArgumentNullException">The type is null.</exception>
    public static Props Create(Type type, params object[] args)
    {
        if (type is null)
            throw new ArgumentNullException(nameof(type), "Props must be instantiated with an actor type.");
        return new Props(type, args);
    }

    /// <summary>Props whose actors the producer makes. The arguments are not passed to it and are ignored.</summary>
    public static Props CreateBy(IIndirectActorProducer producer, params object[] args) =>
        new(DefaultDeploy, producer, args, null);

    internal static Props CreateBy<TActor>(Func<TActor> factory)
        where TActor : ActorBase => new(DefaultDeploy, new DelegateProducer<TActor>(factory), [], null);

    /// <summary>
    /// A copy with the mailbox at this configuration path; it must satisfy what actor and dispatcher require.
    /// </summary>
    public Props WithMailbox(string mailbox) => WithDeploy(Deploy.WithMailbox(mailbox));

    /// <summary>
    /// A copy with the dispatcher at this configuration path. That it exists is checked when an actor is made.
    /// </summary>
    public Props WithDispatcher(string dispatcher) => WithDeploy(Deploy.WithDispatcher(dispatcher));

    /// <summary>A copy with a router, which has no effect here.</summary>
    public Props WithRouter(RouterConfig routerConfig) => WithDeploy(Deploy.WithRouterConfig(routerConfig));

    /// <summary>
    /// A copy with the number of messages that the actor's stash holds; -1 leaves it to the configuration.
    /// </summary>
    public Props WithStashCapacity(int stashCapacity) => WithDeploy(Deploy.WithStashCapacity(stashCapacity));

    /// <summary>A copy with another deployment, which replaces the present one entirely.</summary>
    public Props WithDeploy(Deploy deploy)
    {
        var copy = Copy();
        copy.Deploy = deploy;
        return copy;
    }

    /// <summary>A copy whose strategy overrides the actor's own.</summary>
    public Props WithSupervisorStrategy(SupervisorStrategy supervisorStrategy)
    {
        var copy = Copy();
        copy.SupervisorStrategy = supervisorStrategy;
        return copy;
    }

    /// <summary>
    /// Makes an instance. Called by the runtime inside the new actor's context; a constructor outside of one throws.
    /// </summary>
    /// <exception cref="InvalidOperationException">The props are <see cref="None"/>.</exception>
    /// <exception cref="MissingMethodException">No constructor fits the arguments.</exception>
    public virtual ActorBase NewActor()
    {
        if (_maker is IIndirectActorProducer producer)
            return producer.Produce();
        var factory = (ActorFactory)_maker;
        if (factory.ActorType == typeof(NoActor))
            throw new InvalidOperationException("These props name no actor.");
        return factory.Produce();
    }

    internal void ReleaseActor(ActorBase actor) => Release(_maker, actor);

    /// <summary>Gives an instance back to the factory or producer that made it, and disposes of it.</summary>
    internal static void Release(object maker, ActorBase actor)
    {
        try
        {
            if (maker is IIndirectActorProducer producer)
                producer.Release(actor);
            else
                ((ActorFactory)maker).Release(actor);
        }
        finally
        {
            if (actor is IDisposable disposable)
                disposable.Dispose();
        }
    }

    /// <summary>The copy that the With… methods change; derived props return one of their own type.</summary>
    protected virtual Props Copy() => new(this);

    /// <summary>Compares type, deployment, strategy and arguments; not the producer.</summary>
    public bool Equals(Props other) =>
        other is not null
        && (
            ReferenceEquals(this, other)
            || (
                Type == other.Type
                && Deploy.Equals(other.Deploy)
                && Equals(SupervisorStrategy, other.SupervisorStrategy)
                && Arguments.SequenceEqual(other.Arguments)
            )
        );

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as Props);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, Arguments.Length);

    /// <inheritdoc/>
    public ISurrogate ToSurrogate(ActorSystem system) =>
        new PropsSurrogate
        {
            Type = Type,
            Deploy = Deploy,
            Arguments = Arguments,
        };

    /// <summary>The serializable form of props.</summary>
    public class PropsSurrogate : ISurrogate
    {
        /// <inheritdoc cref="Props.Type"/>
        public Type Type { get; set; }

        /// <inheritdoc cref="Props.Deploy"/>
        public Deploy Deploy { get; set; }

        /// <inheritdoc cref="Props.Arguments"/>
        public object[] Arguments { get; set; }

        /// <inheritdoc/>
        public ISurrogated FromSurrogate(ActorSystem system) => new Props(Deploy, Type, Arguments);
    }

    /// <summary>Handles nothing.</summary>
    private sealed class EmptyActor : UntypedActor
    {
        protected override void OnReceive(object message) => Unhandled(message);
    }

    /// <summary>The type of props that name no actor.</summary>
    private abstract class NoActor : ActorBase;
}

/// <summary>Makes actors in its own way, such as from a container.</summary>
public interface IIndirectActorProducer
{
    /// <summary>Makes an instance, inside the new actor's context. Called once for each incarnation.</summary>
    ActorBase Produce();

    /// <summary>
    /// Takes an instance back after its end; what it holds may be released. IDisposable is called by the runtime.
    /// </summary>
    void Release(ActorBase actor);

    /// <summary>The type of what <see cref="Produce"/> makes; asked for before the first one, once.</summary>
    Type ActorType { get; }
}

internal sealed class DelegateProducer<TActor>(Func<TActor> factory) : IIndirectActorProducer
    where TActor : ActorBase
{
    /// <inheritdoc/>
    public Type ActorType => typeof(TActor);

    /// <inheritdoc/>
    public ActorBase Produce() => factory();

    /// <inheritdoc/>
    public void Release(ActorBase actor) { }
}
