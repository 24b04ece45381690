using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Akka.Dispatch;

// A mailbox that becomes runnable while a pool thread runs an actor waits in that thread's slot and is run there when the
// actor's turn is over: no trip through the pool's queue, and its messages are still in this core's cache. The slot has
// places for a few, in line: where an actor wakes two, the chain goes on with both. With ten thousand chains under way,
// each of which goes round all others whenever it is cut, everything that it touches is out of the cache by then.
//
// What keeps it from waiting for an actor that blocks, or that takes long while another core is idle: as long as a slot
// may be full, a rescue is queued in the pool, at the place where the mailbox itself would have been. Whichever thread
// the pool has for it (an idle one, or one that the pool adds because all others are blocked) empties all slots. So a
// mailbox in a slot runs no later than one in the queue would: nothing here needs to know why an actor does not return.

/// <summary>What the dispatchers keep for one thread of the pool.</summary>
internal sealed class PoolWorker
{
    /// <summary>Places of a thread's slot, a power of two. An actor that makes another and tells a third wakes two in one turn.</summary>
    private const int Places = 4;

    [InlineArray(Places)]
    private struct Waiting
    {
        private Mailbox _first;
    }

    /// <summary>A slot on cache lines of its own: its thread writes it for every hand-over.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256 + Places * 8)]
    private struct Slot
    {
        [FieldOffset(128)]
        internal Waiting Mailboxes;
    }

    /// <summary>A flag on cache lines of its own: every hand-over reads it.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Flag
    {
        [FieldOffset(128)]
        internal int IsSet;
    }

    /// <summary>How many full turns' messages a chain may have. Longer ones gain nothing more: docs/decisions/0014-fleet-memory.md.</summary>
    private const int TurnsOfChain = 8;

    private const int MostCredit = 4;
    private const int RestingTime = 64;

    [ThreadStatic]
    private static PoolWorker _current;

    private static readonly Lock Registration = new();
    private static readonly Rescue TheRescue = new();

    /// <summary>Every thread that has run a turn and lives. Replaced as a whole, under the lock.</summary>
    private static PoolWorker[] _all = [];

    /// <summary>Set while a rescue is in the pool's queue.</summary>
    private static Flag _rescueQueued;

    /// <summary>For tests: called by a rescue between looking at the slots and running what it found.</summary>
    internal static Action RescueHasLooked;

    private readonly Thread _thread = Thread.CurrentThread;
    private readonly ExecutionContext _cleanContext = ExecutionContext.Capture();

    /// <summary>Filled by this thread only, in a circle; emptied by it and by a rescue, whoever exchanges first.</summary>
    private Slot _slot;

    /// <summary>Mailboxes that this thread has put into the slot so far. Read and written by it alone, as is the next.</summary>
    private uint _filled;

    /// <summary>How many of these this thread has taken out again, or found that a rescue has.</summary>
    private uint _taken;

    /// <summary>Whether the turn that runs on this thread may fill the slot. Read and written by it alone.</summary>
    private bool _offersSlot;

    /// <summary>How many short chains in a row are forgiven before this thread rests from handing over.</summary>
    private int _credit;

    /// <summary>Items of the pool that this thread is to run before it hands over again.</summary>
    private int _rest;

    /// <summary>Sees to it that a mailbox gets a turn soon. Any thread.</summary>
    internal static void Schedule(Mailbox mailbox)
    {
        var worker = _current;
        if (worker is null || !worker._offersSlot || worker._filled - worker._taken == Places)
        {
            ScheduleInQueue(mailbox);
            return;
        }
        // A full fence between filling the slot and reading the flag, and one in the rescue between clearing the flag and
        // reading the slots: one of the two sees the other. Without it, a mailbox could be left to an actor that blocks.
        Interlocked.Exchange(ref worker.PlaceOf(worker._filled++), mailbox);
        if (Volatile.Read(ref _rescueQueued.IsSet) == 0)
            QueueRescue();
    }

    // Through the shared queue: the thread's own one is last in, first out, which starves what was scheduled first.
    internal static void ScheduleInQueue(Mailbox mailbox) =>
        ThreadPool.UnsafeQueueUserWorkItem(mailbox, preferLocal: false);

    private static void QueueRescue()
    {
        if (Interlocked.Exchange(ref _rescueQueued.IsSet, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(TheRescue, preferLocal: false);
    }

    /// <summary>
    /// Gives a mailbox its turn, then the one that its actor woke, and so on, until they have handled as many messages
    /// as eight full turns could: what waits in the pool's queue waits no longer than that.
    /// </summary>
    internal static void RunTurns(Mailbox first)
    {
        var worker = _current ??= Register();
        worker._offersSlot = worker._rest == 0;
        if (!worker._offersSlot)
            worker._rest--;
        var handedOver = 0;
        try
        {
            var left = TurnsOfChain * Math.Max(first.Cell.Dispatcher.Throughput, 1) - first.RunTurn();
            while (worker.TakeNext() is { } next)
            {
                if (left <= 0)
                {
                    ScheduleInQueue(next);
                    break;
                }
                handedOver++;
                worker.ResetContext();
                left -= next.RunTurn();
            }
        }
        finally
        {
            worker._offersSlot = false;
            while (worker.TakeNext() is { } abandoned)
                ScheduleInQueue(abandoned);
            worker.Judge(handedOver);
        }
    }

    /// <summary>
    /// Following a message pays where it goes on or comes back. Where chains end with the first hand-over (many actors
    /// that answer one), it costs: the receiver would have found many messages at once. Then this thread rests from it.
    /// </summary>
    private void Judge(int handedOver)
    {
        if (handedOver > 1)
            _credit = Math.Min(_credit + 1, MostCredit);
        else if (handedOver == 1 && _credit-- == 0)
            (_credit, _rest) = (0, RestingTime);
    }

    private ref Mailbox PlaceOf(uint number) => ref _slot.Mailboxes[(int)(number % Places)];

    /// <summary>Takes what has waited longest in this thread's slot; null when it is empty or a rescue was faster.</summary>
    private Mailbox TakeNext()
    {
        while (_taken != _filled)
        {
            if (TakeFrom(ref PlaceOf(_taken++)) is { } next)
                return next;
        }
        return null;
    }

    private static Mailbox TakeFrom(ref Mailbox place) =>
        Volatile.Read(ref place) is null ? null : Interlocked.Exchange(ref place, null);

    /// <summary>As the pool does between two items: what an actor set for its asynchronous flow ends with its turn.</summary>
    private void ResetContext()
    {
        if (!ReferenceEquals(ExecutionContext.Capture(), _cleanContext))
            ExecutionContext.Restore(_cleanContext);
        if (SynchronizationContext.Current is not null)
            SynchronizationContext.SetSynchronizationContext(null);
    }

    private static PoolWorker Register()
    {
        var worker = new PoolWorker();
        lock (Registration)
            Volatile.Write(ref _all, [.. _all.Where(w => w._thread.IsAlive), worker]);
        return worker;
    }

    /// <summary>Takes what waits in slots to threads that have time.</summary>
    private sealed class Rescue : IThreadPoolWorkItem
    {
        /// <inheritdoc/>
        public void Execute()
        {
            // Before the slots are looked at, with a full fence: who fills one later queues another rescue.
            Interlocked.Exchange(ref _rescueQueued.IsSet, 0);
            Mailbox first = null;
            foreach (var worker in Volatile.Read(ref _all))
            {
                for (uint place = 0; place < Places; place++)
                {
                    if (TakeFrom(ref worker.PlaceOf(place)) is not { } taken)
                        continue;
                    if (first is null)
                        first = taken;
                    else
                        ScheduleInQueue(taken);
                }
            }
            RescueHasLooked?.Invoke();
            if (first is not null)
                RunTurns(first);
        }
    }
}
