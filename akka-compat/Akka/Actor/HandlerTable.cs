namespace Akka.Actor;

/// <summary>The handlers of a receive actor in the order of their declaration.</summary>
internal sealed class HandlerTable
{
    private MessageHandler[] _handlers = [];
    private int _count;
    private bool _catchesAll;

    internal void Add(MessageHandler handler, bool isUnconditional)
    {
        if (_catchesAll)
            throw new InvalidOperationException(
                "A handler that catches all messages has been added. No handler can be added after that."
            );
        if (_count == _handlers.Length)
            Array.Resize(ref _handlers, _count == 0 ? 2 : _count * 2);
        _handlers[_count++] = handler;
        _catchesAll = isUnconditional && handler.MessageType == typeof(object);
    }

    internal bool TryHandle(object message)
    {
        var handlers = _handlers;
        for (var i = 0; i < handlers.Length && handlers[i] is { } handler; i++)
        {
            if (handler.TryHandle(message))
                return true;
        }
        return false;
    }
}

/// <summary>One handler: looks at the message and says whether it took it.</summary>
internal abstract class MessageHandler
{
    internal abstract Type MessageType { get; }
    internal abstract bool TryHandle(object message);
}

internal sealed class ActionHandler<T>(Action<T> handler, Predicate<T> shouldHandle) : MessageHandler
{
    internal override Type MessageType => typeof(T);

    internal override bool TryHandle(object message)
    {
        if (message is not T typed || (shouldHandle is not null && !shouldHandle(typed)))
            return false;
        handler(typed);
        return true;
    }
}

internal sealed class FuncHandler<T>(Func<T, bool> handler) : MessageHandler
{
    internal override Type MessageType => typeof(T);

    internal override bool TryHandle(object message) => message is T typed && handler(typed);
}

internal sealed class TypedHandler(Type type, Action<object> handler, Predicate<object> shouldHandle) : MessageHandler
{
    internal override Type MessageType => type;

    internal override bool TryHandle(object message)
    {
        if (!type.IsInstanceOfType(message) || (shouldHandle is not null && !shouldHandle(message)))
            return false;
        handler(message);
        return true;
    }
}

internal sealed class TypedFuncHandler(Type type, Func<object, bool> handler) : MessageHandler
{
    internal override Type MessageType => type;

    internal override bool TryHandle(object message) => type.IsInstanceOfType(message) && handler(message);
}
