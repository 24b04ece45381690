using Iommufd.Messages;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>The first event at which a run differs from the one that wrote a journal.</summary>
/// <param name="Stream">The context's stream.</param>
/// <param name="SequenceNr">The event's number in it.</param>
/// <param name="Recorded">What the journal has; null when it has nothing there and should.</param>
/// <param name="Found">What the run did; null when it did nothing more.</param>
public sealed record EventDifference(string Stream, long SequenceNr, ContextEvent? Recorded, ContextEvent? Found)
{
    /// <summary>In one sentence.</summary>
    public string Describe() =>
        FormattableString.Invariant(
            $"event {SequenceNr} of {Stream}: the journal has {EventText.Of(Recorded)}, executed again it is {EventText.Of(Found)}"
        );
}

/// <summary>
/// The events of a journal as an oracle for a run that is executed again: each event of a context is compared with the one that was
/// recorded under its number. Events behind the last recorded one are new. For runs on one thread.
/// </summary>
public sealed class RecordedEvents : IJournalWitness, IDisposable
{
    private readonly JournalFile _journal;
    private readonly Action<EventDifference> _differs;
    private readonly bool _isComplete;

    /// <summary>Compares with a journal; it may be written to meanwhile.</summary>
    /// <param name="path">The journal.</param>
    /// <param name="differs">Called for each event that differs.</param>
    /// <param name="isComplete">Whether the run in the journal has ended, so that one event more is a difference.</param>
    /// <exception cref="JournalFormatException">It cannot be read.</exception>
    public RecordedEvents(string path, Action<EventDifference> differs, bool isComplete = false)
    {
        _isComplete = isComplete;
        _journal = JournalFile.Open(path);
        _differs = differs;
        Left = _journal.Count();
    }

    /// <summary>Raised when the last recorded event has come again.</summary>
    public event Action? AllCame;

    /// <summary>Recorded events that have not come again.</summary>
    public long Left { get; private set; }

    /// <inheritdoc/>
    public void Recorded(int context, long sequence, ContextEvent change)
    {
        if (Left == 0 && !_isComplete)
        {
            return;
        }

        var stream = FormattableString.Invariant($"iommufd-{context}");
        if (_journal.ReadOne(stream, sequence) is not { } recorded)
        {
            if (_isComplete)
            {
                _differs(new EventDifference(stream, sequence, null, change));
            }

            return;
        }

        Left--;
        if (!recorded.AsSpan().SequenceEqual(EventPayload.ToBytes(change)))
        {
            _differs(new EventDifference(stream, sequence, EventPayload.FromBytes(recorded), change));
        }
        else if (Left == 0)
        {
            AllCame?.Invoke();
        }
    }

    /// <inheritdoc/>
    public void Replied(int context, long sequence, long tag, Errno errno) { }

    /// <inheritdoc/>
    public void Dispose() => _journal.Dispose();
}
