using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>Collects the canonical lines of a state and hashes them with FNV-1a, the same on every machine.</summary>
public sealed class StateLines(bool keep)
{
    private readonly List<string> _lines = [];
    private Fnv1a _hash = Fnv1a.Empty;

    /// <summary>Adds a line.</summary>
    public void Add(FormattableString line)
    {
        var text = FormattableString.Invariant(line);
        _hash = _hash.Add(text).Add('\n');
        if (keep)
        {
            _lines.Add(text);
        }
    }

    /// <summary>What was collected.</summary>
    public StateDescription ToDescription() => new(_hash.Value, _lines);
}

/// <summary>A 64-bit FNV-1a hash under construction.</summary>
/// <param name="Value">The hash so far.</param>
public readonly record struct Fnv1a(ulong Value)
{
    private const ulong Prime = 0x100000001b3;

    /// <summary>The hash of nothing.</summary>
    public static Fnv1a Empty => new(0xcbf29ce484222325);

    /// <summary>Adds the UTF-16 units of a text, low byte first.</summary>
    public Fnv1a Add(string text)
    {
        var hash = this;
        foreach (var unit in text)
        {
            hash = hash.Add(unit);
        }

        return hash;
    }

    /// <summary>Adds one UTF-16 unit, low byte first.</summary>
    public Fnv1a Add(char unit) => AddByte((byte)unit).AddByte((byte)(unit >> 8));

    /// <summary>Adds eight bytes, low byte first.</summary>
    public Fnv1a Add(ulong word)
    {
        var hash = this;
        for (var shift = 0; shift < 64; shift += 8)
        {
            hash = hash.AddByte((byte)(word >> shift));
        }

        return hash;
    }

    private Fnv1a AddByte(byte value) => new(unchecked((Value ^ value) * Prime));
}
