using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Dispatch;

namespace Akka.Event;

/// <summary>A queue fit for a logger.</summary>
public interface ILoggerMessageQueueSemantics : ISemantics;

/// <summary>Tells a logger to get ready; it answers LoggerInitialized.</summary>
public class InitializeLogger(LoggingBus loggingBus) : INoSerializationVerificationNeeded
{
    /// <summary>Where the events come from.</summary>
    public LoggingBus LoggingBus { get; } = loggingBus;
}

/// <summary>A logger is ready.</summary>
public class LoggerInitialized : INoSerializationVerificationNeeded, IDeadLetterSuppression;

/// <summary>The logger that writes to standard output through a mailbox.</summary>
public class DefaultLogger : ActorBase, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    private MinimalLogger _stdout;

    /// <inheritdoc/>
    protected override bool Receive(object message)
    {
        switch (message)
        {
            case InitializeLogger:
                _stdout = Context.System.Settings.StdoutLogger;
                Sender.Tell(new LoggerInitialized());
                return true;
            case LogEvent entry:
                Print(entry);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Writes one event; by default as the settings' logger for standard output does.</summary>
    protected virtual void Print(LogEvent logEvent) => (_stdout ?? Context.System.Settings.StdoutLogger).Tell(logEvent);
}

/// <summary>A logger without an actor, for the time in which there are none.</summary>
public abstract class MinimalLogger : MinimalActorRef
{
    /// <summary>Which events are not written; none by default.</summary>
    public LogFilterEvaluator Filter { get; internal set; } = LogFilterEvaluator.NoFilters;

    /// <inheritdoc/>
    public sealed override ActorPath Path { get; } =
        new RootActorPath(new Address("akka", "all-systems"), "/StandardOutLogger");

    /// <inheritdoc/>
    public sealed override IActorRefProvider Provider =>
        throw new NotSupportedException("This logger does not provide.");

    /// <inheritdoc/>
    protected sealed override void TellInternal(object message, IActorRef sender) => Log(message);

    /// <summary>Writes an event, on the publisher's thread. Several threads may call at once.</summary>
    protected abstract void Log(object message);
}

/// <summary>Writes log events to standard error, so that standard output stays the program's own.</summary>
public class StandardOutLogger : MinimalLogger
{
    /// <summary>Kept for code that sets it; nothing is coloured here.</summary>
    public static ConsoleColor DebugColor { get; set; } = ConsoleColor.Gray;

    /// <summary>Kept for code that sets it; nothing is coloured here.</summary>
    public static ConsoleColor InfoColor { get; set; } = ConsoleColor.White;

    /// <summary>Kept for code that sets it; nothing is coloured here.</summary>
    public static ConsoleColor WarningColor { get; set; } = ConsoleColor.Yellow;

    /// <summary>Kept for code that sets it; nothing is coloured here.</summary>
    public static ConsoleColor ErrorColor { get; set; } = ConsoleColor.Red;

    /// <summary>Kept for code that sets it; nothing is coloured here. False by default, in Akka.NET true.</summary>
    public static bool UseColors { get; set; }

    /// <inheritdoc/>
    protected override void Log(object message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message is not LogEvent entry)
        {
            Console.Error.WriteLine(message);
            return;
        }
        if (Filter.ShouldTryKeepMessage(entry, out _))
            Console.Error.WriteLine(Describe(entry));
    }

    private static string Describe(LogEvent entry)
    {
        try
        {
            return entry.ToString();
        }
        catch (FormatException e)
        {
            return $"[{entry.LogLevel().StringFor()}][{entry.LogSource}] a message that does not fit its format: {e.Message}";
        }
    }
}

/// <summary>What a filter looks at.</summary>
public enum LogFilterType
{
    /// <summary>At the source of the event.</summary>
    Source,

    /// <summary>At the message.</summary>
    Content,
}

/// <summary>What a filter says.</summary>
public enum LogFilterDecision
{
    /// <summary>As far as this filter is concerned, the event may stay.</summary>
    Keep,

    /// <summary>The event goes; other filters are not asked.</summary>
    Drop,

    /// <summary>Counts as <see cref="Keep"/>.</summary>
    NoDecision,
}

/// <summary>Keeps log events from being written.</summary>
public abstract class LogFilterBase : INoSerializationVerificationNeeded, IDeadLetterSuppression
{
    /// <summary>What the filter has to see; filters of content cost the formatting of each message.</summary>
    public abstract LogFilterType FilterType { get; }

    /// <summary>Decides on an event; the text is there when any of the filters looks at content.</summary>
    public abstract LogFilterDecision ShouldKeepMessage(LogEvent content, string expandedMessage = null);
}

internal sealed class PredicateLogFilter(LogFilterType type, Predicate<string> drops) : LogFilterBase
{
    public override LogFilterType FilterType => type;

    public override LogFilterDecision ShouldKeepMessage(LogEvent content, string expandedMessage = null)
    {
        var text = type == LogFilterType.Source ? content.LogSource : expandedMessage ?? content.Message.ToString();
        return drops(text) ? LogFilterDecision.Drop : LogFilterDecision.Keep;
    }
}

/// <summary>Collects filters.</summary>
public sealed class LogFilterBuilder
{
    private readonly List<LogFilterBase> _filters = [];

    /// <summary>Drops events whose source is this; case does not matter by default.</summary>
    public LogFilterBuilder ExcludeSourceExactly(
        string source,
        StringComparison comparison = StringComparison.OrdinalIgnoreCase
    ) => Source(s => s.Equals(source, comparison));

    /// <summary>Drops events by how their source begins; case does not matter.</summary>
    public LogFilterBuilder ExcludeSourceStartingWith(string sourceStart) =>
        Source(s => s.StartsWith(sourceStart, StringComparison.OrdinalIgnoreCase));

    /// <summary>Drops events by a part of their source; case does not matter.</summary>
    public LogFilterBuilder ExcludeSourceContaining(string sourcePart) =>
        Source(s => s.Contains(sourcePart, StringComparison.OrdinalIgnoreCase));

    /// <summary>Drops events by how their source ends; case does not matter.</summary>
    public LogFilterBuilder ExcludeSourceEndingWith(string sourceEnd) =>
        Source(s => s.EndsWith(sourceEnd, StringComparison.OrdinalIgnoreCase));

    /// <summary>Drops events whose source matches.</summary>
    public LogFilterBuilder ExcludeSourceRegex(Regex regex) => Source(regex.IsMatch);

    /// <summary>Drops events whose message matches.</summary>
    public LogFilterBuilder ExcludeMessageRegex(Regex regex) =>
        Add(new PredicateLogFilter(LogFilterType.Content, regex.IsMatch));

    /// <summary>Drops events by a part of their message; case does not matter.</summary>
    public LogFilterBuilder ExcludeMessageContaining(string messagePart) =>
        Add(
            new PredicateLogFilter(
                LogFilterType.Content,
                s => s.Contains(messagePart, StringComparison.OrdinalIgnoreCase)
            )
        );

    /// <summary>Adds a filter of one's own.</summary>
    public LogFilterBuilder Add(LogFilterBase filter)
    {
        _filters.Add(filter);
        return this;
    }

    /// <summary>Adds filters of one's own.</summary>
    public LogFilterBuilder AddRange(IEnumerable<LogFilterBase> filters)
    {
        _filters.AddRange(filters);
        return this;
    }

    /// <summary>What a system can be created with; filters added later are not in it.</summary>
    public LogFilterSetup Build() => new(_filters.ToArray());

    private LogFilterBuilder Source(Predicate<string> drops) =>
        Add(new PredicateLogFilter(LogFilterType.Source, drops));
}

/// <summary>The filters that a system is created with.</summary>
public sealed class LogFilterSetup(LogFilterBase[] filters) : Setup
{
    /// <summary>In the order in which they are asked.</summary>
    public LogFilterBase[] Filters { get; } = filters;

    /// <summary>Asks these filters.</summary>
    public LogFilterEvaluator CreateEvaluator() => new(Filters);
}

/// <summary>Asks all filters about a log event.</summary>
public class LogFilterEvaluator(LogFilterBase[] filters)
{
    /// <summary>Keeps everything.</summary>
    public static readonly LogFilterEvaluator NoFilters = new([]);

    /// <summary>Whether messages need not be formatted in order to decide.</summary>
    public bool EvaluatesLogSourcesOnly { get; } = filters.All(f => f.FilterType == LogFilterType.Source);

    /// <summary>
    /// Whether no filter drops the event. The text is the whole entry when filters look at content, else empty.
    /// </summary>
    public virtual bool ShouldTryKeepMessage(LogEvent evt, out string expandedLogMessage)
    {
        expandedLogMessage = string.Empty;
        if (filters.Length == 0)
            return true;
        if (!EvaluatesLogSourcesOnly)
            expandedLogMessage = evt.ToString();
        foreach (var filter in filters)
        {
            if (
                filter.ShouldKeepMessage(evt, EvaluatesLogSourcesOnly ? null : evt.Message.ToString())
                == LogFilterDecision.Drop
            )
                return false;
        }
        return true;
    }
}
