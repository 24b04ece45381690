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

    public static readonly Props None = new(typeof(NoActor));

    /// <summary>An <see cref="ActorFactory"/>, or a producer itself: props of many actors that are made by producers stay small.</summary>
    private readonly object _maker;

    protected Props()
        : this(typeof(NoActor)) { }

    protected Props(Props copy)
        : this(copy.Deploy, copy._maker, copy.Arguments, copy.SupervisorStrategy) { }

    public Props(Type type, object[] args)
        : this(DefaultDeploy, ActorFactory.ForType(type, args), args, null) { }

    public Props(Type type)
        : this(type, []) { }

    public Props(Type type, SupervisorStrategy supervisorStrategy, IEnumerable<object> args)
        : this(type, supervisorStrategy, args.ToArray()) { }

    public Props(Type type, SupervisorStrategy supervisorStrategy, params object[] args)
        : this(DefaultDeploy, ActorFactory.ForType(type, args), args, supervisorStrategy) { }

    public Props(Deploy deploy, Type type, IEnumerable<object> args)
        : this(deploy, type, args.ToArray()) { }

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

    public Type Type => _maker is ActorFactory factory ? factory.ActorType : ((IIndirectActorProducer)_maker).ActorType;
    public string TypeName => Type.AssemblyQualifiedName;
    public object[] Arguments { get; }
    public Deploy Deploy { get; protected set; }
    public SupervisorStrategy SupervisorStrategy { get; protected set; }
    public string Dispatcher => Deploy.Dispatcher ?? Akka.Dispatch.Dispatchers.DefaultDispatcherId;
    public string Mailbox => Deploy.Mailbox ?? Akka.Dispatch.Mailboxes.DefaultMailboxId;
    public RouterConfig RouterConfig => Deploy.RouterConfig;
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

    public static Props Create<TActor>(params object[] args)
        where TActor : ActorBase => new(typeof(TActor), args);

    public static Props Create<TActor>(SupervisorStrategy supervisorStrategy)
        where TActor : ActorBase, new() => new(typeof(TActor), supervisorStrategy);

    public static Props Create(Type type, params object[] args)
    {
        if (type is null)
            throw new ArgumentNullException(nameof(type), "Props must be instantiated with an actor type.");
        return new Props(type, args);
    }

    public static Props CreateBy(IIndirectActorProducer producer, params object[] args) =>
        new(DefaultDeploy, producer, args, null);

    internal static Props CreateBy<TActor>(Func<TActor> factory)
        where TActor : ActorBase => new(DefaultDeploy, new DelegateProducer<TActor>(factory), [], null);

    public Props WithMailbox(string mailbox) => WithDeploy(Deploy.WithMailbox(mailbox));

    public Props WithDispatcher(string dispatcher) => WithDeploy(Deploy.WithDispatcher(dispatcher));

    public Props WithRouter(RouterConfig routerConfig) => WithDeploy(Deploy.WithRouterConfig(routerConfig));

    public Props WithStashCapacity(int stashCapacity) => WithDeploy(Deploy.WithStashCapacity(stashCapacity));

    public Props WithDeploy(Deploy deploy)
    {
        var copy = Copy();
        copy.Deploy = deploy;
        return copy;
    }

    public Props WithSupervisorStrategy(SupervisorStrategy supervisorStrategy)
    {
        var copy = Copy();
        copy.SupervisorStrategy = supervisorStrategy;
        return copy;
    }

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

    protected virtual Props Copy() => new(this);

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

    public override bool Equals(object obj) => Equals(obj as Props);

    public override int GetHashCode() => HashCode.Combine(Type, Arguments.Length);

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
        public Type Type { get; set; }
        public Deploy Deploy { get; set; }
        public object[] Arguments { get; set; }

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
    ActorBase Produce();
    void Release(ActorBase actor);
    Type ActorType { get; }
}

internal sealed class DelegateProducer<TActor>(Func<TActor> factory) : IIndirectActorProducer
    where TActor : ActorBase
{
    public Type ActorType => typeof(TActor);

    public ActorBase Produce() => factory();

    public void Release(ActorBase actor) { }
}
