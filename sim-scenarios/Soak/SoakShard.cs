using System.Globalization;

namespace Iommufd.Scenarios.Soak;

/// <summary>
/// One part of a soak that is split over machines: of the soak's runs, numbered from 0, those whose number leaves
/// <see cref="Index"/> when divided by <see cref="Count"/>. The parts are disjoint and together are the whole, whatever the number of
/// runs. A soak that is bounded by time has no number of runs; its parts still share none.
/// </summary>
public readonly record struct SoakShard
{
    /// <summary>The most parts that a soak can be split into.</summary>
    public const int MostParts = 1_000_000;

    private readonly int _count;

    /// <summary>Makes a part.</summary>
    /// <param name="index">Which, from 0.</param>
    /// <param name="count">Of how many; 1 to <see cref="MostParts"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such part.</exception>
    public SoakShard(int index, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MostParts);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
        (Index, _count) = (index, count);
    }

    /// <summary>A soak that is not split.</summary>
    public static SoakShard Whole => default;

    /// <summary>Which part, from 0.</summary>
    public int Index { get; }

    /// <summary>How many parts there are.</summary>
    public int Count => Math.Max(1, _count);

    /// <summary>Whether it is the whole soak.</summary>
    public bool IsWhole => Count == 1;

    /// <summary>Reads I/N, I from 0 to N - 1.</summary>
    public static bool TryParse(string text, out SoakShard shard)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split('/');
        if (
            parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            && count is >= 1 and <= MostParts
            && index < count
        )
        {
            shard = new SoakShard(index, count);
            return true;
        }

        shard = default;
        return false;
    }

    /// <summary>How many of so many runs are this part's.</summary>
    public ulong RunsOf(ulong runs) => (runs / (ulong)Count) + ((ulong)Index < runs % (ulong)Count ? 1ul : 0ul);

    /// <summary>The soak's number of this part's run.</summary>
    /// <param name="own">The run's number in this part, from 0.</param>
    public ulong RunAt(ulong own) => checked((own * (ulong)Count) + (ulong)Index);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index}/{Count}");
}
