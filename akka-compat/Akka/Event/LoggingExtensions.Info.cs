namespace Akka.Event;

public static partial class LoggingExtensions
{
    /// <summary>Publishes a text as it is, without arguments: braces mean nothing in it.</summary>
    public static void Info(this ILoggingAdapter log, string format) => log.Log(LogLevel.InfoLevel, null, format);

    /// <summary>Publishes a text as it is, with a cause: braces mean nothing in it.</summary>
    public static void Info(this ILoggingAdapter log, Exception cause, string format) =>
        log.Log(LogLevel.InfoLevel, cause, format);

    /// <summary>Publishes a template with its arguments, which are put in when somebody reads it.</summary>
    public static void Info(this ILoggingAdapter log, string format, object[] args) =>
        Write(log, LogLevel.InfoLevel, null, format, args);

    /// <summary>
    /// Publishes a template with its arguments, which are put in when somebody reads it, and a cause.
    /// </summary>
    public static void Info(this ILoggingAdapter log, Exception cause, string format, object[] args) =>
        Write(log, LogLevel.InfoLevel, cause, format, args);

    /// <summary>A template and its arguments; they are boxed only when the level is enabled.</summary>
    public static void Info<T1>(this ILoggingAdapter log, string format, T1 arg1) =>
        log.Log(LogLevel.InfoLevel, null, format, arg1);

    /// <summary>A template, its arguments and a cause; they are boxed only when the level is enabled.</summary>
    public static void Info<T1>(this ILoggingAdapter log, Exception cause, string format, T1 arg1) =>
        log.Log(LogLevel.InfoLevel, cause, format, arg1);

    /// <summary>A template and its arguments; they are boxed only when the level is enabled.</summary>
    public static void Info<T1, T2>(this ILoggingAdapter log, string format, T1 arg1, T2 arg2) =>
        log.Log(LogLevel.InfoLevel, null, format, arg1, arg2);

    /// <summary>A template, its arguments and a cause; they are boxed only when the level is enabled.</summary>
    public static void Info<T1, T2>(this ILoggingAdapter log, Exception cause, string format, T1 arg1, T2 arg2) =>
        log.Log(LogLevel.InfoLevel, cause, format, arg1, arg2);

    /// <summary>A template and its arguments; they are boxed only when the level is enabled.</summary>
    public static void Info<T1, T2, T3>(this ILoggingAdapter log, string format, T1 arg1, T2 arg2, T3 arg3) =>
        log.Log(LogLevel.InfoLevel, null, format, arg1, arg2, arg3);

    /// <summary>A template, its arguments and a cause; they are boxed only when the level is enabled.</summary>
    public static void Info<T1, T2, T3>(
        this ILoggingAdapter log,
        Exception cause,
        string format,
        T1 arg1,
        T2 arg2,
        T3 arg3
    ) => log.Log(LogLevel.InfoLevel, cause, format, arg1, arg2, arg3);

    /// <summary>A template and its arguments; they are boxed only when the level is enabled.</summary>
    public static void Info<T1, T2, T3, T4>(
        this ILoggingAdapter log,
        string format,
        T1 arg1,
        T2 arg2,
        T3 arg3,
        T4 arg4
    ) => log.Log(LogLevel.InfoLevel, null, format, arg1, arg2, arg3, arg4);

    /// <summary>A template, its arguments and a cause; they are boxed only when the level is enabled.</summary>
    public static void Info<T1, T2, T3, T4>(
        this ILoggingAdapter log,
        Exception cause,
        string format,
        T1 arg1,
        T2 arg2,
        T3 arg3,
        T4 arg4
    ) => log.Log(LogLevel.InfoLevel, cause, format, arg1, arg2, arg3, arg4);

    /// <summary>A template and its arguments; they are boxed only when the level is enabled.</summary>
    public static void Info<T1, T2, T3, T4, T5>(
        this ILoggingAdapter log,
        string format,
        T1 arg1,
        T2 arg2,
        T3 arg3,
        T4 arg4,
        T5 arg5
    ) => log.Log(LogLevel.InfoLevel, null, format, arg1, arg2, arg3, arg4, arg5);

    /// <summary>A template, its arguments and a cause; they are boxed only when the level is enabled.</summary>
    public static void Info<T1, T2, T3, T4, T5>(
        this ILoggingAdapter log,
        Exception cause,
        string format,
        T1 arg1,
        T2 arg2,
        T3 arg3,
        T4 arg4,
        T5 arg5
    ) => log.Log(LogLevel.InfoLevel, cause, format, arg1, arg2, arg3, arg4, arg5);

    /// <summary>A template and its arguments; they are boxed only when the level is enabled.</summary>
    public static void Info<T1, T2, T3, T4, T5, T6>(
        this ILoggingAdapter log,
        string format,
        T1 arg1,
        T2 arg2,
        T3 arg3,
        T4 arg4,
        T5 arg5,
        T6 arg6
    ) => log.Log(LogLevel.InfoLevel, null, format, arg1, arg2, arg3, arg4, arg5, arg6);

    /// <summary>A template, its arguments and a cause; they are boxed only when the level is enabled.</summary>
    public static void Info<T1, T2, T3, T4, T5, T6>(
        this ILoggingAdapter log,
        Exception cause,
        string format,
        T1 arg1,
        T2 arg2,
        T3 arg3,
        T4 arg4,
        T5 arg5,
        T6 arg6
    ) => log.Log(LogLevel.InfoLevel, cause, format, arg1, arg2, arg3, arg4, arg5, arg6);
}
