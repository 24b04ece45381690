using System.Numerics;

namespace Akka.Util;

/// <summary>The 32-bit murmur hash: the same value in every process, unlike string hash codes.</summary>
public static class MurmurHash
{
    /// <summary>The first of two magic numbers from which <see cref="NextMagicA"/> goes on.</summary>
    public const uint StartMagicA = 2505324423;

    /// <summary>The second, from which <see cref="NextMagicB"/> goes on.</summary>
    public const uint StartMagicB = 718793509;
    private const uint HiddenMagicA = 0x95543787;
    private const uint HiddenMagicB = 0x2ad7eb25;
    private const uint VisibleMagic = 0x971e137b;
    private const uint HiddenMixerA = 0x7b7d159c;
    private const uint HiddenMixerB = 0x6bce6396;
    private const uint FinalMixer1 = 0x85ebca6b;
    private const uint FinalMixer2 = 0xc2b2ae35;
    private const uint SeedString = 0xf7ca7fd2;
    private const uint SeedArray = 0x3c074a61;

    /// <summary>
    /// Begins a hash: then extend it by each value, with the next magic numbers each time, and finalize it.
    /// </summary>
    public static uint StartHash(uint seed) => seed ^ VisibleMagic;

    /// <summary>The magic number for the value after this one's.</summary>
    public static uint NextMagicA(uint magicA) => (magicA * 5) + HiddenMixerA;

    /// <summary>The magic number for the value after this one's.</summary>
    public static uint NextMagicB(uint magicB) => (magicB * 5) + HiddenMixerB;

    /// <summary>Mixes a value in.</summary>
    public static uint ExtendHash(uint hash, uint value, uint magicA, uint magicB) =>
        ((hash ^ (BitOperations.RotateLeft(value * magicA, 11) * magicB)) * 3) + VisibleMagic;

    /// <summary>Spreads every bit over the whole hash.</summary>
    public static uint FinalizeHash(uint hash)
    {
        var i = (hash ^ (hash >> 16)) * FinalMixer1;
        i = (i ^ (i >> 13)) * FinalMixer2;
        return i ^ (i >> 16);
    }

    /// <summary>The hash of the characters, two at a time.</summary>
    public static int StringHash(string s)
    {
        var hash = StartHash((uint)s.Length * SeedString);
        var a = HiddenMagicA;
        var b = HiddenMagicB;
        var i = 0;
        for (; i + 1 < s.Length; i += 2)
        {
            hash = ExtendHash(hash, ((uint)s[i] << 16) + s[i + 1], a, b);
            a = NextMagicA(a);
            b = NextMagicB(b);
        }
        if (i < s.Length)
            hash = ExtendHash(hash, s[i], a, b);
        return unchecked((int)FinalizeHash(hash));
    }

    /// <summary>The hash of the bytes.</summary>
    public static int ByteHash(byte[] b) => ArrayHash(b);

    /// <summary>
    /// The hash of the items' hash codes in their order; repeats in another process only if those do.
    /// </summary>
    public static int ArrayHash<T>(T[] a)
    {
        var hash = StartHash((uint)a.Length * SeedArray);
        var magicA = HiddenMagicA;
        var magicB = HiddenMagicB;
        foreach (var item in a)
        {
            hash = ExtendHash(hash, unchecked((uint)item.GetHashCode()), magicA, magicB);
            magicA = NextMagicA(magicA);
            magicB = NextMagicB(magicB);
        }
        return unchecked((int)FinalizeHash(hash));
    }

    /// <summary>A hash in which the order of the items does not count.</summary>
    public static int SymmetricHash<T>(IEnumerable<T> xs, uint seed)
    {
        uint sum = 0,
            xor = 0,
            product = 1,
            count = 0;
        foreach (var x in xs)
        {
            var h = unchecked((uint)x.GetHashCode());
            sum += h;
            xor ^= h;
            if (h != 0)
                product *= h;
            count++;
        }
        var hash = StartHash(seed * count);
        hash = ExtendHash(hash, sum, HiddenMagicA, HiddenMagicB);
        hash = ExtendHash(hash, xor, NextMagicA(HiddenMagicA), NextMagicB(HiddenMagicB));
        hash = ExtendHash(hash, product, NextMagicA(NextMagicA(HiddenMagicA)), NextMagicB(NextMagicB(HiddenMagicB)));
        return unchecked((int)FinalizeHash(hash));
    }
}
