using System.Numerics;

namespace Akka.Simulation;

/// <summary>xoshiro256**: a small generator whose numbers are the same everywhere and for ever.</summary>
internal sealed class Xoshiro256
{
    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    internal Xoshiro256(ulong seed)
    {
        _s0 = SplitMix(ref seed);
        _s1 = SplitMix(ref seed);
        _s2 = SplitMix(ref seed);
        _s3 = SplitMix(ref seed);
    }

    internal ulong Next()
    {
        var result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        var t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>A number from zero up to the bound (exclusive), each equally likely.</summary>
    internal int Below(int bound)
    {
        // Of the few values at the top that would favour small results, none is used. There are less than the bound of them, so
        // that the division that finds them is nearly never needed.
        ulong value;
        do value = Next();
        while (value > ulong.MaxValue - (ulong)bound && value >= ulong.MaxValue - (ulong.MaxValue % (ulong)bound));
        return (int)(value % (ulong)bound);
    }

    private static ulong SplitMix(ref ulong state)
    {
        var z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}

/// <summary>The seeded generator in the dress of <see cref="System.Random"/>.</summary>
internal sealed class SeededRandom(Xoshiro256 source) : Random
{
    protected override double Sample() => NextDouble();

    public override double NextDouble() => (source.Next() >> 11) * (1.0 / (1UL << 53));

    public override int Next() => source.Below(int.MaxValue);

    public override int Next(int maxValue) => maxValue <= 1 ? 0 : source.Below(maxValue);

    public override int Next(int minValue, int maxValue) =>
        maxValue - (long)minValue is > 0 and <= int.MaxValue and var range
            ? minValue + source.Below((int)range)
            : minValue;

    public override long NextInt64() => (long)(source.Next() >> 1);

    public override void NextBytes(byte[] buffer) => NextBytes(buffer.AsSpan());

    public override void NextBytes(Span<byte> buffer)
    {
        foreach (ref var b in buffer)
            b = (byte)(source.Next() >> 56);
    }
}
