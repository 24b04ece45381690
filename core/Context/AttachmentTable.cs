using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Iommufd.Core.Context;

/// <summary>
/// What a group's PASIDs are attached to, by ascending PASID. Nearly every group has the devices' own requests (PASID 0) only, and
/// there are as many groups as devices: that one is held without a tree. Part of its group, to be used in place. Single-threaded, in the
/// context.
/// </summary>
public struct AttachmentTable : IEnumerable<KeyValuePair<uint, Attachment>>
{
    private Attachment? _own;
    private SortedDictionary<uint, Attachment>? _pasids;

    /// <summary>The PASIDs that are attached, ascending.</summary>
    public readonly IEnumerable<uint> Keys => this.Select(a => a.Key);

    /// <summary>The attachments, by ascending PASID.</summary>
    public readonly IEnumerable<Attachment> Values => this.Select(a => a.Value);

    /// <summary>Whether a PASID other than 0 is attached.</summary>
    public readonly bool HasPasids => _pasids is { Count: > 0 };

    /// <summary>The attachment of a PASID that is attached.</summary>
    public readonly Attachment this[uint pasid] => pasid == 0 ? _own! : _pasids![pasid];

    /// <summary>Finds the attachment of a PASID.</summary>
    public readonly bool TryGetValue(uint pasid, [MaybeNullWhen(false)] out Attachment found)
    {
        if (pasid == 0)
        {
            found = _own;
            return found is not null;
        }

        found = null;
        return _pasids?.TryGetValue(pasid, out found) ?? false;
    }

    /// <summary>Adds the attachment of a PASID that has none.</summary>
    public void Add(uint pasid, Attachment made)
    {
        if (pasid == 0)
        {
            Invariant.Holds(_own is null, "a PASID is attached once");
            _own = made;
        }
        else
        {
            (_pasids ??= []).Add(pasid, made);
        }
    }

    /// <summary>Removes the attachment of a PASID, if there is one.</summary>
    public void Remove(uint pasid)
    {
        if (pasid == 0)
        {
            _own = null;
        }
        else
        {
            _pasids?.Remove(pasid);
        }
    }

    /// <inheritdoc/>
    public readonly IEnumerator<KeyValuePair<uint, Attachment>> GetEnumerator()
    {
        if (_own is not null)
        {
            yield return new(0, _own);
        }

        foreach (var one in _pasids ?? [])
        {
            yield return one;
        }
    }

    /// <inheritdoc/>
    readonly IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>
/// Object ids, ascending; the first costs no allocation. Part of what has them, to be used in place. Single-threaded, in the context.
/// </summary>
public struct IdSet : IEnumerable<uint>
{
    // No object has id 0.
    private uint _only;
    private SortedSet<uint>? _more;

    /// <summary>How many.</summary>
    public readonly int Count => _more?.Count ?? (_only == 0 ? 0 : 1);

    /// <summary>Whether an id is in it.</summary>
    public readonly bool Contains(uint id) => _more?.Contains(id) ?? (id != 0 && _only == id);

    /// <summary>Adds an id; one that is in it already stays.</summary>
    public void Add(uint id)
    {
        Invariant.Holds(id != 0, "ids start at 1");
        if (_more is not null)
        {
            _more.Add(id);
        }
        else if (_only == 0 || _only == id)
        {
            _only = id;
        }
        else
        {
            _more = [_only, id];
        }
    }

    /// <summary>Removes an id; false when it was not in it.</summary>
    public bool Remove(uint id)
    {
        if (_more is not null)
        {
            return _more.Remove(id);
        }

        var had = Contains(id);
        _only = had ? 0 : _only;
        return had;
    }

    /// <inheritdoc/>
    public readonly IEnumerator<uint> GetEnumerator()
    {
        if (_more is not null)
        {
            foreach (var id in _more)
            {
                yield return id;
            }
        }
        else if (_only != 0)
        {
            yield return _only;
        }
    }

    /// <inheritdoc/>
    readonly IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
