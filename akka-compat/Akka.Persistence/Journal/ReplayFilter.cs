using Akka.Actor;
using Akka.Event;
using Akka.Pattern;

namespace Akka.Persistence.Journal;

/// <summary>What to do with events that two writers wrote at the same time.</summary>
public enum ReplayFilterMode
{
    /// <summary>The recovery fails.</summary>
    Fail = 0,

    /// <summary>All events are passed on, with a warning.</summary>
    Warn = 1,

    /// <summary>Events of the earlier writer are left out from where the later one begins, with a warning.</summary>
    RepairByDiscardOld = 2,

    /// <summary>Nothing is looked for.</summary>
    Disabled = 3,
}

/// <summary>
/// Stands between a journal and a recovering actor and looks for events of two writers that overlap, within a window:
/// the mark of two incarnations that were alive at the same time.
/// </summary>
public class ReplayFilter : ActorBase
{
    private readonly Queue<ReplayedMessage> _window = new();
    private readonly Queue<string> _oldWriters = new();
    private ILoggingAdapter _log;
    private string _writer = string.Empty;
    private long _lastSequenceNr;
    private bool _failed;

    /// <summary>The numbers are not checked here; <see cref="Props"/> does.</summary>
    public ReplayFilter(
        IActorRef persistentActor,
        ReplayFilterMode mode,
        int windowSize,
        int maxOldWriters,
        bool debugEnabled
    )
    {
        PersistentActor = persistentActor;
        Mode = mode;
        WindowSize = windowSize;
        MaxOldWriters = maxOldWriters;
        DebugEnabled = debugEnabled;
    }

    /// <summary>Who recovers.</summary>
    public IActorRef PersistentActor { get; }

    /// <summary>What to do with an overlap.</summary>
    public ReplayFilterMode Mode { get; }

    /// <summary>How many events are held back, and so looked at together.</summary>
    public int WindowSize { get; }

    /// <summary>How many earlier writers are remembered.</summary>
    public int MaxOldWriters { get; }

    /// <summary>Whether each event is logged at debug level.</summary>
    public bool DebugEnabled { get; }

    private ILoggingAdapter Log => _log ??= Context.GetLogger();

    /// <summary>A filter for one recovery.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the mode is Disabled.</exception>
    public static Props Props(
        IActorRef persistentActor,
        ReplayFilterMode mode,
        int windowSize,
        int maxOldWriters,
        bool debugEnabled
    )
    {
        if (windowSize <= 0)
            throw new ArgumentException("windowSize must be > 0", nameof(windowSize));
        if (maxOldWriters <= 0)
            throw new ArgumentException("maxOldWriters must be > 0", nameof(maxOldWriters));
        if (mode == ReplayFilterMode.Disabled)
            throw new ArgumentException("mode must not be Disabled", nameof(mode));
        return new Props(typeof(ReplayFilter), [persistentActor, mode, windowSize, maxOldWriters, debugEnabled]);
    }

    /// <inheritdoc/>
    protected override bool Receive(object message)
    {
        switch (message)
        {
            case ReplayedMessage replayed:
                if (!_failed)
                    OnReplayed(replayed);
                return true;
            case RecoverySuccess or ReplayMessagesFailure:
                if (!_failed)
                {
                    while (_window.TryDequeue(out var waiting))
                        PersistentActor.Tell(waiting, ActorRefs.NoSender);
                    PersistentActor.Tell(message, ActorRefs.NoSender);
                }
                Context.Stop(Self);
                return true;
            default:
                return false;
        }
    }

    private void OnReplayed(ReplayedMessage replayed)
    {
        var persistent = replayed.Persistent;
        if (DebugEnabled && Log.IsDebugEnabled)
            Log.Debug("Replay: {0}", persistent);
        if (_window.Count == WindowSize)
            PersistentActor.Tell(_window.Dequeue(), ActorRefs.NoSender);

        if (string.Equals(persistent.WriterGuid, _writer, StringComparison.Ordinal))
        {
            if (persistent.SequenceNr < _lastSequenceNr)
            {
                if (Keep($"in wrong order from writer [{persistent.WriterGuid}]", persistent))
                    _window.Enqueue(replayed);
                return;
            }
        }
        else if (_oldWriters.Contains(persistent.WriterGuid, StringComparer.Ordinal))
        {
            if (Keep($"from old writer [{persistent.WriterGuid}] which was replaced by [{_writer}]", persistent))
                _window.Enqueue(replayed);
            return;
        }
        else
        {
            BeginWriter(persistent);
        }
        if (_failed)
            return;
        _lastSequenceNr = persistent.SequenceNr;
        _window.Enqueue(replayed);
    }

    /// <summary>A writer not seen before: events of earlier ones with the same or later numbers are the overlap.</summary>
    private void BeginWriter(IPersistentRepresentation first)
    {
        if (_writer.Length > 0)
            _oldWriters.Enqueue(_writer);
        if (_oldWriters.Count > MaxOldWriters)
            _oldWriters.Dequeue();
        _writer = first.WriterGuid;
        for (var left = _window.Count; left > 0 && !_failed; left--)
        {
            var waiting = _window.Dequeue();
            var overlaps = waiting.Persistent.SequenceNr >= first.SequenceNr;
            if (
                !overlaps
                || Keep($"(buffered), replaced by an event of new writer [{first.WriterGuid}]", waiting.Persistent)
            )
                _window.Enqueue(waiting);
        }
    }

    /// <summary>Reports an event that should not be there and says whether it is passed on.</summary>
    private bool Keep(string how, IPersistentRepresentation persistent)
    {
        var report =
            $"Invalid replayed event [{Mode}] {how}: sequenceNr [{persistent.SequenceNr}], "
            + $"persistenceId [{persistent.PersistenceId}]. Perhaps events were written by two actors with the same persistenceId at the same time.";
        switch (Mode)
        {
            case ReplayFilterMode.RepairByDiscardOld:
                Log.Warning(report);
                return false;
            case ReplayFilterMode.Warn:
                Log.Warning(report);
                return true;
            default:
                Log.Error(report);
                _failed = true;
                _window.Clear();
                PersistentActor.Tell(new ReplayMessagesFailure(new IllegalStateException(report)), ActorRefs.NoSender);
                return false;
        }
    }
}
