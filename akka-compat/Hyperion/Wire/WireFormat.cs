namespace Hyperion.Wire;

/// <summary>The byte that stands before a value and says what follows.</summary>
internal static class Manifest
{
    public const byte Null = 0;
    public const byte SystemObject = 1;
    public const byte Int64 = 2;
    public const byte Int16 = 3;
    public const byte Byte = 4;
    public const byte DateTime = 5;
    public const byte Boolean = 6;
    public const byte String = 7;
    public const byte Int32 = 8;
    public const byte ByteArray = 9;
    public const byte DateTimeOffset = 10;
    public const byte Guid = 11;
    public const byte Single = 12;
    public const byte Double = 13;
    public const byte Decimal = 14;
    public const byte Char = 15;
    public const byte UInt16 = 17;
    public const byte UInt32 = 18;
    public const byte UInt64 = 19;
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
    public const int MaxBytes = 253;
    public const byte LongMarker = 255;
}
