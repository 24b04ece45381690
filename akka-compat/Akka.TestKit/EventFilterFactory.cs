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

    public EventFilterFactory(TestKitBase testkit)
        : this(testkit, null, []) { }

    public EventFilterFactory(TestKitBase testkit, ActorSystem system)
        : this(testkit, system, []) { }

    public EventFilterFactory(TestKitBase testkit, ActorSystem actorSystem, IReadOnlyList<EventFilterBase> filters)
    {
        _testkit = testkit;
        _system = actorSystem;
        _filters = filters ?? [];
    }

    public IEventFilterApplier Exception<TException>(Regex pattern, string source = null)
        where TException : Exception => Exception(typeof(TException), pattern, source);

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

    public IEventFilterApplier Exception<TException>(
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    )
        where TException : Exception => Exception(typeof(TException), message, start, contains, source);

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

    public IEventFilterApplier Custom(Predicate<LogEvent> predicate) =>
        CreateApplier(new CustomFilter(predicate), _system);

    public IEventFilterApplier Custom<TLogEvent>(Predicate<TLogEvent> predicate)
        where TLogEvent : LogEvent => Custom(e => e is TLogEvent typed && predicate(typed));

    public IEventFilterApplier ForLogLevel(
        LogLevel logLevel,
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    ) => Level(logLevel, CreateMessageMatcher(message, start, contains), source);

    public IEventFilterApplier ForLogLevel(LogLevel logLevel, Regex pattern, string source = null) =>
        Level(logLevel, TextMatcher.Of(pattern), source);

    private IEventFilterApplier Level(LogLevel level, IStringMatcher message, string source) =>
        CreateApplier(new LevelFilter(level, message, TextMatcher.OfSource(source)), _system);

    public IEventFilterApplier DeadLetter() => CreateApplier(new DeadLettersFilter(null, static _ => true), _system);

    public IEventFilterApplier DeadLetter<TMessage>(string source = null) => DeadLetter(typeof(TMessage), source);

    public IEventFilterApplier DeadLetter<TMessage>(Func<TMessage, bool> isMatch, string source = null) =>
        DeadLetter(typeof(TMessage), m => isMatch((TMessage)m), source);

    public IEventFilterApplier DeadLetter(Type type, string source = null) =>
        DeadLetter(type, static _ => true, source);

    public IEventFilterApplier DeadLetter(Type type, Func<object, bool> isMatch, string source = null) =>
        CreateApplier(
            new DeadLettersFilter(
                TextMatcher.OfSource(source),
                letter => type.IsInstanceOfType(letter.Message) && isMatch(letter.Message)
            ),
            _system
        );

    public IEventFilterApplier Error(
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    ) => ForLogLevel(LogLevel.ErrorLevel, message, start, contains, source);

    public IEventFilterApplier Error(Regex pattern, string source = null) =>
        ForLogLevel(LogLevel.ErrorLevel, pattern, source);

    public IEventFilterApplier Warning(
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    ) => ForLogLevel(LogLevel.WarningLevel, message, start, contains, source);

    public IEventFilterApplier Warning(Regex pattern, string source = null) =>
        ForLogLevel(LogLevel.WarningLevel, pattern, source);

    public IEventFilterApplier Info(
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    ) => ForLogLevel(LogLevel.InfoLevel, message, start, contains, source);

    public IEventFilterApplier Info(Regex pattern, string source = null) =>
        ForLogLevel(LogLevel.InfoLevel, pattern, source);

    public IEventFilterApplier Debug(
        string message = null,
        string start = null,
        string contains = null,
        string source = null
    ) => ForLogLevel(LogLevel.DebugLevel, message, start, contains, source);

    public IEventFilterApplier Debug(Regex pattern, string source = null) =>
        ForLogLevel(LogLevel.DebugLevel, pattern, source);

    protected static IStringMatcher CreateMessageMatcher(string message, string start, string contains) =>
        TextMatcher.Of(message, start, contains);

    protected IEventFilterApplier CreateApplier(EventFilterBase filter, ActorSystem system) =>
        new EventFilterApplier(_testkit, [.. _filters, filter], system);
}
