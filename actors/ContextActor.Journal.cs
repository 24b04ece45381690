using Akka.Actor;
using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Events;

namespace Iommufd.Actors;

public sealed partial class ContextActor
{
    /// <summary>How long a context waits before it starts a writer again whose write failed: a full disk needs time.</summary>
    public static readonly TimeSpan JournalPause = TimeSpan.FromMilliseconds(10);

    private void OpenJournal()
    {
        if (!_room.Options.Journal)
        {
            return;
        }

        var id = FormattableString.Invariant($"{_room.Options.PersistencePrefix}{_room.Number}");
        var faults = _room.Options.Faults;
        var number = _room.Number;
        var failed = _room.Options.JournalFailed;
        _room.Journal = Context.ActorOf(Props.Create(() => new JournalActor(id, faults, number, failed)), "journal");
        Context.Watch(_room.Journal);
    }

    /// <summary>Gives an event to the journal, in the order in which things completed.</summary>
    private void Record(ContextEvent change)
    {
        if (_room.Journal is not { } journal)
        {
            return;
        }

        _room.LastSequence++;
        _room.Unwritten.Enqueue((_room.LastSequence, change));
        _room.Options.Lag?.Add(1);
        foreach (var witness in _room.Options.Witnesses)
        {
            witness.Recorded(_room.Number, _room.LastSequence, change);
        }

        journal.Tell(new AppendEvent(_room.LastSequence, change));
    }

    /// <summary>A result leaves only when its event, and every earlier one, is durable.</summary>
    private void ReleaseWhenDurable(Flow flow)
    {
        if (_room.DurableSequence >= _room.LastSequence)
        {
            Release(flow, _room.LastSequence);
        }
        else
        {
            _room.Outbox.Enqueue((_room.LastSequence, flow));
        }
    }

    private bool OnJournal(object message)
    {
        switch (message)
        {
            case EventsDurable durable:
                Durable(durable.Sequence);
                return true;
            case JournalStarted started:
                // After a restart of the journal: what it has is durable, the rest is given to it again.
                if (started.LastSequence > 0)
                {
                    _room.Options.Faults?.Saw(Sights.JournalReopened);
                }

                Durable(started.LastSequence);
                foreach (var (sequence, change) in _room.Unwritten)
                {
                    _room.Journal!.Tell(new AppendEvent(sequence, change));
                }

                return true;
            case Terminated ended when ended.ActorRef.Equals(_room.Journal):
                // A write failed. What was not written is still here; results wait until another writer has it.
                Context.System.Scheduler.ScheduleTellOnce(JournalPause, Self, ReopenJournal.Instance, Self);
                return true;
            case ReopenJournal:
                OpenJournal();
                return true;
            default:
                return false;
        }
    }

    private sealed class ReopenJournal
    {
        public static readonly ReopenJournal Instance = new();
    }

    private void Durable(long sequence)
    {
        _room.DurableSequence = Math.Max(_room.DurableSequence, sequence);
        while (_room.Unwritten.TryPeek(out var written) && written.Sequence <= _room.DurableSequence)
        {
            _room.Unwritten.Dequeue();
            _room.Options.Lag?.Add(-1);
            _room.Options.Recorded?.Invoke(_room.Number, written.Sequence, written.Event);
        }

        while (_room.Outbox.TryPeek(out var waiting) && waiting.Sequence <= _room.DurableSequence)
        {
            _room.Outbox.Dequeue();
            Release(waiting.Flow, waiting.Sequence);
        }
    }

    private void Witness(long sequence, long tag, Errno errno)
    {
        foreach (var witness in _room.Options.Witnesses)
        {
            witness.Replied(_room.Number, sequence, tag, errno);
        }
    }
}
