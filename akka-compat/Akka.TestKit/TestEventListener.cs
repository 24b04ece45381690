using Akka.Actor;
using Akka.Event;
using Akka.TestKit.TestEvent;

namespace Akka.TestKit;

/// <summary>The logger of tests: writes what no filter has muted; dead and unhandled messages become warnings.</summary>
public class TestEventListener : DefaultLogger
{
    private readonly List<IEventFilter> _filters = [];

    /// <inheritdoc/>
    protected override bool Receive(object message)
    {
        switch (message)
        {
            case InitializeLogger init:
                foreach (
                    var kind in (Type[])[typeof(Mute), typeof(Unmute), typeof(DeadLetter), typeof(UnhandledMessage)]
                )
                    init.LoggingBus.Subscribe(Self, kind);
                return base.Receive(message);
            case Mute mute:
                _filters.AddRange(mute.Filters);
                return true;
            case Unmute unmute:
                foreach (var filter in unmute.Filters)
                    _filters.Remove(filter);
                return true;
            case LogEvent entry:
                if (!ShouldFilter(entry))
                    Print(entry);
                return true;
            case UnhandledMessage unhandled:
                Unhandled(unhandled);
                return true;
            case DeadLetter letter:
                Dead(letter);
                return true;
            default:
                return false;
        }
    }

    private void Unhandled(UnhandledMessage unhandled)
    {
        var recipient = unhandled.Recipient;
        var entry = new Warning(
            recipient.Path.ToString(),
            recipient.GetType(),
            "unhandled message from " + unhandled.Sender + ": " + unhandled.Message
        );
        if (!ShouldFilter(entry))
            Print(entry);
    }

    private void Dead(DeadLetter letter)
    {
        var recipient = letter.Recipient;
        if (ShouldFilter(new Warning(recipient.Path.ToString(), recipient.GetType(), letter)))
            return;
        Print(
            new Warning(
                recipient.Path.ToString(),
                recipient.GetType(),
                $"received dead letter from {letter.Sender}: {letter.Message}"
            )
        );
    }

    private bool ShouldFilter(LogEvent entry)
    {
        foreach (var filter in _filters.ToArray())
        {
            if (Applies(filter, entry))
                return true;
        }
        return false;
    }

    private static bool Applies(IEventFilter filter, LogEvent entry)
    {
        try
        {
            return filter.Apply(entry);
        }
        catch (Exception)
        {
            return false;
        }
    }
}
