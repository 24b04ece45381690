using Akka.Actor;

namespace Akka.Event;

/// <summary>What an actor logs through.</summary>
public interface ILoggingAdapter
{
    /// <summary>Whether events of a level are published.</summary>
    bool IsEnabled(LogLevel logLevel);

    /// <summary>Publishes a text.</summary>
    void Log(LogLevel logLevel, Exception cause, string format);

    /// <summary>Publishes a message that is formatted when somebody reads it.</summary>
    void Log(LogLevel logLevel, Exception cause, LogMessage message);
    ILogMessageFormatter Formatter { get; }
    bool IsDebugEnabled { get; }
    bool IsInfoEnabled { get; }
    bool IsWarningEnabled { get; }
    bool IsErrorEnabled { get; }
}

/// <summary>Logs nothing.</summary>
public sealed class NoLogger : ILoggingAdapter
{
    public static readonly ILoggingAdapter Instance = new NoLogger();

    private NoLogger() { }

    public ILogMessageFormatter Formatter => DefaultLogMessageFormatter.Instance;
    public bool IsDebugEnabled => false;
    public bool IsInfoEnabled => false;
    public bool IsWarningEnabled => false;
    public bool IsErrorEnabled => false;

    public bool IsEnabled(LogLevel logLevel) => false;

    public void Log(LogLevel logLevel, Exception cause, string format) { }

    public void Log(LogLevel logLevel, Exception cause, LogMessage message) { }
}

/// <summary>Publishes log events on a bus.</summary>
public sealed class BusLogging(LoggingBus bus, string logSource, Type logClass, ILogMessageFormatter formatter)
    : ILoggingAdapter
{
    public ILogMessageFormatter Formatter => formatter;
    public bool IsDebugEnabled => IsEnabled(LogLevel.DebugLevel);
    public bool IsInfoEnabled => IsEnabled(LogLevel.InfoLevel);
    public bool IsWarningEnabled => IsEnabled(LogLevel.WarningLevel);
    public bool IsErrorEnabled => IsEnabled(LogLevel.ErrorLevel);

    public bool IsEnabled(LogLevel logLevel) => bus.LogLevel <= logLevel;

    public void Log(LogLevel logLevel, Exception cause, string format) => Write(logLevel, cause, format);

    public void Log(LogLevel logLevel, Exception cause, LogMessage message) => Write(logLevel, cause, message);

    private void Write(LogLevel level, Exception cause, object message)
    {
        if (!IsEnabled(level))
            return;
        bus.Publish(
            level switch
            {
                LogLevel.DebugLevel => new Debug(cause, logSource, logClass, message),
                LogLevel.InfoLevel => new Info(cause, logSource, logClass, message),
                LogLevel.WarningLevel => new Warning(cause, logSource, logClass, message),
                _ => new Error(cause, logSource, logClass, message),
            }
        );
    }
}

/// <summary>Where a log event comes from, in words.</summary>
public readonly struct LogSource
{
    private LogSource(string source, Type type)
    {
        Source = source;
        Type = type;
    }

    public string Source { get; }
    public Type Type { get; }

    public static LogSource Create(object o) =>
        o switch
        {
            IActorContext context => new LogSource(FromActorRef(context.Self, context.System), SourceType(o)),
            IActorRef actor => new LogSource(actor.Path.ToString(), SourceType(o)),
            string text => new LogSource(text, typeof(string)),
            ActorSystem system => new LogSource(system.Name, typeof(ActorSystem)),
            Type type => new LogSource(Logging.SimpleName(type), type),
            _ => new LogSource(Logging.SimpleName(o), SourceType(o)),
        };

    public static LogSource Create(object o, ActorSystem system) =>
        o switch
        {
            IActorContext context => new LogSource(FromActor(context, system), SourceType(o)),
            IActorRef actor => new LogSource(FromActorRef(actor, system), SourceType(o)),
            string text => new LogSource(FromString(text, system), typeof(string)),
            ActorSystem => new LogSource("ActorSystem(" + system.Name + ")", typeof(ActorSystem)),
            Type type => new LogSource(FromType(type, system), type),
            _ => new LogSource(FromType(o.GetType(), system), SourceType(o)),
        };

    public static LogSource Create(string source, Type t) => new(source, t);

    public static Type SourceType(object o) =>
        o switch
        {
            Type type => type,
            IActorContext context => ((context as ActorCell)?.Actor?.GetType()) ?? context.Props.Type,
            IActorRef actor => actor is ActorRefWithCell cell ? cell.Underlying.ActorType : actor.GetType(),
            _ => o.GetType(),
        };

    public static string FromType(Type t, ActorSystem system) => Logging.SimpleName(t) + " (" + system + ")";

    public static string FromString(string source, ActorSystem system) => source + " (" + system + ")";

    public static string FromActor(IActorContext actor, ActorSystem system) => FromActorRef(actor.Self, system);

    public static string FromActorRef(IActorRef a, ActorSystem system) =>
        a.Path.ToStringWithAddress(((ExtendedActorSystem)system).Provider.DefaultAddress);
}

/// <summary>Loggers and the names of levels.</summary>
public static class Logging
{
    internal static readonly LogLevel[] Levels =
    [
        LogLevel.DebugLevel,
        LogLevel.InfoLevel,
        LogLevel.WarningLevel,
        LogLevel.ErrorLevel,
    ];

    public static string SimpleName(object o) => SimpleName(o.GetType());

    public static string SimpleName(Type t)
    {
        var name = t.ToString();
        var dot = name.Split('[')[0].LastIndexOf('.');
        return dot < 0 ? name : name[(dot + 1)..];
    }

    public static Type ClassFor(this LogLevel logLevel) =>
        logLevel switch
        {
            LogLevel.DebugLevel => typeof(Debug),
            LogLevel.InfoLevel => typeof(Info),
            LogLevel.WarningLevel => typeof(Warning),
            LogLevel.ErrorLevel => typeof(Error),
            _ => throw new ArgumentException("Unknown LogLevel", nameof(logLevel)),
        };

    public static string StringFor(this LogLevel logLevel) =>
        logLevel switch
        {
            LogLevel.DebugLevel => "DEBUG",
            LogLevel.InfoLevel => "INFO",
            LogLevel.WarningLevel => "WARNING",
            LogLevel.ErrorLevel => "ERROR",
            (LogLevel)OffLevel => "OFF",
            _ => throw new ArgumentException("Unknown LogLevel", nameof(logLevel)),
        };

    private const int OffLevel = int.MaxValue;

    public static LogLevel LogLevelFor(string logLevel) =>
        (logLevel ?? "").ToUpperInvariant() switch
        {
            "DEBUG" => LogLevel.DebugLevel,
            "INFO" => LogLevel.InfoLevel,
            "WARNING" => LogLevel.WarningLevel,
            "ERROR" => LogLevel.ErrorLevel,
            "OFF" => (LogLevel)OffLevel,
            _ => throw new ArgumentException(
                $@"Unknown LogLevel: ""{logLevel}"". Valid values are: ""Debug"", ""Info"", ""Warning"", ""Error"", ""Off""",
                nameof(logLevel)
            ),
        };

    public static LogLevel LogLevelFor<T>()
        where T : LogEvent
    {
        foreach (var level in Levels)
        {
            if (level.ClassFor() == typeof(T))
                return level;
        }
        throw new ArgumentException(
            $@"Unknown LogEvent type: ""{typeof(T).FullName}"". Valid types are Debug, Info, Warning, Error"
        );
    }

    public static ILoggingAdapter GetLogger(
        this IActorContext context,
        ILogMessageFormatter logMessageFormatter = null
    ) =>
        new BusLogging(
            context.System.EventStream,
            LogSource.FromActor(context, context.System),
            LogSource.SourceType(context),
            logMessageFormatter ?? context.System.Settings.LogFormatter
        );

    public static ILoggingAdapter GetLogger(
        ActorSystem system,
        object logSourceObj,
        ILogMessageFormatter logMessageFormatter = null
    )
    {
        var source = LogSource.Create(logSourceObj, system);
        return new BusLogging(
            system.EventStream,
            source.Source,
            source.Type,
            logMessageFormatter ?? system.Settings.LogFormatter
        );
    }

    public static ILoggingAdapter GetLogger(
        LoggingBus loggingBus,
        object logSourceObj,
        ILogMessageFormatter logMessageFormatter = null
    )
    {
        var source = LogSource.Create(logSourceObj);
        return new BusLogging(
            loggingBus,
            source.Source,
            source.Type,
            logMessageFormatter ?? DefaultLogMessageFormatter.Instance
        );
    }
}
