namespace Iommufd.Scenarios.Language.Expressions;

/// <summary>
/// A small generator whose numbers depend on its seed alone, on every machine (SplitMix64). Not thread-safe; every
/// client has its own, so that clients do not disturb each other's choices.
/// </summary>
/// <param name="seed">Any value.</param>
public sealed class SeededRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15UL;
            return Mixed(_state);
        }
    }

    /// <summary>A number of [<paramref name="first"/> … <paramref name="last"/>], both included.</summary>
    public Int128 Between(Int128 first, Int128 last)
    {
        var span = (UInt128)(last - first) + 1;
        return first + (Int128)((UInt128)Next() % span);
    }

    /// <summary>A generator of its own for the part <paramref name="index"/> of something that has this seed.</summary>
    public static SeededRandom For(ulong seed, ulong index) =>
        unchecked(new SeededRandom(Mixed(seed + 0x632BE59BD9B4E019UL) ^ Mixed((index + 1) * 0x9E3779B97F4A7C15UL)));

    private static ulong Mixed(ulong z)
    {
        unchecked
        {
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return z ^ (z >> 31);
        }
    }
}
