namespace Akka.Simulation;

/// <summary>The work that is ready, and the choice among it.</summary>
internal abstract class ReadySet
{
    internal abstract int Count { get; }
    internal abstract void Add(IReadyWork work);
    internal abstract IReadyWork Take(long step);

    /// <summary>The work will not be added again.</summary>
    internal virtual void Forget(IReadyWork work) { }
}

/// <summary>Every piece of work is equally likely.</summary>
internal sealed class RandomReadySet(Xoshiro256 random) : ReadySet
{
    private readonly List<Entry> _work = [];

    internal override int Count => _work.Count;

    internal override void Add(IReadyWork work) => _work.Add(new Entry(work));

    internal override IReadyWork Take(long step)
    {
        var at = _work.Count == 1 ? 0 : random.Below(_work.Count);
        var chosen = _work[at];
        _work[at] = _work[^1];
        _work.RemoveAt(_work.Count - 1);
        return chosen.Work;
    }

    // An array of interfaces is asked at every write whether it may hold what is written; one of structs is not.
    private readonly record struct Entry(IReadyWork Work);
}

/// <summary>
/// Probabilistic concurrency testing: every mailbox has a random priority, the highest runs; at depth - 1 random steps
/// the one that would run is put below all others.
/// </summary>
internal sealed class PriorityReadySet : ReadySet
{
    private readonly Xoshiro256 _random;
    private readonly PriorityQueue<IReadyWork, (ulong Rank, long Sequence)> _queue = new();
    private readonly Dictionary<IReadyWork, ulong> _ranks = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<long> _changePoints = [];
    private ulong _lowest = 1UL << 63;
    private long _sequence;

    internal PriorityReadySet(Xoshiro256 random, SimulationStrategy.PriorityChanges settings)
    {
        _random = random;
        for (var i = 1; i < settings.BugDepth; i++)
            _changePoints.Add((long)(random.Next() % (ulong)settings.ExpectedSteps));
    }

    internal override int Count => _queue.Count;

    internal override void Add(IReadyWork work)
    {
        // Lower is more urgent. Ranks below 2^63 are drawn, those above count demotions.
        if (!_ranks.TryGetValue(work, out var rank))
        {
            rank = _random.Next() >> 1;
            if (work is Dispatch.Mailbox)
                _ranks[work] = rank;
        }
        _queue.Enqueue(work, (rank, _sequence++));
    }

    internal override IReadyWork Take(long step)
    {
        var chosen = _queue.Dequeue();
        if (_changePoints.Remove(step) && _queue.Count > 0)
        {
            _ranks[chosen] = ++_lowest;
            _queue.Enqueue(chosen, (_lowest, _sequence++));
            chosen = _queue.Dequeue();
        }
        return chosen;
    }

    internal override void Forget(IReadyWork work) => _ranks.Remove(work);
}

/// <summary>Who has been ready longest, but for some turns.</summary>
internal sealed class OrderedReadySet(SimulationStrategy.Ordered settings) : ReadySet
{
    private readonly List<IReadyWork> _work = [];

    internal override int Count => _work.Count;

    internal override void Add(IReadyWork work) => _work.Add(work);

    internal override IReadyWork Take(long step)
    {
        var at = Math.Min(settings.Turns.GetValueOrDefault(step), _work.Count - 1);
        var chosen = _work[at];
        _work.RemoveAt(at);
        return chosen;
    }
}

/// <summary>Writes down what another one chooses.</summary>
internal sealed class RecordedReadySet(ReadySet inner, Action<SimulationTurn> turned) : ReadySet
{
    private readonly List<IReadyWork> _order = [];

    internal override int Count => inner.Count;

    internal override void Add(IReadyWork work)
    {
        _order.Add(work);
        inner.Add(work);
    }

    internal override IReadyWork Take(long step)
    {
        var chosen = inner.Take(step);
        var at = 0;
        while (!ReferenceEquals(_order[at], chosen))
            at++;
        if (at > 0)
            turned(new SimulationTurn(step, at, chosen.Name, _order[0].Name));
        _order.RemoveAt(at);
        return chosen;
    }

    internal override void Forget(IReadyWork work) => inner.Forget(work);
}
