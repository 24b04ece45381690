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
    public LoggingBus LoggingBus { get; } = loggingBus;
}

/// <summary>A logger is ready.</summary>
public class LoggerInitialized : INoSerializationVerificationNeeded, IDeadLetterSuppression;

/// <summary>The logger that writes to standard output through a mailbox.</summary>
public class DefaultLogger : ActorBase, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    private MinimalLogger _stdout;

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

    protected virtual void Print(LogEvent logEvent) => (_stdout ?? Context.System.Settings.StdoutLogger).Tell(logEvent);
}

/// <summary>A logger without an actor, for the time in which there are none.</summary>
public abstract class MinimalLogger : MinimalActorRef
{
    public LogFilterEvaluator Filter { get; internal set; } = LogFilterEvaluator.NoFilters;
    public sealed override ActorPath Path { get; } =
        new RootActorPath(new Address("akka", "all-systems"), "/StandardOutLogger");

    public sealed override IActorRefProvider Provider =>
        throw new NotSupportedException("This logger does not provide.");

    protected sealed override void TellInternal(object message, IActorRef sender) => Log(message);

    protected abstract void Log(object message);
}

/// <summary>Writes log events to standard error, so that standard output stays the program's own.</summary>
public class StandardOutLogger : MinimalLogger
{
    public static ConsoleColor DebugColor { get; set; } = ConsoleColor.Gray;
    public static ConsoleColor InfoColor { get; set; } = ConsoleColor.White;
    public static ConsoleColor WarningColor { get; set; } = ConsoleColor.Yellow;
    public static ConsoleColor ErrorColor { get; set; } = ConsoleColor.Red;
    public static bool UseColors { get; set; }

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
    Source,
    Content,
}

/// <summary>What a filter says.</summary>
public enum LogFilterDecision
{
    Keep,
    Drop,
    NoDecision,
}

/// <summary>Keeps log events from being written.</summary>
public abstract class LogFilterBase : INoSerializationVerificationNeeded, IDeadLetterSuppression
{
    public abstract LogFilterType FilterType { get; }
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

    public LogFilterBuilder ExcludeSourceExactly(
        string source,
        StringComparison comparison = StringComparison.OrdinalIgnoreCase
    ) => Source(s => s.Equals(source, comparison));

    public LogFilterBuilder ExcludeSourceStartingWith(string sourceStart) =>
        Source(s => s.StartsWith(sourceStart, StringComparison.OrdinalIgnoreCase));

    public LogFilterBuilder ExcludeSourceContaining(string sourcePart) =>
        Source(s => s.Contains(sourcePart, StringComparison.OrdinalIgnoreCase));

    public LogFilterBuilder ExcludeSourceEndingWith(string sourceEnd) =>
        Source(s => s.EndsWith(sourceEnd, StringComparison.OrdinalIgnoreCase));

    public LogFilterBuilder ExcludeSourceRegex(Regex regex) => Source(regex.IsMatch);

    public LogFilterBuilder ExcludeMessageRegex(Regex regex) =>
        Add(new PredicateLogFilter(LogFilterType.Content, regex.IsMatch));

    public LogFilterBuilder ExcludeMessageContaining(string messagePart) =>
        Add(
            new PredicateLogFilter(
                LogFilterType.Content,
                s => s.Contains(messagePart, StringComparison.OrdinalIgnoreCase)
            )
        );

    public LogFilterBuilder Add(LogFilterBase filter)
    {
        _filters.Add(filter);
        return this;
    }

    public LogFilterBuilder AddRange(IEnumerable<LogFilterBase> filters)
    {
        _filters.AddRange(filters);
        return this;
    }

    public LogFilterSetup Build() => new(_filters.ToArray());

    private LogFilterBuilder Source(Predicate<string> drops) =>
        Add(new PredicateLogFilter(LogFilterType.Source, drops));
}

/// <summary>The filters that a system is created with.</summary>
public sealed class LogFilterSetup(LogFilterBase[] filters) : Setup
{
    public LogFilterBase[] Filters { get; } = filters;

    public LogFilterEvaluator CreateEvaluator() => new(Filters);
}

/// <summary>Asks all filters about a log event.</summary>
public class LogFilterEvaluator(LogFilterBase[] filters)
{
    public static readonly LogFilterEvaluator NoFilters = new([]);

    public bool EvaluatesLogSourcesOnly { get; } = filters.All(f => f.FilterType == LogFilterType.Source);

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
