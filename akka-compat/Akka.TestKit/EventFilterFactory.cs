using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.Event;
using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <summary>Makes filters for log events, to expect or to mute them.</summary>
public class EventFilterFactory
{
    private readonly TestKitBase _testkit;
    private readonly ActorSystem _system;
    private readonly IReadOnlyList<EventFilterBase> _filters;

    /// <summary>Filters for the log of the kit's own system.</summary>
    public EventFilterFactory(TestKitBase testkit)
        : this(testkit, null, []) { }

    /// <summary>
    /// Filters for the log of another system, whose logger must be a <see cref="TestEventListener"/> too.
    /// </summary>
    public EventFilterFactory(TestKitBase testkit, ActorSystem system)
        : this(testkit, system, []) { }

    /// <summary>
    /// Filters beside those that are there already; each event that any of them matches counts. Null is the kit's own
    /// system.
    /// </summary>
    public EventFilterFactory(TestKitBase testkit, ActorSystem actorSystem, IReadOnlyList<EventFilterBase> filters)
    {
        _testkit = testkit;
        _system = actorSystem;
        _filters = filters ?? [];
    }

    /// <summary>
    /// Errors with a cause of this type whose text matches; see
    /// <see cref="Exception(Type, string, string, string, string, bool)"/>.
    /// </summary>
    public IEventFilterApplier Exception<TException>(Regex pattern, string source = null)
        where TException : Exception => Exception(typeof(TException), pattern, source);

    /// <summary>
    /// Errors with a cause of this type. The text may be found in the entry's message or in the cause's; the source is
    /// a path with or without address. Checking inner exceptions takes causes of causes.
    /// </summary>
    public IEventFilterApplier Exception(
        Type exceptionType,
        Regex pattern,
        string source = null,
        bool checkInnerExceptions = false
    ) =>
        CreateApplier(
            new ExceptionFilter(
                exceptionType,
                TextMatcher.Of(pattern),
                TextMatcher.OfSource(source),
                checkInnerExceptions
            ),
            _system
        );

    /// <summary>
    /// Errors with a cause of this type; see <see cref="Exception(Type, string, string, string, string, bool)"/>.
    /// </summary>
    public IEventFilterApplier Exception<TException>(
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    )
        where TException : Exception => Exception(typeof(TException), message, start, contains, source);

    /// <summary>
    /// Errors with a cause of this type. The text may be found in the entry's message or in the cause's; the source is
    /// a path with or without address. Checking inner exceptions takes causes of causes.
    /// </summary>
    public IEventFilterApplier Exception(
        Type exceptionType,
        string message = null,
        string start = null,
        string contains = null,
        string source = null,
        bool checkInnerExceptions = false
    ) =>
        CreateApplier(
            new ExceptionFilter(
                exceptionType,
                CreateMessageMatcher(message, start, contains),
                TextMatcher.OfSource(source),
                checkInnerExceptions
            ),
            _system
        );

    /// <summary>Whatever the function accepts; what it throws is no match.</summary>
    public IEventFilterApplier Custom(Predicate<LogEvent> predicate) =>
        CreateApplier(new CustomFilter(predicate), _system);

    /// <summary>Events of a type that the function accepts.</summary>
    public IEventFilterApplier Custom<TLogEvent>(Predicate<TLogEvent> predicate)
        where TLogEvent : LogEvent => Custom(e => e is TLogEvent typed && predicate(typed));

    /// <summary>
    /// Events of exactly this level. Of message, start and contains the first that is given counts; case does not
    /// matter.
    /// </summary>
    public IEventFilterApplier ForLogLevel(
        LogLevel logLevel,
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    ) => Level(logLevel, CreateMessageMatcher(message, start, contains), source);

    /// <summary>Events of exactly this level whose message matches.</summary>
    public IEventFilterApplier ForLogLevel(LogLevel logLevel, Regex pattern, string source = null) =>
        Level(logLevel, TextMatcher.Of(pattern), source);

    private IEventFilterApplier Level(LogLevel level, IStringMatcher message, string source) =>
        CreateApplier(new LevelFilter(level, message, TextMatcher.OfSource(source)), _system);

    /// <summary>All dead letters; unhandled messages are not among them.</summary>
    public IEventFilterApplier DeadLetter() => CreateApplier(new DeadLettersFilter(null, static _ => true), _system);

    /// <summary>Dead letters with a message of this type; the source is the path of whom they were for.</summary>
    public IEventFilterApplier DeadLetter<TMessage>(string source = null) => DeadLetter(typeof(TMessage), source);

    /// <summary>Dead letters with a message of this type that the function accepts.</summary>
    public IEventFilterApplier DeadLetter<TMessage>(Func<TMessage, bool> isMatch, string source = null) =>
        DeadLetter(typeof(TMessage), m => isMatch((TMessage)m), source);

    /// <summary>Dead letters with a message of this type; the source is the path of whom they were for.</summary>
    public IEventFilterApplier DeadLetter(Type type, string source = null) =>
        DeadLetter(type, static _ => true, source);

    /// <summary>Dead letters with a message of this type that the function accepts.</summary>
    public IEventFilterApplier DeadLetter(Type type, Func<object, bool> isMatch, string source = null) =>
        CreateApplier(
            new DeadLettersFilter(
                TextMatcher.OfSource(source),
                letter => type.IsInstanceOfType(letter.Message) && isMatch(letter.Message)
            ),
            _system
        );

    /// <summary>
    /// Events of exactly this level; see <see cref="ForLogLevel(LogLevel, string, string, string, string)"/>.
    /// </summary>
    public IEventFilterApplier Error(
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    ) => ForLogLevel(LogLevel.ErrorLevel, message, start, contains, source);

    /// <summary>Events of exactly this level whose message matches.</summary>
    public IEventFilterApplier Error(Regex pattern, string source = null) =>
        ForLogLevel(LogLevel.ErrorLevel, pattern, source);

    /// <summary>
    /// Events of exactly this level; see <see cref="ForLogLevel(LogLevel, string, string, string, string)"/>.
    /// </summary>
    public IEventFilterApplier Warning(
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    ) => ForLogLevel(LogLevel.WarningLevel, message, start, contains, source);

    /// <summary>Events of exactly this level whose message matches.</summary>
    public IEventFilterApplier Warning(Regex pattern, string source = null) =>
        ForLogLevel(LogLevel.WarningLevel, pattern, source);

    /// <summary>
    /// Events of exactly this level; see <see cref="ForLogLevel(LogLevel, string, string, string, string)"/>.
    /// </summary>
    public IEventFilterApplier Info(
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    ) => ForLogLevel(LogLevel.InfoLevel, message, start, contains, source);

    /// <summary>Events of exactly this level whose message matches.</summary>
    public IEventFilterApplier Info(Regex pattern, string source = null) =>
        ForLogLevel(LogLevel.InfoLevel, pattern, source);

    /// <summary>
    /// Events of exactly this level; see <see cref="ForLogLevel(LogLevel, string, string, string, string)"/>.
    /// </summary>
    public IEventFilterApplier Debug(
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    ) => ForLogLevel(LogLevel.DebugLevel, message, start, contains, source);

    /// <summary>Events of exactly this level whose message matches.</summary>
    public IEventFilterApplier Debug(Regex pattern, string source = null) =>
        ForLogLevel(LogLevel.DebugLevel, pattern, source);

    /// <summary>
    /// Matches the whole message, its start or a part, whichever is given first; anything when none is. Case does not
    /// matter.
    /// </summary>
    protected static IStringMatcher CreateMessageMatcher(string message, string start, string contains) =>
        TextMatcher.Of(message, start, contains);

    /// <summary>Expects or mutes this filter and those that are there already.</summary>
    protected IEventFilterApplier CreateApplier(EventFilterBase filter, ActorSystem system) =>
        new EventFilterApplier(_testkit, [.. _filters, filter], system);
}
