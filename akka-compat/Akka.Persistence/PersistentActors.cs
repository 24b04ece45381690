using Akka.Actor;

namespace Akka.Persistence;

/// <summary>A persistent actor with one method for commands and one for recovery, both saying whether they handled.</summary>
public abstract class PersistentActor : Eventsourced
{
    /// <inheritdoc/>
    protected override bool Receive(object message) => ReceiveCommand(message);
}

/// <summary>A persistent actor with one method for commands and one for recovery.</summary>
public abstract class UntypedPersistentActor : Eventsourced
{
    /// <summary>The surroundings of the actor that runs on this thread; throws where none does.</summary>
    protected static new IUntypedActorContext Context => (IUntypedActorContext)ActorBase.Context;

    /// <inheritdoc/>
    protected override bool Receive(object message) => ReceiveCommand(message);

    /// <inheritdoc/>
    protected sealed override bool ReceiveCommand(object message)
    {
        OnCommand(message);
        return true;
    }

    /// <inheritdoc/>
    protected sealed override bool ReceiveRecover(object message)
    {
        OnRecover(message);
        return true;
    }

    /// <summary>Handles a command. All count as handled unless this calls Unhandled.</summary>
    protected abstract void OnCommand(object message);

    /// <summary>Handles a snapshot offer, an event or <see cref="RecoveryCompleted"/>.</summary>
    protected abstract void OnRecover(object message);

    /// <summary>Replaces the current behaviour towards commands.</summary>
    protected void Become(UntypedReceive receive) => Context.Become(receive);

    /// <summary>Puts a behaviour towards commands on top of the current one.</summary>
    protected void BecomeStacked(UntypedReceive receive) => Context.BecomeStacked(receive);
}

/// <summary>A persistent actor with a handler for each type of command and of event; the first that fits handles it.</summary>
public abstract class ReceivePersistentActor : UntypedPersistentActor, IInitializableActor
{
    private readonly HandlerTable _recovers = new();
    private HandlerTable _commands = new();
    private bool _isConfiguring = true;

    void IInitializableActor.Init() => _isConfiguring = false;

    /// <inheritdoc/>
    protected sealed override void OnCommand(object message) => Handle(_commands, message);

    /// <inheritdoc/>
    protected sealed override void OnRecover(object message) => Handle(_recovers, message);

    private void Handle(HandlerTable table, object message)
    {
        if (!table.TryHandle(message))
            Unhandled(message);
    }

    /// <summary>Replaces the command handlers by those that the action declares.</summary>
    protected void Become(Action configure)
    {
        var table = Configured(configure);
        base.Become(m => Handle(table, m));
    }

    /// <summary>Puts command handlers on top of the current ones until UnbecomeStacked.</summary>
    protected void BecomeStacked(Action configure)
    {
        var table = Configured(configure);
        base.BecomeStacked(m => Handle(table, m));
    }

    private HandlerTable Configured(Action configure)
    {
        var (outer, wasConfiguring) = (_commands, _isConfiguring);
        var table = new HandlerTable();
        _commands = table;
        _isConfiguring = true;
        try
        {
            configure();
        }
        finally
        {
            _commands = outer;
            _isConfiguring = wasConfiguring;
        }
        return table;
    }

    /// <summary>
    /// Handles events (or snapshot offers) of a type, those that match if a predicate is given. Only in the
    /// constructor.
    /// </summary>
    protected void Recover<T>(Action<T> handler, Predicate<T> shouldHandle = null) =>
        AddRecover(new ActionHandler<T>(handler, shouldHandle), shouldHandle is null);

    /// <summary>As <see cref="Recover{T}(Action{T}, Predicate{T})"/>, for events that match.</summary>
    protected void Recover<T>(Predicate<T> shouldHandle, Action<T> handler) => Recover(handler, shouldHandle);

    /// <summary>As <see cref="Recover{T}(Action{T}, Predicate{T})"/>, of a type given at run time.</summary>
    protected void Recover(Type messageType, Action<object> handler, Predicate<object> shouldHandle = null) =>
        AddRecover(new TypedHandler(messageType, handler, shouldHandle), shouldHandle is null);

    /// <summary>As <see cref="Recover{T}(Action{T}, Predicate{T})"/>, of a type given at run time.</summary>
    protected void Recover(Type messageType, Predicate<object> shouldHandle, Action<object> handler) =>
        Recover(messageType, handler, shouldHandle);

    /// <summary>
    /// As <see cref="Recover{T}(Action{T}, Predicate{T})"/>; false passes the event to the next handler.
    /// </summary>
    protected void Recover<T>(Func<T, bool> handler) => AddRecover(new FuncHandler<T>(handler), false);

    /// <summary>
    /// As <see cref="Recover{T}(Action{T}, Predicate{T})"/>, of a type given at run time; false passes the event to the
    /// next handler.
    /// </summary>
    protected void Recover(Type messageType, Func<object, bool> handler) =>
        AddRecover(new TypedFuncHandler(messageType, handler), false);

    /// <summary>Handles every event; nothing can be declared after it.</summary>
    protected void RecoverAny(Action<object> handler) => AddRecover(new ActionHandler<object>(handler, null), true);

    /// <summary>
    /// Handles commands of a type, those that match if a predicate is given. Only in the constructor and inside Become.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The actor is at work already, or a handler for everything has been declared.
    /// </exception>
    protected void Command<T>(Action<T> handler, Predicate<T> shouldHandle = null) =>
        AddCommand(new ActionHandler<T>(handler, shouldHandle), shouldHandle is null);

    /// <summary>As <see cref="Command{T}(Action{T}, Predicate{T})"/>, for commands that match.</summary>
    protected void Command<T>(Predicate<T> shouldHandle, Action<T> handler) => Command(handler, shouldHandle);

    /// <summary>As <see cref="Command{T}(Action{T}, Predicate{T})"/>, of a type given at run time.</summary>
    protected void Command(Type messageType, Action<object> handler, Predicate<object> shouldHandle = null) =>
        AddCommand(new TypedHandler(messageType, handler, shouldHandle), shouldHandle is null);

    /// <summary>As <see cref="Command{T}(Action{T}, Predicate{T})"/>, of a type given at run time.</summary>
    protected void Command(Type messageType, Predicate<object> shouldHandle, Action<object> handler) =>
        Command(messageType, handler, shouldHandle);

    /// <summary>
    /// As <see cref="Command{T}(Action{T}, Predicate{T})"/>; false passes the command to the next handler.
    /// </summary>
    protected void Command<T>(Func<T, bool> handler) => AddCommand(new FuncHandler<T>(handler), false);

    /// <summary>
    /// As <see cref="Command{T}(Action{T}, Predicate{T})"/>, of a type given at run time; false passes the command to
    /// the next handler.
    /// </summary>
    protected void Command(Type messageType, Func<object, bool> handler) =>
        AddCommand(new TypedFuncHandler(messageType, handler), false);

    /// <summary>Handles every command; nothing can be declared after it.</summary>
    protected void Command(Action<object> handler) => CommandAny(handler);

    /// <summary>Handles every command; nothing can be declared after it.</summary>
    protected void CommandAny(Action<object> handler) => AddCommand(new ActionHandler<object>(handler, null), true);

    /// <summary>As Command; no other command is handled, and nothing is written, before the task ends.</summary>
    protected void CommandAsync<T>(Func<T, Task> handler, Predicate<T> shouldHandle = null) =>
        Command<T>(m => RunTask(() => handler(m)), shouldHandle);

    /// <summary>As <see cref="CommandAsync{T}(Func{T, Task}, Predicate{T})"/>, for commands that match.</summary>
    protected void CommandAsync<T>(Predicate<T> shouldHandle, Func<T, Task> handler) =>
        CommandAsync(handler, shouldHandle);

    /// <summary>As <see cref="CommandAsync{T}(Func{T, Task}, Predicate{T})"/>, of a type given at run time.</summary>
    protected void CommandAsync(Type messageType, Func<object, Task> handler, Predicate<object> shouldHandle = null) =>
        Command(messageType, m => RunTask(() => handler(m)), shouldHandle);

    /// <summary>As <see cref="CommandAsync{T}(Func{T, Task}, Predicate{T})"/>, of a type given at run time.</summary>
    protected void CommandAsync(Type messageType, Predicate<object> shouldHandle, Func<object, Task> handler) =>
        CommandAsync(messageType, handler, shouldHandle);

    /// <summary>Handles every command; no other is handled, and nothing is written, before the task ends.</summary>
    protected void CommandAnyAsync(Func<object, Task> handler) => CommandAny(m => RunTask(() => handler(m)));

    private void AddRecover(MessageHandler handler, bool isUnconditional)
    {
        RefuseOutsideConstruction("Recover");
        _recovers.Add(handler, isUnconditional);
    }

    private void AddCommand(MessageHandler handler, bool isUnconditional)
    {
        RefuseOutsideConstruction("Command");
        _commands.Add(handler, isUnconditional);
    }

    private void RefuseOutsideConstruction(string method)
    {
        if (!_isConfiguring)
            throw new InvalidOperationException(
                $"You may only call {method}-methods when constructing the actor and inside Become()."
            );
    }
}
