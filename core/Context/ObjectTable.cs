using System.Numerics;
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
    // By id: ids are dense, as the lowest free one is always taken.
    private readonly List<ContextObject?> _objects = [null];
    private FreeIds _freed;

    // Ids that a replay may leap over: those of objects whose making failed. More is a broken journal.
    private const uint MaxGap = 1 << 20;

    private int _taken;
    private int _tombstones;

    /// <summary>Whether any id is taken, also by an object under construction or a tombstone.</summary>
    public bool IsEmpty => _taken == 0;

    /// <summary>Objects that can be found, by ascending id.</summary>
    public IEnumerable<ContextObject> Live => All().Where(o => o.Phase == ObjectPhase.Live);

    /// <summary>Objects that hold something: those under construction too, by ascending id.</summary>
    public IEnumerable<ContextObject> Taken => All().Where(o => o.Phase is ObjectPhase.Live or ObjectPhase.Reserved);

    /// <summary>Number of ids that are taken, tombstones apart.</summary>
    public int Count => _taken - _tombstones;

    /// <summary>Takes the lowest free id for an object that nobody can find yet.</summary>
    public T Reserve<T>(T made, uint forcedId = 0)
        where T : ContextObject
    {
        made.Id = forcedId != 0 ? Take(forcedId) : TakeLowest();
        made.Phase = ObjectPhase.Reserved;
        _objects[(int)made.Id] = made;
        _taken++;
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
            _objects[(int)gone.Id] = null;
            _taken--;
            _freed.Add(gone.Id);
        }
    }

    /// <summary>Finds a live object of a type; null is ENOENT.</summary>
    public T? Find<T>(uint id)
        where T : ContextObject =>
        id < _objects.Count && _objects[(int)id] is T { Phase: ObjectPhase.Live } found ? found : null;

    // An object may be added or removed while somebody goes through them.
    private IEnumerable<ContextObject> All()
    {
        for (var id = 1; id < _objects.Count; id++)
        {
            if (_objects[id] is { } taken)
            {
                yield return taken;
            }
        }
    }

    private uint TakeLowest()
    {
        if (_freed.TryTakeLowest(out var lowest))
        {
            return lowest;
        }

        _objects.Add(null);
        return (uint)_objects.Count - 1;
    }

    private uint Take(uint id)
    {
        if (_freed.Remove(id))
        {
            return id;
        }

        Invariant.Holds(id >= _objects.Count, "a recorded id is free");
        Invariant.Holds(id - _objects.Count < MaxGap, "a recorded id is near those that were taken before");
        while (_objects.Count < id)
        {
            _freed.Add((uint)_objects.Count);
            _objects.Add(null);
        }

        _objects.Add(null);
        return id;
    }
}

/// <summary>
/// Ids that were given back, a bit each: closing a context gives back all, and a tree would make an object of every one. Part of the
/// table, to be used in place.
/// </summary>
internal struct FreeIds
{
    private ulong[]? _words;
    private int _count;

    // No word before this one has a bit.
    private int _first;

    /// <summary>Adds an id that is not in it.</summary>
    public void Add(uint id)
    {
        var word = (int)(id / 64);
        if (_words is null || word >= _words.Length)
        {
            Array.Resize(ref _words, Math.Max(word + 1, 2 * (_words?.Length ?? 1)));
        }

        _words[word] |= 1ul << (int)(id % 64);
        _first = _count == 0 ? word : Math.Min(_first, word);
        _count++;
    }

    /// <summary>Takes a certain id; false when it is not in it.</summary>
    public bool Remove(uint id)
    {
        var word = (int)(id / 64);
        var bit = 1ul << (int)(id % 64);
        if (_words is null || word >= _words.Length || (_words[word] & bit) == 0)
        {
            return false;
        }

        _words[word] &= ~bit;
        _count--;
        return true;
    }

    /// <summary>Takes the lowest id; false when there is none.</summary>
    public bool TryTakeLowest(out uint id)
    {
        id = 0;
        if (_count == 0)
        {
            return false;
        }

        while (_words![_first] == 0)
        {
            _first++;
        }

        id = ((uint)_first * 64) + (uint)BitOperations.TrailingZeroCount(_words[_first]);
        _words[_first] &= _words[_first] - 1;
        _count--;
        return true;
    }
}
