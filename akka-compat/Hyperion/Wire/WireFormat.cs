namespace Hyperion.Wire;

/// <summary>The byte that stands before a value and says what follows.</summary>
internal static class Manifest
{
    /// <summary>Null; nothing follows.</summary>
    public const byte Null = 0;

    /// <summary>An object of no more than System.Object; nothing follows.</summary>
    public const byte SystemObject = 1;

    /// <summary>Eight bytes.</summary>
    public const byte Int64 = 2;

    /// <summary>Two bytes.</summary>
    public const byte Int16 = 3;

    /// <summary>One byte.</summary>
    public const byte Byte = 4;

    /// <summary>Ticks and kind.</summary>
    public const byte DateTime = 5;

    /// <summary>One byte, 1 for true.</summary>
    public const byte Boolean = 6;

    /// <summary>Length and UTF-8; see <see cref="ShortString"/>.</summary>
    public const byte String = 7;

    /// <summary>Four bytes.</summary>
    public const byte Int32 = 8;

    /// <summary>A count and the bytes.</summary>
    public const byte ByteArray = 9;

    /// <summary>Ticks and the offset's ticks.</summary>
    public const byte DateTimeOffset = 10;

    /// <summary>Sixteen bytes.</summary>
    public const byte Guid = 11;

    /// <summary>Four bytes, IEEE 754.</summary>
    public const byte Single = 12;

    /// <summary>Eight bytes.</summary>
    public const byte Double = 13;

    /// <summary>Four parts of four bytes.</summary>
    public const byte Decimal = 14;

    /// <summary>A UTF-16 unit in two bytes.</summary>
    public const byte Char = 15;

    /// <summary>Two bytes.</summary>
    public const byte UInt16 = 17;

    /// <summary>Four bytes.</summary>
    public const byte UInt32 = 18;

    /// <summary>Eight bytes.</summary>
    public const byte UInt64 = 19;

    /// <summary>One byte.</summary>
    public const byte SByte = 20;

    /// <summary>Type name, then the stored field names, then the fields, each with its own manifest.</summary>
    public const byte VersionedObject = 251;

    /// <summary>One-dimensional array of a primitive: element manifest, count, elements without manifests.</summary>
    public const byte PrimitiveArray = 252;

    /// <summary>Index of an object that stands earlier in the same payload.</summary>
    public const byte Reference = 253;

    /// <summary>Index of a known type, or (after those) of a type named earlier in the same payload.</summary>
    public const byte TypeIndex = 254;

    /// <summary>Type name, then the content.</summary>
    public const byte NamedObject = 255;
}

/// <summary>The largest string whose length fits the one-byte form (length + 1 in one byte; 255 means "four bytes follow").</summary>
internal static class ShortString
{
    /// <summary>In bytes of UTF-8.</summary>
    public const int MaxBytes = 253;

    /// <summary>The first byte of the long form.</summary>
    public const byte LongMarker = 255;
}
