using System.Runtime.InteropServices;

namespace Akka.Actor;

/// <summary>
/// The children of one actor. The actor changes it; guardians' are also changed, and all are read, by other threads,
/// hence the lock. Enumeration is in order of insertion, whatever the names' hash codes.
/// </summary>
internal sealed class ChildContainer
{
    private readonly Dictionary<string, LocalActorRef> _byName = new(StringComparer.Ordinal);

    /// <summary>Failure counts of the children that have failed.</summary>
    private Dictionary<IActorRef, ChildRestartStats> _stats;

    /// <summary>Children that were told to stop and are not gone yet.</summary>
    private HashSet<IActorRef> _stopping;

    private long _nextName;

    /// <summary>Stands for the children of every actor that stopped without ever having had one.</summary>
    internal static readonly ChildContainer NoneAnyMore = new() { IsClosedForNew = true };

    /// <summary>Set when the actor stops: nobody may be born any more.</summary>
    internal bool IsClosedForNew { get; set; }

    internal bool AnyStopping
    {
        get
        {
            lock (_byName)
                return _stopping is { Count: > 0 };
        }
    }

    internal int Count
    {
        get
        {
            lock (_byName)
                return _byName.Count;
        }
    }

    internal string NextName() => AutoName.Of(Interlocked.Increment(ref _nextName) - 1);

    internal void Add(string name, LocalActorRef child, IActorRef parent)
    {
        lock (_byName)
        {
            if (IsClosedForNew)
                throw new InvalidOperationException("Cannot create new children while terminating or terminated");
            ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_byName, name, out var exists);
            if (exists)
                throw new InvalidActorNameException($"Actor name \"{name}\" is not unique!");
            slot = child;
        }
    }

    internal LocalActorRef Find(string name)
    {
        lock (_byName)
            return _byName.GetValueOrDefault(name);
    }

    internal bool Remove(IActorRef child)
    {
        lock (_byName)
        {
            if (!_byName.TryGetValue(NameOf(child), out var found) || !found.Equals(child))
                return false;
            _byName.Remove(NameOf(child));
            _stats?.Remove(child);
            _stopping?.Remove(child);
            return true;
        }
    }

    // Not by the path, which a local reference may not have made.
    private static string NameOf(IActorRef child) => child is LocalActorRef local ? local.Name : child.Path.Name;

    private static long UidOf(IActorRef child) => child is ActorRefBase known ? known.Uid : child.Path.Uid;

    internal LocalActorRef[] Snapshot()
    {
        lock (_byName)
        {
            if (_byName.Count == 0)
                return [];
            var all = new LocalActorRef[_byName.Count];
            _byName.Values.CopyTo(all, 0);
            return all;
        }
    }

    internal void MarkStopping(IActorRef child)
    {
        lock (_byName)
        {
            if (_byName.TryGetValue(NameOf(child), out var found) && found.Equals(child))
                (_stopping ??= []).Add(found);
        }
    }

    internal ChildRestartStats StatsOf(IActorRef child, long uid)
    {
        lock (_byName)
        {
            if (UidOf(child) != uid || !_byName.TryGetValue(NameOf(child), out var found) || !found.Equals(child))
                return null;
            return Stats(found);
        }
    }

    /// <summary>All children, looked up only if somebody asks: most strategies concern one child alone.</summary>
    internal IEnumerable<IInternalActorRef> WhenAsked()
    {
        foreach (var child in Snapshot())
            yield return child;
    }

    internal IReadOnlyCollection<ChildRestartStats> AllStats() => new StatsWhenAsked(this);

    private sealed class StatsWhenAsked(ChildContainer children) : IReadOnlyCollection<ChildRestartStats>
    {
        /// <inheritdoc/>
        public int Count => children.Count;

        /// <inheritdoc/>
        public IEnumerator<ChildRestartStats> GetEnumerator()
        {
            List<ChildRestartStats> all;
            lock (children._byName)
                all = children._byName.Values.Select(children.Stats).ToList();
            return all.GetEnumerator();
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private ChildRestartStats Stats(LocalActorRef child)
    {
        _stats ??= [];
        ref var stats = ref CollectionsMarshal.GetValueRefOrAddDefault(_stats, child, out _);
        return stats ??= new ChildRestartStats(child);
    }
}

/// <summary>The names of actors that were given none: $a, $b, … $z, $A, …</summary>
internal static class AutoName
{
    private const string Digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+~";

    internal static string Of(long number)
    {
        Span<char> text = stackalloc char[12];
        var length = 0;
        text[length++] = '$';
        do
        {
            text[length++] = Digits[(int)(number & 63)];
            number >>= 6;
        } while (number > 0);
        return new string(text[..length]);
    }
}

/// <summary>How often a child was restarted, and since when that counts.</summary>
public class ChildRestartStats
{
    private int _count;
    private TimeSpan? _windowStart;

    internal ChildRestartStats(IInternalActorRef child)
    {
        Child = child;
    }

    /// <summary>The child that is counted for.</summary>
    public IInternalActorRef Child { get; }

    /// <summary>The uid of its incarnation in the tree; restarts keep it.</summary>
    public long Uid => ((ActorRefBase)Child).Uid;

    /// <summary>Failures counted since the window began, or at all without one.</summary>
    public int MaxNrOfRetriesCount => _count;

    /// <summary>Counts a failure; false when the child has used up its restarts within the window.</summary>
    public bool RequestRestartPermission(int maxNrOfRetries, int withinTimeMilliseconds)
    {
        if (maxNrOfRetries == 0)
            return false;
        var limited = maxNrOfRetries > 0;
        if (withinTimeMilliseconds <= 0)
            return !limited || ++_count <= maxNrOfRetries;
        // A window without a number means one restart in it.
        var retries = limited ? maxNrOfRetries : 1;
        var now = ((LocalActorRef)Child).Cell.SystemImpl.Scheduler.MonotonicClock;
        _windowStart ??= now;
        if ((now - _windowStart.Value).TotalMilliseconds > withinTimeMilliseconds)
        {
            _windowStart = now;
            _count = 1;
            return true;
        }
        return ++_count <= retries;
    }
}
