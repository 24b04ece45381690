namespace Akka.Actor;

/// <summary>An actor with a handler for each type of message; the first that fits handles it.</summary>
public abstract class ReceiveActor : UntypedActor, IInitializableActor
{
    private HandlerTable _handlers = new();
    private bool _isConfiguring = true;

    void IInitializableActor.Init()
    {
        // From here on only Become may declare handlers.
        _isConfiguring = false;
    }

    /// <inheritdoc/>
    protected sealed override void OnReceive(object message)
    {
        if (!_handlers.TryHandle(message))
            Unhandled(message);
    }

    /// <summary>Replaces the handlers by those that the action declares.</summary>
    protected void Become(Action configure)
    {
        var table = Configured(configure);
        base.Become(m => Execute(table, m));
    }

    /// <summary>Puts handlers on top of the current ones until UnbecomeStacked.</summary>
    protected void BecomeStacked(Action configure)
    {
        var table = Configured(configure);
        base.BecomeStacked(m => Execute(table, m));
    }

    private void Execute(HandlerTable table, object message)
    {
        if (!table.TryHandle(message))
            Unhandled(message);
    }

    private HandlerTable Configured(Action configure)
    {
        var (outer, wasConfiguring) = (_handlers, _isConfiguring);
        var table = new HandlerTable();
        _handlers = table;
        _isConfiguring = true;
        try
        {
            configure();
        }
        finally
        {
            _handlers = outer;
            _isConfiguring = wasConfiguring;
        }
        return table;
    }

    /// <summary>Handles messages of a type, those that match if a predicate is given.</summary>
    protected void Receive<T>(Action<T> handler, Predicate<T> shouldHandle = null) =>
        Add(new ActionHandler<T>(handler, shouldHandle), shouldHandle is null);

    /// <summary>Handles messages of a type that match.</summary>
    protected void Receive<T>(Predicate<T> shouldHandle, Action<T> handler) => Receive(handler, shouldHandle);

    /// <summary>Handles messages of a type given at run time, those that match if a predicate is given.</summary>
    protected void Receive(Type messageType, Action<object> handler, Predicate<object> shouldHandle = null) =>
        Add(new TypedHandler(messageType, handler, shouldHandle), shouldHandle is null);

    /// <summary>Handles messages of a type given at run time that match.</summary>
    protected void Receive(Type messageType, Predicate<object> shouldHandle, Action<object> handler) =>
        Receive(messageType, handler, shouldHandle);

    /// <summary>Handles messages of a type; false passes the message to the next handler.</summary>
    protected void Receive<T>(Func<T, bool> handler) => Add(new FuncHandler<T>(handler), false);

    /// <summary>As <see cref="Receive{T}(Func{T, bool})"/>, of a type given at run time.</summary>
    protected void Receive(Type messageType, Func<object, bool> handler) =>
        Add(new TypedFuncHandler(messageType, handler), false);

    /// <summary>Handles every message; nothing can be declared after it.</summary>
    protected void ReceiveAny(Action<object> handler) => Add(new ActionHandler<object>(handler, null), true);

    /// <summary>As Receive; no other message is handled before the task ends.</summary>
    protected void ReceiveAsync<T>(Func<T, Task> handler, Predicate<T> shouldHandle = null) =>
        Receive(m => RunTask(() => handler(m)), shouldHandle);

    /// <summary>As <see cref="ReceiveAsync{T}(Func{T, Task}, Predicate{T})"/>, for messages that match.</summary>
    protected void ReceiveAsync<T>(Predicate<T> shouldHandle, Func<T, Task> handler) =>
        ReceiveAsync(handler, shouldHandle);

    /// <summary>As <see cref="ReceiveAsync{T}(Func{T, Task}, Predicate{T})"/>, of a type given at run time.</summary>
    protected void ReceiveAsync(Type messageType, Func<object, Task> handler, Predicate<object> shouldHandle = null) =>
        Receive(messageType, m => RunTask(() => handler(m)), shouldHandle);

    /// <summary>
    /// As <see cref="ReceiveAsync{T}(Func{T, Task}, Predicate{T})"/>, of a type given at run time, for messages that
    /// match.
    /// </summary>
    protected void ReceiveAsync(Type messageType, Predicate<object> shouldHandle, Func<object, Task> handler) =>
        ReceiveAsync(messageType, handler, shouldHandle);

    /// <summary>As ReceiveAny; no other message is handled before the task ends.</summary>
    protected void ReceiveAnyAsync(Func<object, Task> handler) => ReceiveAny(m => RunTask(() => handler(m)));

    private void Add(MessageHandler handler, bool isUnconditional)
    {
        if (!_isConfiguring)
            throw new InvalidOperationException(
                "You may only call Receive-methods when constructing the actor and inside Become()."
            );
        _handlers.Add(handler, isUnconditional);
    }
}
