using Akka.Dispatch;

namespace Akka.Actor;

/// <summary>Something to do at a point of time, measured in ticks of the queue's own clock.</summary>
internal sealed class TimerEntry
{
    internal long Due;
    internal long Sequence;

    /// <summary>Ticks between repetitions; zero for once.</summary>
    internal long Interval;

    internal ICanTell Receiver;
    internal object Message;
    internal IActorRef Sender;
    internal Action Action;
    internal IRunnable Runnable;
    internal ICancelable Cancelable;

    internal bool IsCancelled => Cancelable is { IsCancellationRequested: true };

    internal void Fire()
    {
        if (Receiver is not null)
            Receiver.Tell(Message, Sender);
        else if (Action is not null)
            Action();
        else
            Runnable.Run();
    }
}

/// <summary>Timers in order of their due time, and of their making when that is equal. Takes no lock.</summary>
internal sealed class TimerQueue
{
    private readonly PriorityQueue<TimerEntry, (long Due, long Sequence)> _queue = new();
    private long _nextSequence;
    private int _sweepAt = 1024;

    internal int Count => _queue.Count;

    internal void Add(TimerEntry entry)
    {
        entry.Sequence = _nextSequence++;
        _queue.Enqueue(entry, (entry.Due, entry.Sequence));
        if (_queue.Count > _sweepAt)
            Sweep();
    }

    /// <summary>The due time of the next live timer.</summary>
    internal bool TryPeekDue(out long due)
    {
        while (_queue.TryPeek(out var entry, out var key))
        {
            if (entry.IsCancelled)
            {
                _queue.Dequeue();
                continue;
            }
            due = key.Due;
            return true;
        }
        due = long.MaxValue;
        return false;
    }

    /// <summary>Takes the next live timer that is due by then; a repeating one is put back for its next time.</summary>
    internal bool TryTake(long now, out TimerEntry entry)
    {
        entry = null;
        if (!TryPeekDue(out var due) || due > now)
            return false;
        entry = _queue.Dequeue();
        if (entry.Interval > 0)
        {
            entry.Due += entry.Interval;
            entry.Sequence = _nextSequence++;
            _queue.Enqueue(entry, (entry.Due, entry.Sequence));
        }
        return true;
    }

    /// <summary>Drops cancelled timers: one that is cancelled long before its time would otherwise be kept till then.</summary>
    private void Sweep()
    {
        var live = _queue.UnorderedItems.Where(i => !i.Element.IsCancelled).ToArray();
        _queue.Clear();
        foreach (var (element, priority) in live)
            _queue.Enqueue(element, priority);
        _sweepAt = Math.Max(1024, _queue.Count * 2);
    }
}
