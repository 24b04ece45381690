using System.IO.Enumeration;
using Iommufd.Core.Faults;
using Iommufd.Messages;

namespace Iommufd.Scenarios.Faults;

/// <summary>
/// One run's faults: a plan, a seed, and what has struck so far. Decisions come from the seed and from how often a rule was asked, not
/// from one stream of random numbers: a rule that is taken away does not move the others. Safe from any thread; deterministic on one.
/// </summary>
/// <param name="plan">What may strike.</param>
/// <param name="seed">Decides what does.</param>
public sealed class FaultSession(FaultPlan plan, ulong seed) : IFaultSource
{
    private const int StrikesKept = 10_000;

    private readonly Lock _gate = new();
    private readonly RuleState[][] _byPoint = ByPoint(plan);
    private readonly Dictionary<(int Context, ulong Flow), OperationRecord> _running = [];
    private readonly Dictionary<(int Context, long Tag), OperationRecord> _struck = [];
    private readonly HashSet<int> _struckHardware = [];
    private readonly Dictionary<int, HashSet<Errno>> _lasting = [];
    private readonly ulong[] _reached = new ulong[FaultPoints.All.Count];
    private readonly long[] _injected = new long[FaultPoints.All.Count];
    private readonly Dictionary<(int Point, string Operation), CoverageCount> _coverage = [];
    private readonly (string Word, CoverageCount Count)[] _lastCounts = new (string, CoverageCount)[
        FaultPoints.All.Count
    ];
    private readonly List<FaultStrike> _strikes = [];
    private readonly SortedDictionary<string, long> _seen = new(StringComparer.Ordinal);
    private long _operations;
    private ulong _choice;

    /// <summary>The plan.</summary>
    public FaultPlan Plan { get; } = plan;

    /// <summary>The seed.</summary>
    public ulong Seed { get; } = seed;

    /// <summary>Operations that have begun.</summary>
    public long Operations
    {
        get
        {
            lock (_gate)
            {
                return _operations;
            }
        }
    }

    /// <summary>Faults that have struck.</summary>
    public long Injected
    {
        get
        {
            lock (_gate)
            {
                return _injected.Sum();
            }
        }
    }

    /// <summary>Faults that have struck, in order; the first 10,000.</summary>
    public IReadOnlyList<FaultStrike> Strikes
    {
        get
        {
            lock (_gate)
            {
                return [.. _strikes];
            }
        }
    }

    /// <inheritdoc/>
    public bool ShouldFail(FaultPoint point, in FaultSite site)
    {
        lock (_gate)
        {
            _running.TryGetValue((site.Context, site.Flow), out var operation);
            var isCheck =
                operation is { Word: OperationWords.None }
                || (operation is null && site.Kind is not null && site.Flow == 0);
            if (isCheck)
            {
                return false;
            }

            var reached = ++_reached[point.Index];
            var word = operation?.Word ?? site.Operation ?? OperationWords.None;
            var count = CoverageOf(point, word);
            count.Reached++;
            var strikes = false;
            foreach (var rule in _byPoint[point.Index])
            {
                strikes |= rule.Strikes(Seed, word, operation?.Number ?? _operations, site);
            }

            if (strikes)
            {
                count.Injected++;
                Note(point, reached, word, operation, site);
            }

            return strikes;
        }
    }

    /// <inheritdoc/>
    public ulong Choose(ulong below)
    {
        lock (_gate)
        {
            return below <= 1 ? 0 : Mix(_choice++) % below;
        }
    }

    /// <inheritdoc/>
    public void Begun(int context, ulong flow, string operation, long tag)
    {
        lock (_gate)
        {
            var number = operation is OperationWords.None ? 0 : ++_operations;
            _running[(context, flow)] = new OperationRecord(number, operation, tag);
        }
    }

    /// <inheritdoc/>
    public void Saw(Sight sight)
    {
        lock (_gate)
        {
            _seen[sight.Name] = _seen.GetValueOrDefault(sight.Name) + 1;
        }
    }

    /// <summary>How often each sight was seen, by name; those that were not are missing.</summary>
    public IReadOnlyDictionary<string, long> Seen()
    {
        lock (_gate)
        {
            return new SortedDictionary<string, long>(_seen, StringComparer.Ordinal);
        }
    }

    /// <inheritdoc/>
    public void Ended(int context, ulong flow)
    {
        lock (_gate)
        {
            if (!_running.Remove((context, flow), out var operation) || operation.Hits.Count == 0)
            {
                return;
            }

            if (operation.Tag < 0)
            {
                _struckHardware.Add(context);
            }
            else
            {
                _struck[(context, operation.Tag)] = operation;
            }
        }
    }

    /// <summary>The faults that struck an operation that has ended; asked once for each.</summary>
    public IReadOnlyList<FaultPoint> TakeHits(int context, long tag)
    {
        lock (_gate)
        {
            return _struck.Remove((context, tag), out var operation) ? operation.Hits : [];
        }
    }

    /// <summary>
    /// Whether a fault struck what hardware asked of a context (a page request, an event) since the last time this was asked.
    /// </summary>
    public bool TakeHardwareHit(int context)
    {
        lock (_gate)
        {
            return _struckHardware.Remove(context);
        }
    }

    /// <summary>Whether something that is gone for good explains an errno of a context.</summary>
    public bool IsExplainedByLoss(int context, Errno errno)
    {
        lock (_gate)
        {
            return Lasts(context) || Lasts(0);
        }

        bool Lasts(int of) => _lasting.TryGetValue(of, out var errnos) && errnos.Contains(errno);
    }

    /// <summary>How often each point was reached and struck, by operation; points in their order, operations by alphabet.</summary>
    public IReadOnlyList<FaultCoverage> Coverage()
    {
        lock (_gate)
        {
            return
            [
                .. _coverage
                    .OrderBy(c => c.Key.Point)
                    .ThenBy(c => c.Key.Operation, StringComparer.Ordinal)
                    .Select(c => new FaultCoverage(
                        FaultPoints.All[c.Key.Point].Name,
                        c.Key.Operation,
                        c.Value.Reached,
                        c.Value.Injected
                    )),
            ];
        }
    }

    private static RuleState[][] ByPoint(FaultPlan plan)
    {
        var states = plan.Rules.Select((r, i) => new RuleState(r, i)).ToArray();
        return [.. FaultPoints.All.Select(p => states.Where(s => s.Rule.Points.Contains(p)).ToArray())];
    }

    private static ulong Mix(ulong z)
    {
        unchecked
        {
            z += 0x9E3779B97F4A7C15UL;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return z ^ (z >> 31);
        }
    }

    private CoverageCount CoverageOf(FaultPoint point, string word)
    {
        // Mostly the same operation as the last time, and its word is one object.
        ref var last = ref _lastCounts[point.Index];
        if (ReferenceEquals(last.Word, word))
        {
            return last.Count;
        }

        if (!_coverage.TryGetValue((point.Index, word), out var count))
        {
            _coverage[(point.Index, word)] = count = new CoverageCount();
        }

        last = (word, count);
        return count;
    }

    private void Note(FaultPoint point, ulong reached, string word, OperationRecord? operation, in FaultSite site)
    {
        _injected[point.Index]++;
        _choice = Mix(Seed ^ Mix(((ulong)point.Index << 40) ^ reached));
        operation?.Hit(point);
        if (point.Effect == FaultEffect.Removal)
        {
            if (!_lasting.TryGetValue(site.Context, out var errnos))
            {
                _lasting[site.Context] = errnos = [];
            }

            errnos.UnionWith(point.Explains);
        }

        if (_strikes.Count < StrikesKept)
        {
            _strikes.Add(new FaultStrike(point, reached, word, operation?.Number ?? 0, site.Context));
        }
    }

    private sealed class OperationRecord(long number, string word, long tag)
    {
        private List<FaultPoint>? _hits;

        public long Number { get; } = number;

        public string Word { get; } = word;

        public long Tag { get; } = tag;

        /// <summary>The points that struck it; most operations are never struck.</summary>
        public IReadOnlyList<FaultPoint> Hits => _hits ?? (IReadOnlyList<FaultPoint>)[];

        public void Hit(FaultPoint point) => (_hits ??= []).Add(point);
    }

    private sealed class CoverageCount
    {
        public long Reached { get; set; }

        public long Injected { get; set; }
    }

    /// <summary>A rule and how often it was asked.</summary>
    private sealed class RuleState(FaultRule rule, int index)
    {
        // 2^53: what a probability can tell apart.
        private readonly ulong _threshold = (ulong)(Math.Clamp(rule.Probability, 0, 1) * (1ul << 53));
        private readonly HashSet<ulong> _nth = [.. rule.Nth];

        // Most rules say a point and how often, and nothing of where.
        private readonly bool _matchesAll =
            rule is { Window: null, Operations.Count: 0, Contexts.Count: 0, Objects.Count: 0, Devices.Count: 0 };
        private ulong _asked;
        private long _struck;
        private int _burstLeft;

        public FaultRule Rule { get; } = rule;

        public bool Strikes(ulong seed, string word, long number, in FaultSite site)
        {
            if (!_matchesAll && !Matches(word, number, site))
            {
                return false;
            }

            _asked++;
            if (_struck >= Rule.AtMost)
            {
                return false;
            }

            if (_burstLeft > 0)
            {
                _burstLeft--;
            }
            else if (!Wants(seed))
            {
                return false;
            }
            else
            {
                _burstLeft = Rule.Burst - 1;
            }

            _struck++;
            return true;
        }

        private bool Wants(ulong seed) =>
            (_nth.Count == 0 || _nth.Contains(_asked))
            && (Rule.Probability >= 1 || (Mix(seed ^ Mix(((ulong)index << 48) ^ _asked)) >> 11) < _threshold);

        private bool Matches(string word, long number, in FaultSite site)
        {
            if (Rule.Window is { } window && (number < window.First || number > window.Last))
            {
                return false;
            }

            return (Rule.Operations.Count == 0 || Rule.Operations.Contains(word))
                && (Rule.Contexts.Count == 0 || Rule.Contexts.Contains(site.Context))
                && (Rule.Objects.Count == 0 || (site.Kind is { } kind && Rule.Objects.Contains(kind)))
                && (Rule.Devices.Count == 0 || MatchesDevice(site.Device));
        }

        private bool MatchesDevice(string? device)
        {
            if (device is null)
            {
                return false;
            }

            foreach (var pattern in Rule.Devices)
            {
                if (FileSystemName.MatchesSimpleExpression(pattern, device, ignoreCase: false))
                {
                    return true;
                }
            }

            return false;
        }
    }
}

/// <summary>How often a fault point was reached while an operation was in progress, and how often it struck.</summary>
/// <param name="Point">The point's name.</param>
/// <param name="Operation">The operation's word.</param>
/// <param name="Reached">How often it was reached.</param>
/// <param name="Injected">How often it struck.</param>
public sealed record FaultCoverage(string Point, string Operation, long Reached, long Injected);
