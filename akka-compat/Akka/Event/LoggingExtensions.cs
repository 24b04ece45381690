namespace Akka.Event;

/// <summary>One method for each level, with and without a cause, with up to six arguments.</summary>
public static partial class LoggingExtensions
{
    /// <summary>Publishes a text as it is: braces mean nothing in it.</summary>
    public static void Log(this ILoggingAdapter log, LogLevel level, string format) => log.Log(level, null, format);

    /// <summary>Publishes a template with its arguments.</summary>
    public static void Log(this ILoggingAdapter log, LogLevel level, string format, object[] args) =>
        Write(log, level, null, format, args);

    /// <summary>Publishes a template with its arguments and a cause, which may be null.</summary>
    public static void Log(this ILoggingAdapter log, LogLevel level, Exception cause, string format, object[] args) =>
        Write(log, level, cause, format, args);

    /// <summary>
    /// Publishes a template with its arguments and a cause, which may be null; the arguments are boxed only when the
    /// level is enabled.
    /// </summary>
    public static void Log<T1>(this ILoggingAdapter log, LogLevel logLevel, Exception cause, string format, T1 arg1)
    {
        if (log.IsEnabled(logLevel))
            Write(log, logLevel, cause, format, [arg1]);
    }

    /// <summary>
    /// Publishes a template with its arguments and a cause, which may be null; the arguments are boxed only when the
    /// level is enabled.
    /// </summary>
    public static void Log<T1, T2>(
        this ILoggingAdapter log,
        LogLevel logLevel,
        Exception cause,
        string format,
        T1 arg1,
        T2 arg2
    )
    {
        if (log.IsEnabled(logLevel))
            Write(log, logLevel, cause, format, [arg1, arg2]);
    }

    /// <summary>
    /// Publishes a template with its arguments and a cause, which may be null; the arguments are boxed only when the
    /// level is enabled.
    /// </summary>
    public static void Log<T1, T2, T3>(
        this ILoggingAdapter log,
        LogLevel logLevel,
        Exception cause,
        string format,
        T1 arg1,
        T2 arg2,
        T3 arg3
    )
    {
        if (log.IsEnabled(logLevel))
            Write(log, logLevel, cause, format, [arg1, arg2, arg3]);
    }

    /// <summary>
    /// Publishes a template with its arguments and a cause, which may be null; the arguments are boxed only when the
    /// level is enabled.
    /// </summary>
    public static void Log<T1, T2, T3, T4>(
        this ILoggingAdapter log,
        LogLevel logLevel,
        Exception cause,
        string format,
        T1 arg1,
        T2 arg2,
        T3 arg3,
        T4 arg4
    )
    {
        if (log.IsEnabled(logLevel))
            Write(log, logLevel, cause, format, [arg1, arg2, arg3, arg4]);
    }

    /// <summary>
    /// Publishes a template with its arguments and a cause, which may be null; the arguments are boxed only when the
    /// level is enabled.
    /// </summary>
    public static void Log<T1, T2, T3, T4, T5>(
        this ILoggingAdapter log,
        LogLevel logLevel,
        Exception cause,
        string format,
        T1 arg1,
        T2 arg2,
        T3 arg3,
        T4 arg4,
        T5 arg5
    )
    {
        if (log.IsEnabled(logLevel))
            Write(log, logLevel, cause, format, [arg1, arg2, arg3, arg4, arg5]);
    }

    /// <summary>
    /// Publishes a template with its arguments and a cause, which may be null; the arguments are boxed only when the
    /// level is enabled.
    /// </summary>
    public static void Log<T1, T2, T3, T4, T5, T6>(
        this ILoggingAdapter log,
        LogLevel logLevel,
        Exception cause,
        string format,
        T1 arg1,
        T2 arg2,
        T3 arg3,
        T4 arg4,
        T5 arg5,
        T6 arg6
    )
    {
        if (log.IsEnabled(logLevel))
            Write(log, logLevel, cause, format, [arg1, arg2, arg3, arg4, arg5, arg6]);
    }

    private static void Write(ILoggingAdapter log, LogLevel level, Exception cause, string format, object[] args)
    {
        if (log.IsEnabled(level))
            log.Log(level, cause, new ParameterizedLogMessage(log.Formatter, format, args));
    }
}
