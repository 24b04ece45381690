using System.Globalization;
using Akka.Actor;

namespace Akka.Event;

/// <summary>How grave a log event is.</summary>
public enum LogLevel
{
    DebugLevel,
    InfoLevel,
    WarningLevel,
    ErrorLevel,
}

/// <summary>An entry of the log.</summary>
public abstract class LogEvent : INoSerializationVerificationNeeded
{
    protected LogEvent()
    {
        Timestamp = Simulation.Simulation.AmbientNow ?? DateTime.UtcNow;
        Thread = Thread.CurrentThread;
    }

    public Exception Cause { get; protected set; }
    public DateTime Timestamp { get; }
    public Thread Thread { get; }
    public string LogSource { get; protected set; }
    public Type LogClass { get; protected set; }
    public object Message { get; protected set; }

    public abstract LogLevel LogLevel();

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
    public Debug(string logSource, Type logClass, object message)
        : this(null, logSource, logClass, message) { }

    public Debug(Exception cause, string logSource, Type logClass, object message)
    {
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
        Cause = cause;
    }

    public override LogLevel LogLevel() => Event.LogLevel.DebugLevel;
}

/// <summary>Worth knowing.</summary>
public class Info : LogEvent
{
    public Info(string logSource, Type logClass, object message)
        : this(null, logSource, logClass, message) { }

    public Info(Exception cause, string logSource, Type logClass, object message)
    {
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
        Cause = cause;
    }

    public override LogLevel LogLevel() => Event.LogLevel.InfoLevel;
}

/// <summary>Something looks wrong.</summary>
public class Warning : LogEvent
{
    public Warning(string logSource, Type logClass, object message)
        : this(null, logSource, logClass, message) { }

    public Warning(Exception cause, string logSource, Type logClass, object message)
    {
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
        Cause = cause;
    }

    public override LogLevel LogLevel() => Event.LogLevel.WarningLevel;
}

/// <summary>Something went wrong.</summary>
public class Error : LogEvent
{
    public Error(Exception cause, string logSource, Type logClass, object message)
    {
        Cause = cause;
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
    }

    public override LogLevel LogLevel() => Event.LogLevel.ErrorLevel;
}

/// <summary>A message of the log whose arguments are put in only when somebody reads it.</summary>
public abstract class LogMessage(ILogMessageFormatter formatter, string format)
{
    protected readonly ILogMessageFormatter Formatter = formatter;

    public string Format { get; } = format;

    public abstract string Unformatted();

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
    string Format(string format, params object[] args);
    string Format(string format, IEnumerable<object> args);
}

/// <summary>Formats as string.Format does.</summary>
public class DefaultLogMessageFormatter : ILogMessageFormatter
{
    public static readonly DefaultLogMessageFormatter Instance = new();

    private DefaultLogMessageFormatter() { }

    public string Format(string format, params object[] args) =>
        string.Format(CultureInfo.InvariantCulture, format, args);

    public string Format(string format, IEnumerable<object> args) => Format(format, args.ToArray());
}
