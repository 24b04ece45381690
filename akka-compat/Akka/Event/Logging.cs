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

    /// <summary>Puts the arguments of the log methods into their templates, when somebody reads them.</summary>
    ILogMessageFormatter Formatter { get; }

    /// <summary>Whether events of this level are published.</summary>
    bool IsDebugEnabled { get; }

    /// <summary>Whether events of this level are published.</summary>
    bool IsInfoEnabled { get; }

    /// <summary>Whether events of this level are published.</summary>
    bool IsWarningEnabled { get; }

    /// <summary>Whether events of this level are published.</summary>
    bool IsErrorEnabled { get; }
}

/// <summary>Logs nothing.</summary>
public sealed class NoLogger : ILoggingAdapter
{
    /// <summary>The only one.</summary>
    public static readonly ILoggingAdapter Instance = new NoLogger();

    private NoLogger() { }

    /// <inheritdoc/>
    public ILogMessageFormatter Formatter => DefaultLogMessageFormatter.Instance;

    /// <inheritdoc/>
    public bool IsDebugEnabled => false;

    /// <inheritdoc/>
    public bool IsInfoEnabled => false;

    /// <inheritdoc/>
    public bool IsWarningEnabled => false;

    /// <inheritdoc/>
    public bool IsErrorEnabled => false;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => false;

    /// <inheritdoc/>
    public void Log(LogLevel logLevel, Exception cause, string format) { }

    /// <inheritdoc/>
    public void Log(LogLevel logLevel, Exception cause, LogMessage message) { }
}

/// <summary>Publishes log events on a bus.</summary>
public sealed class BusLogging(LoggingBus bus, string logSource, Type logClass, ILogMessageFormatter formatter)
    : ILoggingAdapter
{
    /// <inheritdoc/>
    public ILogMessageFormatter Formatter => formatter;

    /// <inheritdoc/>
    public bool IsDebugEnabled => IsEnabled(LogLevel.DebugLevel);

    /// <inheritdoc/>
    public bool IsInfoEnabled => IsEnabled(LogLevel.InfoLevel);

    /// <inheritdoc/>
    public bool IsWarningEnabled => IsEnabled(LogLevel.WarningLevel);

    /// <inheritdoc/>
    public bool IsErrorEnabled => IsEnabled(LogLevel.ErrorLevel);

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => bus.LogLevel <= logLevel;

    /// <inheritdoc/>
    public void Log(LogLevel logLevel, Exception cause, string format) => Write(logLevel, cause, format);

    /// <inheritdoc/>
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

    /// <summary>A path, a name or a text.</summary>
    public string Source { get; }

    /// <summary>What is shown as the class of the source.</summary>
    public Type Type { get; }

    /// <summary>
    /// The source that an object stands for: a context or reference its path, a text itself, anything else the name of
    /// its type.
    /// </summary>
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

    /// <summary>
    /// As <see cref="Create(object)"/>, with the system's address in paths and <c>(akka://system)</c> after names.
    /// </summary>
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

    /// <summary>The source as it is given.</summary>
    public static LogSource Create(string source, Type t) => new(source, t);

    /// <summary>
    /// The type that an object stands for: the actor's behind a context or reference, a type itself, else the object's
    /// own.
    /// </summary>
    public static Type SourceType(object o) =>
        o switch
        {
            Type type => type,
            IActorContext context => ((context as ActorCell)?.Actor?.GetType()) ?? context.Props.Type,
            IActorRef actor => actor is ActorRefWithCell cell ? cell.Underlying.ActorType : actor.GetType(),
            _ => o.GetType(),
        };

    /// <summary><c>Type (akka://system)</c>.</summary>
    public static string FromType(Type t, ActorSystem system) => Logging.SimpleName(t) + " (" + system + ")";

    /// <summary><c>text (akka://system)</c>.</summary>
    public static string FromString(string source, ActorSystem system) => source + " (" + system + ")";

    /// <summary>The path with the system's address.</summary>
    public static string FromActor(IActorContext actor, ActorSystem system) => FromActorRef(actor.Self, system);

    /// <summary>The path with the system's address.</summary>
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

    /// <summary>The name of the type without its namespace; type arguments keep theirs.</summary>
    public static string SimpleName(object o) => SimpleName(o.GetType());

    /// <summary>The name of the type without its namespace; type arguments keep theirs.</summary>
    public static string SimpleName(Type t)
    {
        var name = t.ToString();
        var dot = name.Split('[')[0].LastIndexOf('.');
        return dot < 0 ? name : name[(dot + 1)..];
    }

    /// <summary>The log event of a level.</summary>
    /// <exception cref="ArgumentException">There is none: the level is OFF or unknown.</exception>
    public static Type ClassFor(this LogLevel logLevel) =>
        logLevel switch
        {
            LogLevel.DebugLevel => typeof(Debug),
            LogLevel.InfoLevel => typeof(Info),
            LogLevel.WarningLevel => typeof(Warning),
            LogLevel.ErrorLevel => typeof(Error),
            _ => throw new ArgumentException("Unknown LogLevel", nameof(logLevel)),
        };

    /// <summary>DEBUG, INFO, WARNING, ERROR or OFF.</summary>
    /// <exception cref="ArgumentException">The level is none of these.</exception>
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

    /// <summary>Reads a level; case does not matter. OFF is above all levels.</summary>
    /// <exception cref="ArgumentException">The text is none of the five.</exception>
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

    /// <summary>The level of a kind of log event.</summary>
    /// <exception cref="ArgumentException">The type is not one of the four, but a derived one for example.</exception>
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

    /// <summary>A logger for an actor; it may be kept and used on any thread.</summary>
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

    /// <summary>
    /// A logger for anything; see <see cref="LogSource.Create(object, ActorSystem)"/> for its source.
    /// </summary>
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

    /// <summary>A logger for anything on a bus that need not be a system's.</summary>
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
