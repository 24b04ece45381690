using Akka.Actor;
using Iommufd.Messages.Events;

namespace Iommufd.Actors;

/// <summary>
/// Closes a context that was open when its host was killed: appends the events of its close to its stream, as the kernel closes the
/// descriptors of a process that is killed. The state has been restored, and closed, by whoever computed the events.
/// </summary>
public sealed class InterruptedContextActor : UntypedActor
{
    private readonly InterruptedContext _context;
    private readonly Action<JournalFailure>? _failed;
    private IActorRef _journal = ActorRefs.Nobody;
    private bool _isGiven;
    private long _last = long.MaxValue;

    /// <summary>Makes the actor.</summary>
    public InterruptedContextActor(InterruptedContext context, Action<JournalFailure>? failed) =>
        (_context, _failed) = (context, failed);

    /// <summary>How it is made; answers its parent with <see cref="InterruptedContextClosed"/>.</summary>
    public static Props Props(InterruptedContext context, Action<JournalFailure>? failed) =>
        Akka.Actor.Props.Create(() => new InterruptedContextActor(context, failed));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        var id = FormattableString.Invariant($"iommufd-{_context.Number}");
        var failed = _failed;
        _journal = Context.ActorOf(Akka.Actor.Props.Create(() => new JournalActor(id, null, 0, failed)), "journal");
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case JournalStarted started when !_isGiven:
                _isGiven = true;
                _last = started.LastSequence;
                foreach (var change in _context.Closing)
                {
                    _journal.Tell(new AppendEvent(++_last, change));
                }

                EndIfDurable(started.LastSequence);
                break;
            case EventsDurable durable:
                EndIfDurable(durable.Sequence);
                break;
        }
    }

    private void EndIfDurable(long durable)
    {
        if (durable >= _last)
        {
            Context.Parent.Tell(new InterruptedContextClosed(_context.Number));
            Context.Stop(Self);
        }
    }
}

/// <summary>A context that was open when its host was killed.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Closing">The events that close it.</param>
public sealed record InterruptedContext(int Number, IReadOnlyList<ContextEvent> Closing);

/// <summary>Interrupted context → parent: its close is durable.</summary>
/// <param name="Number">Its number.</param>
public sealed record InterruptedContextClosed(int Number);
