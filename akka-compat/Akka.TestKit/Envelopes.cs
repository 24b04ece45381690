using Akka.Actor;
using Akka.Event;

namespace Akka.TestKit;

/// <summary>What a test's assertions come down to.</summary>
public interface ITestKitAssertions
{
    /// <summary>Throws the test framework's own exception; the format is filled in as string.Format does.</summary>
    void Fail(string format = "", params object[] args);

    /// <summary>Fails unless the condition holds.</summary>
    void AssertTrue(bool condition, string format = "", params object[] args);

    /// <summary>Fails if the condition holds.</summary>
    void AssertFalse(bool condition, string format = "", params object[] args);

    /// <summary>Fails unless both are equal; how that is found out is the framework's.</summary>
    void AssertEqual<T>(T expected, T actual, string format = "", params object[] args);

    /// <summary>Fails unless the function says that both are equal.</summary>
    void AssertEqual<T>(T expected, T actual, Func<T, T, bool> comparer, string format = "", params object[] args);
}

/// <summary>A test whose tells do not come from its test actor.</summary>
public interface INoImplicitSender;

/// <summary>A message that reached a test actor, and who sent it.</summary>
public abstract class MessageEnvelope
{
    /// <summary>The message that came.</summary>
    /// <exception cref="IllegalActorStateException">Nothing came.</exception>
    public abstract object Message { get; }

    /// <summary>Who sent it; null when nobody did.</summary>
    /// <exception cref="IllegalActorStateException">Nothing came.</exception>
    public abstract IActorRef Sender { get; }
}

/// <summary>No message.</summary>
public sealed class NullMessageEnvelope : MessageEnvelope
{
    private NullMessageEnvelope() { }

    /// <summary>The only one.</summary>
    public static NullMessageEnvelope Instance { get; } = new();

    /// <inheritdoc/>
    public override object Message => throw new IllegalActorStateException("last receive did not dequeue a message");

    /// <inheritdoc/>
    public override IActorRef Sender => throw new IllegalActorStateException("last receive did not dequeue a message");

    /// <inheritdoc/>
    public override string ToString() => "<null>";
}

/// <summary>A message and its sender.</summary>
public class RealMessageEnvelope(object message, IActorRef sender) : MessageEnvelope
{
    /// <inheritdoc/>
    public override object Message { get; } = message;

    /// <inheritdoc/>
    public override IActorRef Sender { get; } = sender;

    /// <inheritdoc/>
    public override string ToString() => "<" + (Message ?? "null") + "> from " + (Sender?.ToString() ?? "NoSender");
}

/// <summary>Lets a test actor act on what it gets; returns what to do with the next message.</summary>
public abstract class AutoPilot
{
    /// <summary>Returned by a pilot, it ends it.</summary>
    public static NoAutoPilot NoAutoPilot => NoAutoPilot.Instance;

    /// <summary>Returned by a pilot, it keeps it.</summary>
    public static KeepRunning KeepRunning => KeepRunning.Instance;

    /// <summary>
    /// Acts on a message, inside the test actor, before the test sees it; what it returns acts on the next one.
    /// </summary>
    public abstract AutoPilot Run(IActorRef sender, object message);
}

/// <summary>Stops the pilot.</summary>
public sealed class NoAutoPilot : AutoPilot
{
    private NoAutoPilot() { }

    /// <summary>The only one.</summary>
    public static NoAutoPilot Instance { get; } = new();

    /// <inheritdoc/>
    public override AutoPilot Run(IActorRef sender, object message) => this;
}

/// <summary>Goes on with the same pilot.</summary>
public sealed class KeepRunning : AutoPilot
{
    private KeepRunning() { }

    /// <summary>The only one.</summary>
    public static KeepRunning Instance { get; } = new();

    /// <inheritdoc/>
    public override AutoPilot Run(IActorRef sender, object message) =>
        throw new InvalidOperationException("Must not call");
}

/// <summary>A pilot as a function.</summary>
public delegate AutoPilot AutoPilotDelegate(IActorRef sender, object message);

/// <summary>A pilot made of a function.</summary>
public sealed class DelegateAutoPilot(AutoPilotDelegate autoPilotDelegate) : AutoPilot
{
    /// <inheritdoc/>
    public override AutoPilot Run(IActorRef sender, object message) => autoPilotDelegate(sender, message);
}

/// <summary>What can be told to a test actor.</summary>
public static class TestActor
{
    /// <summary>Says which messages are to be overlooked.</summary>
    public delegate bool Ignore(object message);

    /// <summary>Returned by a pilot, it ends it.</summary>
    public static AutoPilot NoAutoPilot => TestKit.NoAutoPilot.Instance;

    /// <summary>Returned by a pilot, it keeps it.</summary>
    public static AutoPilot KeepRunning => TestKit.KeepRunning.Instance;

    /// <summary>Stands for no message.</summary>
    public static NullMessageEnvelope NullMessage => NullMessageEnvelope.Instance;

    /// <summary>Says which messages are to be overlooked from now on; null for none.</summary>
    public class SetIgnore(Ignore ignore) : INoSerializationVerificationNeeded
    {
        /// <summary>The predicate; null overlooks nothing.</summary>
        public Ignore Ignore { get; } = ignore;
    }

    /// <summary>Lets the test actor watch somebody, so that the test can expect the Terminated.</summary>
    public class Watch(IActorRef actorToWatch) : INoSerializationVerificationNeeded
    {
        /// <summary>Who is watched.</summary>
        public IActorRef Actor { get; } = actorToWatch;
    }

    /// <summary>Takes back a <see cref="Watch"/>.</summary>
    public class Unwatch(IActorRef actorToUnwatch) : INoSerializationVerificationNeeded
    {
        /// <summary>Who is no longer watched.</summary>
        public IActorRef Actor { get; } = actorToUnwatch;
    }

    /// <summary>Gives the test actor a pilot, in place of the one it has.</summary>
    public class SetAutoPilot(AutoPilot autoPilot) : INoSerializationVerificationNeeded
    {
        /// <summary>The pilot; null for none.</summary>
        public AutoPilot AutoPilot { get; } = autoPilot;
    }

    /// <summary>Asks for a child, to be answered with its reference.</summary>
    public class Spawn(
        Props props,
        Akka.Util.Option<string> name,
        Akka.Util.Option<SupervisorStrategy> supervisorStrategy
    ) : INoSerializationVerificationNeeded
    {
        /// <summary>What the child is made from.</summary>
        public readonly Props _props = props;

        /// <summary>The name; none for one that is made up.</summary>
        public readonly Akka.Util.Option<string> _name = name;

        /// <summary>How the child's failures are dealt with; none for the default decider.</summary>
        public readonly Akka.Util.Option<SupervisorStrategy> _supervisorStrategy = supervisorStrategy;

        /// <summary>Makes the child; the strategy is the caller's business.</summary>
        public IActorRef Apply(IActorRefFactory context) => context.ActorOf(_props, _name.GetOrElse(null));
    }
}

/// <summary>The actor behind a test kit: what it gets is what the test expects.</summary>
internal sealed class InternalTestActor(EnvelopeQueue queue) : ActorBase
{
    private readonly ForChildren _strategy = new();
    private TestActor.Ignore _ignore;
    private AutoPilot _pilot;

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case TestActor.SetIgnore set:
                _ignore = set.Ignore;
                return true;
            case TestActor.Watch watch:
                Context.Watch(watch.Actor);
                return true;
            case TestActor.Unwatch unwatch:
                Context.Unwatch(unwatch.Actor);
                return true;
            case TestActor.SetAutoPilot set:
                _pilot = set.AutoPilot;
                return true;
            case TestActor.Spawn spawn:
                var child = spawn.Apply(Context);
                if (spawn._supervisorStrategy.HasValue)
                    _strategy.Set(child, spawn._supervisorStrategy.Value);
                Sender.Tell(child);
                return true;
        }
        var sender = ActorCell.GetCurrentSenderOrNoSender();
        if (_pilot is not null)
        {
            var next = _pilot.Run(sender, message);
            if (next is not KeepRunning)
                _pilot = next;
        }
        if (_ignore is null || !_ignore(message))
            queue.Add(new RealMessageEnvelope(message, sender));
        return true;
    }

    protected override void PostStop()
    {
        foreach (var envelope in queue.TakeAll())
            Context.System.DeadLetters.Tell(
                new DeadLetter(envelope.Message, envelope.Sender ?? Context.System.DeadLetters, Self),
                envelope.Sender
            );
    }

    protected override SupervisorStrategy SupervisorStrategy() => _strategy;

    /// <summary>A strategy of its own for each child that was given one.</summary>
    private sealed class ForChildren() : OneForOneStrategy(DefaultDecider)
    {
        private readonly Dictionary<IActorRef, SupervisorStrategy> _of = [];

        internal void Set(IActorRef child, SupervisorStrategy strategy) => _of[child] = strategy;

        protected override Directive Handle(IActorRef child, Exception exception) =>
            _of.TryGetValue(child, out var strategy)
                ? strategy.Decider.Decide(exception)
                : base.Handle(child, exception);

        public override void ProcessFailure(
            IActorContext context,
            bool restart,
            IActorRef child,
            Exception cause,
            ChildRestartStats stats,
            IReadOnlyCollection<ChildRestartStats> children
        )
        {
            if (_of.TryGetValue(child, out var strategy))
                strategy.ProcessFailure(context, restart, child, cause, stats, children);
            else
                base.ProcessFailure(context, restart, child, cause, stats, children);
        }
    }
}
