using System.Diagnostics;

namespace Akka.TestKit;

/// <summary>The messages of a test actor, waited for by its test. Safe for any thread.</summary>
internal sealed class EnvelopeQueue
{
    private readonly object _gate = new();
    private readonly LinkedList<MessageEnvelope> _items = new();
    private TaskCompletionSource _arrival;

    internal int Count
    {
        get
        {
            lock (_gate)
                return _items.Count;
        }
    }

    internal void Add(MessageEnvelope envelope)
    {
        TaskCompletionSource arrival;
        lock (_gate)
        {
            _items.AddLast(envelope);
            arrival = _arrival;
            _arrival = null;
            Monitor.PulseAll(_gate);
        }
        arrival?.TrySetResult();
    }

    internal List<MessageEnvelope> TakeAll()
    {
        lock (_gate)
        {
            var all = _items.ToList();
            _items.Clear();
            return all;
        }
    }

    /// <summary>The first message, taken unless only looked at; null when there is none now.</summary>
    internal MessageEnvelope TakeNow(bool peek)
    {
        lock (_gate)
        {
            if (_items.First is not { } first)
                return null;
            if (!peek)
                _items.RemoveFirst();
            return first.Value;
        }
    }

    /// <summary>Waits on this thread. A negative timeout waits for ever.</summary>
    internal MessageEnvelope Take(TimeSpan timeout, bool peek, CancellationToken token)
    {
        using var registration = token.CanBeCanceled ? token.Register(Wake) : default;
        var watch = Stopwatch.StartNew();
        lock (_gate)
        {
            while (_items.Count == 0)
            {
                token.ThrowIfCancellationRequested();
                var left = timeout - watch.Elapsed;
                if (timeout < TimeSpan.Zero)
                    Monitor.Wait(_gate);
                else if (left <= TimeSpan.Zero)
                    return null;
                else
                    Monitor.Wait(_gate, (int)Math.Min(Math.Ceiling(left.TotalMilliseconds), int.MaxValue));
            }
            return TakeNow(peek);
        }
    }

    /// <summary>Waits without a thread. A negative timeout waits for ever.</summary>
    internal async ValueTask<MessageEnvelope> TakeAsync(TimeSpan timeout, bool peek, CancellationToken token)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            Task arrival;
            lock (_gate)
            {
                if (_items.Count > 0)
                    return TakeNow(peek);
                _arrival ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                arrival = _arrival.Task;
            }
            token.ThrowIfCancellationRequested();
            if (timeout < TimeSpan.Zero)
            {
                await arrival.WaitAsync(token).ConfigureAwait(false);
                continue;
            }
            var left = timeout - watch.Elapsed;
            if (left <= TimeSpan.Zero)
                return null;
            try
            {
                await arrival.WaitAsync(left, token).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return TakeNow(peek);
            }
        }
    }

    private void Wake()
    {
        lock (_gate)
            Monitor.PulseAll(_gate);
    }
}
