using Akka.Actor;

namespace Akka.Persistence;

/// <summary>A persistent actor with one method for commands and one for recovery, both saying whether they handled.</summary>
public abstract class PersistentActor : Eventsourced
{
    protected override bool Receive(object message) => ReceiveCommand(message);
}

/// <summary>A persistent actor with one method for commands and one for recovery.</summary>
public abstract class UntypedPersistentActor : Eventsourced
{
    protected static new IUntypedActorContext Context => (IUntypedActorContext)ActorBase.Context;

    protected override bool Receive(object message) => ReceiveCommand(message);

    protected sealed override bool ReceiveCommand(object message)
    {
        OnCommand(message);
        return true;
    }

    protected sealed override bool ReceiveRecover(object message)
    {
        OnRecover(message);
        return true;
    }

    protected abstract void OnCommand(object message);

    protected abstract void OnRecover(object message);

    protected void Become(UntypedReceive receive) => Context.Become(receive);

    protected void BecomeStacked(UntypedReceive receive) => Context.BecomeStacked(receive);
}

/// <summary>A persistent actor with a handler for each type of command and of event; the first that fits handles it.</summary>
public abstract class ReceivePersistentActor : UntypedPersistentActor, IInitializableActor
{
    private readonly HandlerTable _recovers = new();
    private HandlerTable _commands = new();
    private bool _isConfiguring = true;

    void IInitializableActor.Init() => _isConfiguring = false;

    protected sealed override void OnCommand(object message) => Handle(_commands, message);

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

    protected void Recover<T>(Action<T> handler, Predicate<T> shouldHandle = null) =>
        AddRecover(new ActionHandler<T>(handler, shouldHandle), shouldHandle is null);

    protected void Recover<T>(Predicate<T> shouldHandle, Action<T> handler) => Recover(handler, shouldHandle);

    protected void Recover(Type messageType, Action<object> handler, Predicate<object> shouldHandle = null) =>
        AddRecover(new TypedHandler(messageType, handler, shouldHandle), shouldHandle is null);

    protected void Recover(Type messageType, Predicate<object> shouldHandle, Action<object> handler) =>
        Recover(messageType, handler, shouldHandle);

    protected void Recover<T>(Func<T, bool> handler) => AddRecover(new FuncHandler<T>(handler), false);

    protected void Recover(Type messageType, Func<object, bool> handler) =>
        AddRecover(new TypedFuncHandler(messageType, handler), false);

    protected void RecoverAny(Action<object> handler) => AddRecover(new ActionHandler<object>(handler, null), true);

    protected void Command<T>(Action<T> handler, Predicate<T> shouldHandle = null) =>
        AddCommand(new ActionHandler<T>(handler, shouldHandle), shouldHandle is null);

    protected void Command<T>(Predicate<T> shouldHandle, Action<T> handler) => Command(handler, shouldHandle);

    protected void Command(Type messageType, Action<object> handler, Predicate<object> shouldHandle = null) =>
        AddCommand(new TypedHandler(messageType, handler, shouldHandle), shouldHandle is null);

    protected void Command(Type messageType, Predicate<object> shouldHandle, Action<object> handler) =>
        Command(messageType, handler, shouldHandle);

    protected void Command<T>(Func<T, bool> handler) => AddCommand(new FuncHandler<T>(handler), false);

    protected void Command(Type messageType, Func<object, bool> handler) =>
        AddCommand(new TypedFuncHandler(messageType, handler), false);

    protected void Command(Action<object> handler) => CommandAny(handler);

    protected void CommandAny(Action<object> handler) => AddCommand(new ActionHandler<object>(handler, null), true);

    protected void CommandAsync<T>(Func<T, Task> handler, Predicate<T> shouldHandle = null) =>
        Command<T>(m => RunTask(() => handler(m)), shouldHandle);

    protected void CommandAsync<T>(Predicate<T> shouldHandle, Func<T, Task> handler) =>
        CommandAsync(handler, shouldHandle);

    protected void CommandAsync(Type messageType, Func<object, Task> handler, Predicate<object> shouldHandle = null) =>
        Command(messageType, m => RunTask(() => handler(m)), shouldHandle);

    protected void CommandAsync(Type messageType, Predicate<object> shouldHandle, Func<object, Task> handler) =>
        CommandAsync(messageType, handler, shouldHandle);

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
