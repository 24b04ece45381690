using Akka.Event;
using Akka.Util;

namespace Akka.Actor;

/// <summary>What becomes of a child that failed.</summary>
public enum Directive
{
    /// <summary>The child goes on with its state; the message is lost.</summary>
    Resume,

    /// <summary>A new instance takes the place of the one that failed; mailbox and reference stay.</summary>
    Restart,

    /// <summary>The supervisor fails with the same cause.</summary>
    Escalate,

    /// <summary>The child stops for good.</summary>
    Stop,
}

/// <summary>Chooses a directive for a failure.</summary>
public interface IDecider
{
    /// <summary>The directive for a cause.</summary>
    Directive Decide(Exception cause);
}

/// <summary>Ways to make deciders.</summary>
public static class Decider
{
    /// <summary>Decides by type: the first pair whose type the failure is an instance of, else the default.</summary>
    public static DeployableDecider From(Directive defaultDirective, params KeyValuePair<Type, Directive>[] pairs) =>
        new(defaultDirective, pairs);

    /// <summary>Decides by type: the first pair whose type the failure is an instance of, else the default.</summary>
    public static DeployableDecider From(
        Directive defaultDirective,
        IEnumerable<KeyValuePair<Type, Directive>> pairs
    ) => new(defaultDirective, pairs);

    /// <summary>Decides by code; what the code throws is a failure of the supervisor.</summary>
    public static LocalOnlyDecider From(Func<Exception, Directive> localOnlyDecider) => new(localOnlyDecider);
}

/// <summary>A decider that is code.</summary>
public class LocalOnlyDecider(Func<Exception, Directive> decider) : IDecider
{
    /// <inheritdoc/>
    public Directive Decide(Exception cause) => decider(cause);
}

/// <summary>A decider that is data: the first pair whose type fits the failure decides.</summary>
public class DeployableDecider : IDecider, IEquatable<DeployableDecider>
{
    /// <summary>For serializers.</summary>
    protected DeployableDecider() { }

    /// <summary>The order of the pairs matters: derived types have to come before their bases.</summary>
    public DeployableDecider(Directive defaultDirective, IEnumerable<KeyValuePair<Type, Directive>> pairs)
        : this(defaultDirective, pairs.ToArray()) { }

    /// <summary>The order of the pairs matters: derived types have to come before their bases.</summary>
    public DeployableDecider(Directive defaultDirective, params KeyValuePair<Type, Directive>[] pairs)
    {
        DefaultDirective = defaultDirective;
        Pairs = pairs;
    }

    /// <summary>For failures that no pair fits.</summary>
    public Directive DefaultDirective { get; private set; }

    /// <summary>In the order in which they are tried.</summary>
    public KeyValuePair<Type, Directive>[] Pairs { get; private set; } = [];

    /// <inheritdoc/>
    public Directive Decide(Exception cause)
    {
        foreach (var pair in Pairs)
        {
            if (pair.Key.IsInstanceOfType(cause))
                return pair.Value;
        }
        return DefaultDirective;
    }

    /// <summary>Compares the default and the pairs in their order.</summary>
    public bool Equals(DeployableDecider other) =>
        other is not null && DefaultDirective == other.DefaultDirective && Pairs.SequenceEqual(other.Pairs);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as DeployableDecider);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(DefaultDirective, Pairs.Length);
}

/// <summary>How an actor deals with the failures of its children.</summary>
public abstract class SupervisorStrategy : ISurrogated
{
    /// <summary>Stops what could not start, was killed or broke a death pact; restarts everything else.</summary>
    public static IDecider DefaultDecider = Actor.Decider.From(
        Directive.Restart,
        new KeyValuePair<Type, Directive>(typeof(ActorInitializationException), Directive.Stop),
        new KeyValuePair<Type, Directive>(typeof(ActorKilledException), Directive.Stop),
        new KeyValuePair<Type, Directive>(typeof(DeathPactException), Directive.Stop)
    );

    /// <summary>Asks the default decider; any number of restarts.</summary>
    public static readonly SupervisorStrategy DefaultStrategy = new OneForOneStrategy(DefaultDecider);

    /// <summary>Stops every child that fails.</summary>
    public static readonly OneForOneStrategy StoppingStrategy = new(_ => Directive.Stop);

    /// <summary>Whether failures are logged.</summary>
    protected bool LoggingEnabled { get; set; } = true;

    /// <summary>Chooses the directive.</summary>
    public abstract IDecider Decider { get; }

    /// <summary>The directive for a child's failure; by default what the decider says.</summary>
    protected abstract Directive Handle(IActorRef child, Exception exception);

    /// <summary>
    /// Restarts or stops, for children that the decision concerns; a restart that the limits forbid is a stop.
    /// </summary>
    public abstract void ProcessFailure(
        IActorContext context,
        bool restart,
        IActorRef child,
        Exception cause,
        ChildRestartStats stats,
        IReadOnlyCollection<ChildRestartStats> children
    );

    /// <summary>Called when a child is gone, after it was taken from the list of children.</summary>
    public abstract void HandleChildTerminated(
        IActorContext actorContext,
        IActorRef child,
        IEnumerable<IInternalActorRef> children
    );

    /// <inheritdoc/>
    public abstract ISurrogate ToSurrogate(ActorSystem system);

    /// <summary>Carries out the decision for a failed child; false passes the failure up.</summary>
    public bool HandleFailure(
        ActorCell actorCell,
        IActorRef child,
        Exception cause,
        ChildRestartStats stats,
        IReadOnlyCollection<ChildRestartStats> children
    )
    {
        var directive = Handle(child, cause);
        switch (directive)
        {
            case Directive.Resume:
                LogFailure(actorCell, child, cause, directive);
                ResumeChild(child, cause);
                return true;
            case Directive.Restart:
                LogFailure(actorCell, child, cause, directive);
                ProcessFailure(actorCell, true, child, cause, stats, children);
                return true;
            case Directive.Stop:
                LogFailure(actorCell, child, cause, directive);
                ProcessFailure(actorCell, false, child, cause, stats, children);
                return true;
            default:
                LogFailure(actorCell, child, cause, directive);
                return false;
        }
    }

    /// <summary>Restarts a child; one that did not fail itself is suspended first.</summary>
    protected void RestartChild(IActorRef child, Exception cause, bool suspendFirst)
    {
        var target = (IInternalActorRef)child;
        if (suspendFirst)
            target.Suspend();
        target.Restart(cause);
    }

    /// <summary>Lets a child go on.</summary>
    protected void ResumeChild(IActorRef child, Exception exception) => ((IInternalActorRef)child).Resume(exception);

    /// <summary>Logs a failure: a warning when the child goes on, an error otherwise.</summary>
    protected virtual void LogFailure(IActorContext context, IActorRef child, Exception cause, Directive directive)
    {
        if (!LoggingEnabled || directive == Directive.Escalate)
            return;
        var message = cause is ActorInitializationException { InnerException: { } inner }
            ? inner.Message
            : cause.Message;
        if (cause is System.Reflection.TargetInvocationException { InnerException: { } target })
            message = target.Message;
        LogEvent entry =
            directive == Directive.Resume
                ? new Warning(child.Path.ToString(), GetType(), message)
                : new Error(cause, child.Path.ToString(), GetType(), message);
        try
        {
            context.System.EventStream.Publish(entry);
        }
        catch (Exception)
        {
            // Supervision goes on even when a logger fails.
        }
    }
}

/// <summary>Makes the strategy of the guardian of user actors.</summary>
public abstract class SupervisorStrategyConfigurator
{
    /// <summary>The strategy.</summary>
    public abstract SupervisorStrategy Create();

    /// <summary>Makes a configurator by the name of its type.</summary>
    public static SupervisorStrategyConfigurator CreateConfigurator(string typeName) =>
        typeName switch
        {
            "Akka.Actor.DefaultSupervisorStrategy" => new DefaultSupervisorStrategy(),
            "Akka.Actor.StoppingSupervisorStrategy" => new StoppingSupervisorStrategy(),
            null => throw new Configuration.ConfigurationException("Could not resolve SupervisorStrategyConfigurator."),
            _ => (SupervisorStrategyConfigurator)
                Activator.CreateInstance(
                    Type.GetType(typeName)
                        ?? throw new Configuration.ConfigurationException(
                            $"Could not resolve SupervisorStrategyConfigurator type {typeName}"
                        )
                ),
        };
}

/// <summary>Gives the default strategy.</summary>
public class DefaultSupervisorStrategy : SupervisorStrategyConfigurator
{
    /// <inheritdoc/>
    public override SupervisorStrategy Create() => SupervisorStrategy.DefaultStrategy;
}

/// <summary>Gives the strategy that stops every child that fails.</summary>
public class StoppingSupervisorStrategy : SupervisorStrategyConfigurator
{
    /// <inheritdoc/>
    public override SupervisorStrategy Create() => SupervisorStrategy.StoppingStrategy;
}
