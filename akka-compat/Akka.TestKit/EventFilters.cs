using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.Event;

namespace Akka.TestKit
{
    /// <summary>Says whether it wants a log event.</summary>
    public interface IEventFilter
    {
        /// <summary>Whether the event is one of those; called by the logger's actor.</summary>
        bool Apply(LogEvent logEvent);
    }
}

namespace Akka.TestKit.TestEvent
{
    /// <summary>Keeps the events that filters match out of the log.</summary>
    public sealed class Mute : INoSerializationVerificationNeeded
    {
        /// <summary>Adds filters to those of the listener.</summary>
        public Mute(params Internal.EventFilterBase[] filters)
        {
            Filters = filters;
        }

        /// <summary>Adds filters to those of the listener.</summary>
        public Mute(IReadOnlyCollection<Internal.EventFilterBase> filters)
        {
            Filters = filters;
        }

        /// <summary>The filters to add.</summary>
        public IReadOnlyCollection<Internal.EventFilterBase> Filters { get; }
    }

    /// <summary>Takes filters back.</summary>
    public sealed class Unmute : INoSerializationVerificationNeeded
    {
        /// <summary>Takes filters out that are the same objects.</summary>
        public Unmute(params Internal.EventFilterBase[] filters)
        {
            Filters = filters;
        }

        /// <summary>Takes filters out that are the same objects.</summary>
        public Unmute(IReadOnlyCollection<Internal.EventFilterBase> filters)
        {
            Filters = filters;
        }

        /// <summary>The filters to take out.</summary>
        public IReadOnlyCollection<Internal.EventFilterBase> Filters { get; }
    }
}

namespace Akka.TestKit.Internal
{
    /// <summary>Says whether it wants a text.</summary>
    public interface IStringMatcher
    {
        /// <summary>Whether the text is one of those; null counts as empty.</summary>
        bool IsMatch(string s);
    }

    internal sealed class TextMatcher(string description, Predicate<string> matches) : IStringMatcher
    {
        internal static readonly TextMatcher Any = new("", _ => true);

        /// <inheritdoc/>
        public bool IsMatch(string s) => matches(s ?? "");

        public override string ToString() => description;

        internal static IStringMatcher Of(Regex pattern) =>
            new TextMatcher("matches regex \"" + pattern + "\"", pattern.IsMatch);

        internal static IStringMatcher Of(string message, string start, string contains)
        {
            if (message is not null)
                return new TextMatcher(
                    "== \"" + message + "\"",
                    s => string.Equals(message, s, StringComparison.OrdinalIgnoreCase)
                );
            if (start is not null)
                return new TextMatcher(
                    "starts with \"" + start + "\"",
                    s => s.StartsWith(start, StringComparison.OrdinalIgnoreCase)
                );
            return contains is null
                ? Any
                : new TextMatcher(
                    "contains \"" + contains + "\"",
                    s => s.Contains(contains, StringComparison.OrdinalIgnoreCase)
                );
        }

        /// <summary>A source may be given as a whole address or as a path without one.</summary>
        internal static IStringMatcher OfSource(string source)
        {
            if (source is null)
                return null;
            var path = ActorPath.TryParse(source, out var parsed) ? parsed.ToStringWithoutAddress() : null;
            return new TextMatcher(
                "== \"" + source + "\"",
                s =>
                    string.Equals(source, s, StringComparison.OrdinalIgnoreCase)
                    || (
                        ActorPath.TryParse(s, out var p)
                        && string.Equals(path ?? source, p.ToStringWithoutAddress(), StringComparison.OrdinalIgnoreCase)
                    )
            );
        }
    }

    /// <summary>What event filters share: matching a message and a source, and telling of a match.</summary>
    public abstract class EventFilterBase : IEventFilter
    {
        private readonly IStringMatcher _message;
        private readonly IStringMatcher _source;

        /// <summary>A null matcher matches anything; a null source too.</summary>
        protected EventFilterBase(IStringMatcher messageMatcher, IStringMatcher sourceMatcher)
        {
            _message = messageMatcher ?? TextMatcher.Any;
            _source = sourceMatcher;
        }

        /// <summary>Raised for every event that matched.</summary>
        public event Action<EventFilterBase, LogEvent> EventMatched;

        /// <inheritdoc/>
        public bool Apply(LogEvent logEvent)
        {
            if (!IsMatch(logEvent))
                return false;
            EventMatched?.Invoke(this, logEvent);
            return true;
        }

        /// <summary>Whether the event is one of those.</summary>
        protected abstract bool IsMatch(LogEvent evt);

        /// <summary>Whether source and message match.</summary>
        protected bool InternalDoMatch(string src, object msg) =>
            (_source is null || _source.IsMatch(src)) && _message.IsMatch(msg?.ToString() ?? "null");

        /// <summary>The name in failures of tests: what the filter looks for.</summary>
        protected abstract string FilterDescriptiveName { get; }

        /// <inheritdoc/>
        public override string ToString() =>
            FilterDescriptiveName
            + (ReferenceEquals(_message, TextMatcher.Any) ? "" : " when Message " + _message)
            + (_source is null ? "" : " and Source " + _source);
    }

    internal sealed class LevelFilter(LogLevel level, IStringMatcher message, IStringMatcher source)
        : EventFilterBase(message, source)
    {
        protected override string FilterDescriptiveName => level.ClassFor().Name;

        protected override bool IsMatch(LogEvent evt) =>
            evt.LogLevel() == level && InternalDoMatch(evt.LogSource, evt.Message);
    }

    internal sealed class ExceptionFilter(Type type, IStringMatcher message, IStringMatcher source, bool inner)
        : EventFilterBase(null, source)
    {
        private readonly IStringMatcher _text = message;
        private readonly IStringMatcher _source = source;

        protected override string FilterDescriptiveName => $"Error with Cause <{type}> {_text}";

        protected override bool IsMatch(LogEvent evt)
        {
            if (evt is not Error error || (_source is not null && !_source.IsMatch(evt.LogSource)))
                return false;
            for (var cause = error.Cause; cause is not null; cause = inner ? cause.InnerException : null)
            {
                if (!type.IsInstanceOfType(cause))
                    continue;
                if (
                    _text is null
                    || ReferenceEquals(_text, TextMatcher.Any)
                    || _text.IsMatch(evt.Message?.ToString())
                    || _text.IsMatch(cause.Message)
                )
                    return true;
            }
            return false;
        }
    }

    internal sealed class DeadLettersFilter(IStringMatcher source, Predicate<AllDeadLetters> matches)
        : EventFilterBase(null, source)
    {
        protected override string FilterDescriptiveName => "DeadLetter";

        protected override bool IsMatch(LogEvent evt) =>
            evt is Warning
            && evt.Message is AllDeadLetters letter and not UnhandledMessage
            && matches(letter)
            && InternalDoMatch(evt.LogSource, null);
    }

    internal sealed class CustomFilter(Predicate<LogEvent> matches) : EventFilterBase(null, null)
    {
        protected override string FilterDescriptiveName => "Custom";

        protected override bool IsMatch(LogEvent evt) => matches(evt);
    }
}
