using Akka.Actor;
using Xunit;

namespace Akka.Persistence.Tests.Support;

/// <summary>An event.</summary>
public sealed record Added(long Amount, string Note = "");

/// <summary>A snapshot.</summary>
public sealed record Total(long Sum);

/// <summary>A command.</summary>
public sealed record Add(long Amount);

/// <summary>Commands without content.</summary>
public enum Ask
{
    Sum,
    Snapshot,
    Fail,
    Stop,
}

/// <summary>Adds up; tells its observer what it recovers.</summary>
public sealed class CounterActor : ReceivePersistentActor
{
    private readonly IActorRef _observer;
    private long _sum;

    public CounterActor(string id, IActorRef observer, Recovery? recovery = null)
    {
        PersistenceId = id;
        Recovery = recovery ?? Recovery.Default;
        _observer = observer;
        Recover<SnapshotOffer>(offer =>
        {
            _sum = ((Total)offer.Snapshot).Sum;
            observer.Tell($"snapshot {_sum}");
        });
        Recover<Added>(e => _sum += e.Amount);
        Recover<RecoveryCompleted>(_ => observer.Tell($"recovered {_sum} at {LastSequenceNr}"));
        Command<Add>(c =>
            Persist(
                new Added(c.Amount),
                e =>
                {
                    _sum += e.Amount;
                    Sender.Tell(_sum);
                }
            )
        );
        Command<Ask>(Answer);
        Command<SaveSnapshotSuccess>(m => observer.Tell(m));
        Command<SaveSnapshotFailure>(m => observer.Tell(m));
        Command<DeleteMessagesSuccess>(m => observer.Tell(m));
        Command<DeleteMessagesFailure>(m => observer.Tell(m));
        Command<long>(DeleteMessages);
    }

    public override string PersistenceId { get; }

    public override Recovery Recovery { get; }

    private void Answer(Ask ask)
    {
        switch (ask)
        {
            case Ask.Sum:
                Sender.Tell(_sum);
                break;
            case Ask.Snapshot:
                SaveSnapshot(new Total(_sum));
                break;
            case Ask.Fail:
                throw new InvalidOperationException("asked to fail");
            default:
                Context.Stop(Self);
                break;
        }
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) =>
        _observer.Tell(new PersistFailed(cause.Message, sequenceNr));

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr) =>
        _observer.Tell(new PersistRejected(cause.Message, sequenceNr));

    protected override void OnRecoveryFailure(Exception reason, object? message = null) =>
        _observer.Tell(new RecoveryFailed(reason.Message));

    protected override void PostStop()
    {
        _observer.Tell("stopped");
        base.PostStop();
    }
}

public sealed record PersistFailed(string Message, long SequenceNr);

public sealed record PersistRejected(string Message, long SequenceNr);

public sealed record RecoveryFailed(string Message);
