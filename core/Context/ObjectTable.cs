using Iommufd.Messages;

namespace Iommufd.Core.Context;

/// <summary>Where an object is in its life (facts sheet J.1).</summary>
public enum ObjectPhase
{
    /// <summary>Its id is taken, nobody can find it.</summary>
    Reserved,

    /// <summary>It can be found.</summary>
    Live,

    /// <summary>It is being destroyed: nobody can find it, its id is still taken.</summary>
    Dying,

    /// <summary>It is gone but its id stays taken until the context closes.</summary>
    Tombstone,
}

/// <summary>An object of a context as the context itself knows it: identity, references, unchanging traits.</summary>
public abstract class ContextObject
{
    /// <summary>The id; 1 or more.</summary>
    public uint Id { get; internal set; }

    /// <summary>References: 1 while only the table holds it.</summary>
    public int Users { get; set; } = 1;

    /// <summary>Where it is in its life.</summary>
    public ObjectPhase Phase { get; internal set; }
}

/// <summary>
/// A context's ids: the lowest free number from 1, shared by all kinds of object (facts sheet A.6). Single-threaded, in
/// the context.
/// </summary>
public sealed class ObjectTable
{
    private readonly SortedDictionary<uint, ContextObject> _objects = [];
    private readonly SortedSet<uint> _freed = [];
    private uint _next = 1;
    private int _tombstones;

    /// <summary>Whether any id is taken, also by an object under construction or a tombstone.</summary>
    public bool IsEmpty => _objects.Count == 0;

    /// <summary>Objects that can be found, by ascending id.</summary>
    public IEnumerable<ContextObject> Live => _objects.Values.Where(o => o.Phase == ObjectPhase.Live);

    /// <summary>Objects that hold something: those under construction too, by ascending id.</summary>
    public IEnumerable<ContextObject> Taken =>
        _objects.Values.Where(o => o.Phase is ObjectPhase.Live or ObjectPhase.Reserved);

    /// <summary>Number of ids that are taken, tombstones apart.</summary>
    public int Count => _objects.Count - _tombstones;

    /// <summary>Takes the lowest free id for an object that nobody can find yet.</summary>
    public T Reserve<T>(T made, uint forcedId = 0)
        where T : ContextObject
    {
        made.Id = forcedId != 0 ? Take(forcedId) : TakeLowest();
        made.Phase = ObjectPhase.Reserved;
        _objects.Add(made.Id, made);
        return made;
    }

    /// <summary>Lets everybody find a reserved object.</summary>
    public void Publish(ContextObject made)
    {
        Invariant.Holds(made.Phase == ObjectPhase.Reserved, "only a reserved object is published");
        made.Phase = ObjectPhase.Live;
    }

    /// <summary>
    /// Nobody can find the object any more; its id stays taken until <see cref="Remove"/>, because participants and reservations
    /// go by it while the object is torn down.
    /// </summary>
    public void Hide(ContextObject dying)
    {
        Invariant.Holds(dying.Phase == ObjectPhase.Live, "only a live object starts to die");
        dying.Phase = ObjectPhase.Dying;
    }

    /// <summary>Takes an object out of the table; its id is free from now on unless a tombstone is left.</summary>
    public void Remove(ContextObject gone, bool tombstone = false)
    {
        gone.Phase = tombstone ? ObjectPhase.Tombstone : ObjectPhase.Dying;
        if (tombstone)
        {
            _tombstones++;
        }
        else
        {
            _objects.Remove(gone.Id);
            _freed.Add(gone.Id);
        }
    }

    /// <summary>Finds a live object of a type; null is ENOENT.</summary>
    public T? Find<T>(uint id)
        where T : ContextObject =>
        _objects.TryGetValue(id, out var found) && found.Phase == ObjectPhase.Live ? found as T : null;

    private uint TakeLowest()
    {
        if (_freed.Count > 0)
        {
            var lowest = _freed.Min;
            _freed.Remove(lowest);
            return lowest;
        }

        return _next++;
    }

    private uint Take(uint id)
    {
        if (_freed.Remove(id))
        {
            return id;
        }

        Invariant.Holds(id >= _next, "a recorded id is free");
        for (; _next < id; _next++)
        {
            _freed.Add(_next);
        }

        _next = id + 1;
        return id;
    }
}
