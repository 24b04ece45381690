namespace Akka.Actor;

/// <summary>One object of its kind for each actor system.</summary>
public interface IExtension;

/// <summary>Names an extension and knows how to make it.</summary>
public interface IExtensionId
{
    object Apply(ActorSystem system);
    object Get(ActorSystem system);
    object CreateExtension(ExtendedActorSystem system);
    Type ExtensionType { get; }
}

/// <summary>Names an extension of a known type.</summary>
public interface IExtensionId<out T> : IExtensionId
    where T : IExtension
{
    new T Apply(ActorSystem system);
    new T Get(ActorSystem system);
    new T CreateExtension(ExtendedActorSystem system);
}

/// <summary>The usual way to name an extension.</summary>
public abstract class ExtensionIdProvider<T> : IExtensionId<T>
    where T : IExtension
{
    public Type ExtensionType => typeof(T);

    public T Apply(ActorSystem system) => (T)system.RegisterExtension(this);

    public T Get(ActorSystem system) => (T)system.GetExtension(this);

    public abstract T CreateExtension(ExtendedActorSystem system);

    object IExtensionId.Apply(ActorSystem system) => Apply(system);

    object IExtensionId.Get(ActorSystem system) => Get(system);

    object IExtensionId.CreateExtension(ExtendedActorSystem system) => CreateExtension(system);

    public override bool Equals(object obj) => obj is not null && obj.GetType() == GetType();

    public override int GetHashCode() => GetType().GetHashCode();
}

/// <summary>Extensions by type.</summary>
public static class ActorSystemWithExtensions
{
    public static T WithExtension<T>(this ActorSystem system)
        where T : class, IExtension => system.GetExtension<T>();

    public static T WithExtension<T>(this ActorSystem system, Type extensionId)
        where T : class, IExtension
    {
        if (system.TryGetExtension<T>(out var found))
            return found;
        return (T)system.RegisterExtension((IExtensionId)Activator.CreateInstance(extensionId));
    }

    public static T WithExtension<T, TI>(this ActorSystem system)
        where T : class, IExtension
        where TI : IExtensionId => system.WithExtension<T>(typeof(TI));
}

/// <summary>Works on actors between construction and start, and between their end and their release.</summary>
public interface IActorProducerPlugin
{
    bool CanBeAppliedTo(Type actorType);
    void AfterIncarnated(ActorBase actor, IActorContext context);
    void BeforeIncarnated(ActorBase actor, IActorContext context);
}

/// <summary>A plugin for actors of every type.</summary>
public class ActorProducerPluginBase : IActorProducerPlugin
{
    public virtual bool CanBeAppliedTo(Type actorType) => true;

    public virtual void AfterIncarnated(ActorBase actor, IActorContext context) { }

    public virtual void BeforeIncarnated(ActorBase actor, IActorContext context) { }
}

/// <summary>A plugin for actors of one type.</summary>
public abstract class ActorProducerPluginBase<TActor> : IActorProducerPlugin
    where TActor : ActorBase
{
    public virtual bool CanBeAppliedTo(Type actorType) => typeof(TActor).IsAssignableFrom(actorType);

    public virtual void AfterIncarnated(TActor actor, IActorContext context) { }

    public virtual void BeforeIncarnated(TActor actor, IActorContext context) { }

    void IActorProducerPlugin.AfterIncarnated(ActorBase actor, IActorContext context) =>
        AfterIncarnated((TActor)actor, context);

    void IActorProducerPlugin.BeforeIncarnated(ActorBase actor, IActorContext context) =>
        BeforeIncarnated((TActor)actor, context);
}

/// <summary>The plugins of a system, in the order in which they were registered.</summary>
public class ActorProducerPipelineResolver
{
    private readonly object _gate = new();
    private volatile IActorProducerPlugin[] _plugins = [];
    private volatile System.Collections.Concurrent.ConcurrentDictionary<Type, ActorProducerPipeline> _pipelines = new();

    public int TotalPluginCount => _plugins.Length;

    /// <summary>Adds a plugin; false when one of its type is there.</summary>
    public bool Register(IActorProducerPlugin plugin) => Insert(_plugins.Length, plugin);

    public bool Insert(int index, IActorProducerPlugin plugin)
    {
        lock (_gate)
        {
            if (IsRegistered(plugin))
                return false;
            var at = Math.Min(index, _plugins.Length);
            _plugins = [.. _plugins[..at], plugin, .. _plugins[at..]];
            _pipelines = new();
            return true;
        }
    }

    public bool Unregister(IActorProducerPlugin plugin)
    {
        lock (_gate)
        {
            var rest = _plugins.Where(p => p.GetType() != plugin.GetType()).ToArray();
            if (rest.Length == _plugins.Length)
                return false;
            _plugins = rest;
            _pipelines = new();
            return true;
        }
    }

    public bool IsRegistered(IActorProducerPlugin plugin) => _plugins.Any(p => p.GetType() == plugin.GetType());

    internal ActorProducerPipeline PipelineOf(Type actorType)
    {
        if (_plugins.Length == 0)
            return null;
        return _pipelines.GetOrAdd(
            actorType,
            static (type, plugins) => new ActorProducerPipeline(plugins.Where(p => p.CanBeAppliedTo(type)).ToArray()),
            _plugins
        );
    }
}

/// <summary>The plugins for one type of actor.</summary>
public class ActorProducerPipeline
{
    private readonly IActorProducerPlugin[] _plugins;

    internal ActorProducerPipeline(IActorProducerPlugin[] plugins)
    {
        _plugins = plugins;
    }

    public int Count => _plugins.Length;

    internal void AfterActorIncarnated(ActorBase actor, IActorContext context)
    {
        foreach (var plugin in _plugins)
            plugin.AfterIncarnated(actor, context);
    }

    internal void BeforeActorIncarnated(ActorBase actor, IActorContext context)
    {
        foreach (var plugin in _plugins)
            plugin.BeforeIncarnated(actor, context);
    }
}
