using System.Globalization;
using Akka.Actor;

namespace Akka.Event;

/// <summary>How grave a log event is.</summary>
public enum LogLevel
{
    /// <inheritdoc cref="Debug"/>
    DebugLevel,

    /// <inheritdoc cref="Info"/>
    InfoLevel,

    /// <inheritdoc cref="Warning"/>
    WarningLevel,

    /// <inheritdoc cref="Error"/>
    ErrorLevel,
}

/// <summary>An entry of the log.</summary>
public abstract class LogEvent : INoSerializationVerificationNeeded
{
    /// <summary>Takes the time and the thread.</summary>
    protected LogEvent()
    {
        Timestamp = Simulation.Simulation.AmbientNow ?? DateTime.UtcNow;
        Thread = Thread.CurrentThread;
    }

    /// <summary>The failure that is reported; null when there is none.</summary>
    public Exception Cause { get; protected set; }

    /// <summary>When it was logged, in UTC; virtual time on a simulated system.</summary>
    public DateTime Timestamp { get; }

    /// <summary>The thread that logged it.</summary>
    public Thread Thread { get; }

    /// <summary>Who logged it: a path, a name or a text.</summary>
    public string LogSource { get; protected set; }

    /// <summary>The type of who logged it.</summary>
    public Type LogClass { get; protected set; }

    /// <summary>A text, or a <see cref="LogMessage"/> that becomes one when it is printed.</summary>
    public object Message { get; protected set; }

    /// <inheritdoc cref="Akka.Event.LogLevel"/>
    public abstract LogLevel LogLevel();

    /// <inheritdoc/>
    public override string ToString()
    {
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"[{LogLevel().StringFor()}][{Timestamp:yyyy-MM-ddTHH:mm:ss.fffZ}][Thread {Thread.ManagedThreadId:0000}][{LogSource}] {Message}"
        );
        return Cause is null ? head : head + Environment.NewLine + "Cause: " + Cause;
    }
}

/// <summary>For those who look for a mistake.</summary>
public class Debug : LogEvent
{
    /// <summary>Without a cause.</summary>
    public Debug(string logSource, Type logClass, object message)
        : this(null, logSource, logClass, message) { }

    /// <summary>The cause may be null.</summary>
    public Debug(Exception cause, string logSource, Type logClass, object message)
    {
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
        Cause = cause;
    }

    /// <inheritdoc/>
    public override LogLevel LogLevel() => Event.LogLevel.DebugLevel;
}

/// <summary>Worth knowing.</summary>
public class Info : LogEvent
{
    /// <summary>Without a cause.</summary>
    public Info(string logSource, Type logClass, object message)
        : this(null, logSource, logClass, message) { }

    /// <summary>The cause may be null.</summary>
    public Info(Exception cause, string logSource, Type logClass, object message)
    {
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
        Cause = cause;
    }

    /// <inheritdoc/>
    public override LogLevel LogLevel() => Event.LogLevel.InfoLevel;
}

/// <summary>Something looks wrong.</summary>
public class Warning : LogEvent
{
    /// <summary>Without a cause.</summary>
    public Warning(string logSource, Type logClass, object message)
        : this(null, logSource, logClass, message) { }

    /// <summary>The cause may be null.</summary>
    public Warning(Exception cause, string logSource, Type logClass, object message)
    {
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
        Cause = cause;
    }

    /// <inheritdoc/>
    public override LogLevel LogLevel() => Event.LogLevel.WarningLevel;
}

/// <summary>Something went wrong.</summary>
public class Error : LogEvent
{
    /// <summary>The cause may be null.</summary>
    public Error(Exception cause, string logSource, Type logClass, object message)
    {
        Cause = cause;
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
    }

    /// <inheritdoc/>
    public override LogLevel LogLevel() => Event.LogLevel.ErrorLevel;
}

/// <summary>A message of the log whose arguments are put in only when somebody reads it.</summary>
public abstract class LogMessage(ILogMessageFormatter formatter, string format)
{
    /// <summary>Puts the arguments in, each time that the message is printed.</summary>
    protected readonly ILogMessageFormatter Formatter = formatter;

    /// <summary>The template.</summary>
    public string Format { get; } = format;

    /// <summary>Arguments and template side by side, for when they don't fit each other.</summary>
    public abstract string Unformatted();

    /// <summary>The arguments in order.</summary>
    public abstract IEnumerable<object> Parameters();
}

internal sealed class ParameterizedLogMessage(ILogMessageFormatter formatter, string format, object[] args)
    : LogMessage(formatter, format)
{
    public override string Unformatted() => string.Join(",", args) + " for template " + Format;

    public override IEnumerable<object> Parameters() => args;

    public override string ToString() => Formatter.Format(Format, args);
}

/// <summary>Puts arguments into a format.</summary>
public interface ILogMessageFormatter
{
    /// <summary>
    /// The template with the arguments put in. Throws <see cref="FormatException"/> when they don't fit.
    /// </summary>
    string Format(string format, params object[] args);

    /// <summary>
    /// The template with the arguments put in. Throws <see cref="FormatException"/> when they don't fit.
    /// </summary>
    string Format(string format, IEnumerable<object> args);
}

/// <summary>Formats as string.Format does.</summary>
public class DefaultLogMessageFormatter : ILogMessageFormatter
{
    /// <summary>The only one.</summary>
    public static readonly DefaultLogMessageFormatter Instance = new();

    private DefaultLogMessageFormatter() { }

    /// <inheritdoc/>
    public string Format(string format, params object[] args) =>
        string.Format(CultureInfo.InvariantCulture, format, args);

    /// <inheritdoc/>
    public string Format(string format, IEnumerable<object> args) => Format(format, args.ToArray());
}
