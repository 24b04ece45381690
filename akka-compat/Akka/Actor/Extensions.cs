namespace Akka.Actor;

/// <summary>One object of its kind for each actor system.</summary>
public interface IExtension;

/// <summary>Names an extension and knows how to make it.</summary>
public interface IExtensionId
{
    /// <summary>The system's extension; it is made if it is not there.</summary>
    object Apply(ActorSystem system);

    /// <summary>The system's extension; null if it is not there.</summary>
    object Get(ActorSystem system);

    /// <summary>
    /// Makes the extension; called once for each system. What it throws reaches whoever asked, and the next one tries
    /// again.
    /// </summary>
    object CreateExtension(ExtendedActorSystem system);

    /// <summary>The type that the extension is found by.</summary>
    Type ExtensionType { get; }
}

/// <summary>Names an extension of a known type.</summary>
public interface IExtensionId<out T> : IExtensionId
    where T : IExtension
{
    /// <inheritdoc/>
    new T Apply(ActorSystem system);

    /// <inheritdoc/>
    new T Get(ActorSystem system);

    /// <inheritdoc/>
    new T CreateExtension(ExtendedActorSystem system);
}

/// <summary>The usual way to name an extension.</summary>
public abstract class ExtensionIdProvider<T> : IExtensionId<T>
    where T : IExtension
{
    /// <inheritdoc/>
    public Type ExtensionType => typeof(T);

    /// <inheritdoc/>
    public T Apply(ActorSystem system) => (T)system.RegisterExtension(this);

    /// <inheritdoc/>
    public T Get(ActorSystem system) => (T)system.GetExtension(this);

    /// <inheritdoc/>
    public abstract T CreateExtension(ExtendedActorSystem system);

    object IExtensionId.Apply(ActorSystem system) => Apply(system);

    object IExtensionId.Get(ActorSystem system) => Get(system);

    object IExtensionId.CreateExtension(ExtendedActorSystem system) => CreateExtension(system);

    /// <inheritdoc/>
    public override bool Equals(object obj) => obj is not null && obj.GetType() == GetType();

    /// <inheritdoc/>
    public override int GetHashCode() => GetType().GetHashCode();
}

/// <summary>Extensions by type.</summary>
public static class ActorSystemWithExtensions
{
    /// <summary>The extension of a type; null if it was not registered.</summary>
    public static T WithExtension<T>(this ActorSystem system)
        where T : class, IExtension => system.GetExtension<T>();

    /// <summary>The extension of a type; if it is not there, an id of the given type makes it.</summary>
    public static T WithExtension<T>(this ActorSystem system, Type extensionId)
        where T : class, IExtension
    {
        if (system.TryGetExtension<T>(out var found))
            return found;
        return (T)system.RegisterExtension((IExtensionId)Activator.CreateInstance(extensionId));
    }

    /// <summary>The extension of a type; if it is not there, an id of type TI makes it.</summary>
    public static T WithExtension<T, TI>(this ActorSystem system)
        where T : class, IExtension
        where TI : IExtensionId => system.WithExtension<T>(typeof(TI));
}

/// <summary>Works on actors between construction and start, and between their end and their release.</summary>
public interface IActorProducerPlugin
{
    /// <summary>Whether the plugin wants to see actors of a type. Asked once for each type.</summary>
    bool CanBeAppliedTo(Type actorType);

    /// <summary>Called after the constructor, before PreStart, for each incarnation.</summary>
    void AfterIncarnated(ActorBase actor, IActorContext context);

    /// <summary>Called when an incarnation is at its end, before it is released.</summary>
    void BeforeIncarnated(ActorBase actor, IActorContext context);
}

/// <summary>A plugin for actors of every type.</summary>
public class ActorProducerPluginBase : IActorProducerPlugin
{
    /// <inheritdoc/>
    public virtual bool CanBeAppliedTo(Type actorType) => true;

    /// <inheritdoc/>
    public virtual void AfterIncarnated(ActorBase actor, IActorContext context) { }

    /// <inheritdoc/>
    public virtual void BeforeIncarnated(ActorBase actor, IActorContext context) { }
}

/// <summary>A plugin for actors of one type.</summary>
public abstract class ActorProducerPluginBase<TActor> : IActorProducerPlugin
    where TActor : ActorBase
{
    /// <inheritdoc/>
    public virtual bool CanBeAppliedTo(Type actorType) => typeof(TActor).IsAssignableFrom(actorType);

    /// <summary>As <see cref="IActorProducerPlugin.AfterIncarnated"/>.</summary>
    public virtual void AfterIncarnated(TActor actor, IActorContext context) { }

    /// <summary>As <see cref="IActorProducerPlugin.BeforeIncarnated"/>.</summary>
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

    /// <summary>How many plugins there are.</summary>
    public int TotalPluginCount => _plugins.Length;

    /// <summary>Adds a plugin; false when one of its type is there.</summary>
    public bool Register(IActorProducerPlugin plugin) => Insert(_plugins.Length, plugin);

    /// <summary>
    /// Puts a plugin at a place, or at the end when there are fewer; false when one of its type is there. Any thread;
    /// it sees only actors made from now on.
    /// </summary>
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

    /// <summary>Takes out the plugin of the same type; false when there is none. Any thread.</summary>
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

    /// <summary>Whether there is a plugin of the same type.</summary>
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

    /// <summary>How many plugins there are for this type.</summary>
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
