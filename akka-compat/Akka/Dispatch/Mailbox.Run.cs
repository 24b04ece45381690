using Akka.Actor;
using Akka.Dispatch.SysMsg;

namespace Akka.Dispatch;

internal sealed partial class Mailbox
{
    /// <summary>Somebody is, or is about to be, the consumer.</summary>
    private const int Scheduled = 1;

    /// <summary>The actor is gone: what arrives goes to dead letters.</summary>
    private const int Closed = 2;

    private int _state;

    /// <summary>How often the actor was suspended and not yet resumed. Written by the consumer.</summary>
    private int _suspensions;

    internal bool IsClosed => (Volatile.Read(ref _state) & Closed) != 0;
    internal bool IsSuspended => Volatile.Read(ref _suspensions) > 0;
    internal bool IsScheduled => (Volatile.Read(ref _state) & Scheduled) != 0;

    /// <summary>Whether a turn would find something to do.</summary>
    internal bool HasWork =>
        IsClosed ? HasMessages : HasSystemMessages || (Volatile.Read(ref _suspensions) == 0 && HasMessages);

    internal void SuspendOnce() => Volatile.Write(ref _suspensions, _suspensions + 1);

    /// <summary>Undoes one suspension; more resumes than suspensions do nothing.</summary>
    internal void ResumeOnce()
    {
        if (_suspensions > 0)
            Volatile.Write(ref _suspensions, _suspensions - 1);
    }

    /// <summary>Takes the turn if nobody has it and hands the mailbox to the dispatcher.</summary>
    internal void TrySchedule()
    {
        if ((Interlocked.Or(ref _state, Scheduled) & Scheduled) == 0)
            _cell.Dispatcher.Execute(this);
    }

    /// <summary>Called by the thread pool.</summary>
    public void Execute()
    {
        if (_cell.Dispatcher is ThreadPoolDispatcher { HandsOver: true })
            PoolWorker.RunTurns(this);
        else
            RunTurn();
    }

    /// <inheritdoc/>
    public void Run() => RunTurn();

    /// <summary>A turn: a batch of messages. Says how many there were, at least one.</summary>
    internal int RunTurn()
    {
        var outer = ActorCell.Enter(_cell);
        var dispatcher = _cell.Dispatcher;
        try
        {
            ProcessSystemMessages();
            var handled = ProcessUserMessages(dispatcher);
            if (IsClosed)
                DrainToDeadLetters();
            return handled;
        }
        finally
        {
            ActorCell.Leave(outer);
            EndTurn(dispatcher);
        }
    }

    /// <summary>A turn under simulation: one message.</summary>
    internal object ExecuteOne()
    {
        var outer = ActorCell.Enter(_cell);
        try
        {
            if (IsClosed)
            {
                DrainToDeadLetters();
                return null;
            }
            if (NextSystemMessage() is { } system)
            {
                _cell.SystemInvoke(system);
                return system;
            }
            if (_suspensions > 0 || !TryDequeue(out var message, out var sender))
                return null;
            _cell.Invoke(message, sender);
            return message;
        }
        finally
        {
            ActorCell.Leave(outer);
            EndTurn(_cell.Dispatcher);
        }
    }

    ActorPath Simulation.IReadyWork.Path => _cell.Self.Path;

    object Simulation.IReadyWork.RunOne() => ExecuteOne();

    private void EndTurn(MessageDispatcher dispatcher)
    {
        // Clearing the bit is a full fence: a producer that still saw the bit set has its message visible to HasWork.
        Interlocked.And(ref _state, ~Scheduled);
        if (HasWork && (Interlocked.Or(ref _state, Scheduled) & Scheduled) == 0)
            dispatcher.ExecuteAgain(this);
    }

    private void ProcessSystemMessages()
    {
        while (NextSystemMessage() is { } message)
        {
            _cell.SystemInvoke(message);
            if (IsClosed)
                return;
        }
    }

    private int ProcessUserMessages(MessageDispatcher dispatcher)
    {
        var handled = 0;
        var most = Math.Max(dispatcher.Throughput, 1);
        var deadline = dispatcher.DeadlineTicks is { } ticks ? dispatcher.MonotonicTicks + ticks : long.MaxValue;
        while (_suspensions == 0 && (_state & Closed) == 0 && TryDequeue(out var message, out var sender))
        {
            _cell.Invoke(message, sender);
            if (HasSystemMessages)
                ProcessSystemMessages();
            if (++handled >= most || (deadline != long.MaxValue && dispatcher.MonotonicTicks >= deadline))
                break;
        }
        return Math.Max(handled, 1);
    }

    /// <summary>Closes the mailbox for good: what waits and what comes goes to dead letters. Only by the consumer.</summary>
    internal void Close()
    {
        Interlocked.Or(ref _state, Closed);
        var rest = Reverse(Interlocked.Exchange(ref _systemNewest, ClosedQueue.Instance));
        var taken = _cell.SystemTaken;
        _cell.SystemTaken = null;
        ForwardSystem(taken);
        ForwardSystem(rest);
        DrainToDeadLetters();
    }

    private void ForwardSystem(SystemMessage oldest)
    {
        while (oldest is not null)
        {
            var next = oldest.Next;
            oldest.Next = null;
            if (oldest is not ClosedQueue)
                _cell.SystemToDeadLetters(oldest);
            oldest = next;
        }
    }

    private void DrainToDeadLetters()
    {
        while (TryDequeue(out var message, out var sender))
            _cell.ToDeadLetters(message, sender);
    }
}
