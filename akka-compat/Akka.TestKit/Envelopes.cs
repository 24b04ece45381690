using Akka.Actor;
using Akka.Event;

namespace Akka.TestKit;

/// <summary>What a test's assertions come down to.</summary>
public interface ITestKitAssertions
{
    void Fail(string format = "", params object[] args);
    void AssertTrue(bool condition, string format = "", params object[] args);
    void AssertFalse(bool condition, string format = "", params object[] args);
    void AssertEqual<T>(T expected, T actual, string format = "", params object[] args);
    void AssertEqual<T>(T expected, T actual, Func<T, T, bool> comparer, string format = "", params object[] args);
}

/// <summary>A test whose tells do not come from its test actor.</summary>
public interface INoImplicitSender;

/// <summary>A message that reached a test actor, and who sent it.</summary>
public abstract class MessageEnvelope
{
    public abstract object Message { get; }
    public abstract IActorRef Sender { get; }
}

/// <summary>No message.</summary>
public sealed class NullMessageEnvelope : MessageEnvelope
{
    private NullMessageEnvelope() { }

    public static NullMessageEnvelope Instance { get; } = new();

    public override object Message => throw new IllegalActorStateException("last receive did not dequeue a message");
    public override IActorRef Sender => throw new IllegalActorStateException("last receive did not dequeue a message");

    public override string ToString() => "<null>";
}

/// <summary>A message and its sender.</summary>
public class RealMessageEnvelope(object message, IActorRef sender) : MessageEnvelope
{
    public override object Message { get; } = message;
    public override IActorRef Sender { get; } = sender;

    public override string ToString() => "<" + (Message ?? "null") + "> from " + (Sender?.ToString() ?? "NoSender");
}

/// <summary>Lets a test actor act on what it gets; returns what to do with the next message.</summary>
public abstract class AutoPilot
{
    public static NoAutoPilot NoAutoPilot => NoAutoPilot.Instance;
    public static KeepRunning KeepRunning => KeepRunning.Instance;

    public abstract AutoPilot Run(IActorRef sender, object message);
}

/// <summary>Stops the pilot.</summary>
public sealed class NoAutoPilot : AutoPilot
{
    private NoAutoPilot() { }

    public static NoAutoPilot Instance { get; } = new();

    public override AutoPilot Run(IActorRef sender, object message) => this;
}

/// <summary>Goes on with the same pilot.</summary>
public sealed class KeepRunning : AutoPilot
{
    private KeepRunning() { }

    public static KeepRunning Instance { get; } = new();

    public override AutoPilot Run(IActorRef sender, object message) =>
        throw new InvalidOperationException("Must not call");
}

/// <summary>A pilot as a function.</summary>
public delegate AutoPilot AutoPilotDelegate(IActorRef sender, object message);

/// <summary>A pilot made of a function.</summary>
public sealed class DelegateAutoPilot(AutoPilotDelegate autoPilotDelegate) : AutoPilot
{
    public override AutoPilot Run(IActorRef sender, object message) => autoPilotDelegate(sender, message);
}

/// <summary>What can be told to a test actor.</summary>
public static class TestActor
{
    /// <summary>Says which messages are to be overlooked.</summary>
    public delegate bool Ignore(object message);

    public static AutoPilot NoAutoPilot => TestKit.NoAutoPilot.Instance;
    public static AutoPilot KeepRunning => TestKit.KeepRunning.Instance;
    public static NullMessageEnvelope NullMessage => NullMessageEnvelope.Instance;

    public class SetIgnore(Ignore ignore) : INoSerializationVerificationNeeded
    {
        public Ignore Ignore { get; } = ignore;
    }

    public class Watch(IActorRef actorToWatch) : INoSerializationVerificationNeeded
    {
        public IActorRef Actor { get; } = actorToWatch;
    }

    public class Unwatch(IActorRef actorToUnwatch) : INoSerializationVerificationNeeded
    {
        public IActorRef Actor { get; } = actorToUnwatch;
    }

    public class SetAutoPilot(AutoPilot autoPilot) : INoSerializationVerificationNeeded
    {
        public AutoPilot AutoPilot { get; } = autoPilot;
    }

    /// <summary>Asks for a child, to be answered with its reference.</summary>
    public class Spawn(
        Props props,
        Akka.Util.Option<string> name,
        Akka.Util.Option<SupervisorStrategy> supervisorStrategy
    ) : INoSerializationVerificationNeeded
    {
        public readonly Props _props = props;
        public readonly Akka.Util.Option<string> _name = name;
        public readonly Akka.Util.Option<SupervisorStrategy> _supervisorStrategy = supervisorStrategy;

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
