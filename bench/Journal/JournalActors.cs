using Akka.Actor;
using Akka.Persistence;

namespace Iommufd.Bench.Journal;

/// <summary>To the writer: this many events, in this way; it answers <see cref="Written"/> when the last is handled.</summary>
internal sealed record WriteEvents(int Count, WriteStyle Style);

/// <summary>From the writer: all of them are in the journal.</summary>
internal sealed record Written(long LastSequenceNr);

/// <summary>How a writer hands over its events.</summary>
internal enum WriteStyle
{
    /// <summary>The next only after the last is stored.</summary>
    OneByOne,

    /// <summary>All in one atomic write.</summary>
    Together,

    /// <summary>One by one without waiting.</summary>
    Pipelined,
}

/// <summary>Writes sample events and counts those that it gets back when it recovers.</summary>
internal sealed class WriterActor : ReceivePersistentActor
{
    private readonly IActorRef _observer;
    private IActorRef _asker = ActorRefs.Nobody;
    private int _left;
    private long _number;
    private long _replayed;

    public WriterActor(string id, IActorRef observer)
    {
        PersistenceId = id;
        _observer = observer;
        Recover<SampleEvent>(_ => _replayed++);
        Recover<RecoveryCompleted>(_ => _observer.Tell(new Written(_replayed)));
        Command<WriteEvents>(Write);
    }

    public override string PersistenceId { get; }

    private void Write(WriteEvents command)
    {
        _asker = Sender;
        _left = command.Count;
        switch (command.Style)
        {
            case WriteStyle.OneByOne:
                PersistNext();
                break;
            case WriteStyle.Together:
                PersistAll(Enumerable.Range(0, command.Count).Select(_ => SampleEvent.Numbered(_number++)), OnStored);
                break;
            default:
                for (var i = 0; i < command.Count; i++)
                {
                    PersistAsync(SampleEvent.Numbered(_number++), OnStored);
                }

                break;
        }
    }

    private void PersistNext() =>
        Persist(
            SampleEvent.Numbered(_number++),
            stored =>
            {
                OnStored(stored);
                if (_left > 0)
                {
                    PersistNext();
                }
            }
        );

    private void OnStored(SampleEvent stored)
    {
        if (--_left == 0)
        {
            _asker.Tell(new Written(LastSequenceNr));
        }
    }
}

/// <summary>Waits for a number of <see cref="Written"/> messages and completes a task with their sum.</summary>
internal sealed class Collector : ReceiveActor
{
    public Collector(int expected, TaskCompletionSource<long> done)
    {
        var left = expected;
        var sum = 0L;
        Receive<Written>(w =>
        {
            sum += w.LastSequenceNr;
            if (--left == 0)
            {
                done.SetResult(sum);
            }
        });
    }
}
