using System.Buffers.Binary;
using System.Runtime.Serialization;
using System.Text;
using Hyperion.Codecs;

namespace Hyperion.Wire;

/// <summary>
/// Reads one payload. Every count is checked against the bytes that are left before anything is allocated for it, and
/// nesting is bounded: a damaged row costs an exception, not the process.
/// </summary>
internal sealed class ByteReader
{
    private const int MaxDepth = 1000;
    private byte[] _buffer = [];
    private int _at;
    private int _end;
    private int _depth;
    private ValueCodec[] _types = new ValueCodec[8];
    private int _typeCount;
    private List<object?>? _objects;

    /// <summary>The serializer whose options are in force.</summary>
    public Serializer Serializer { get; private set; } = null!;

    /// <summary>Whether objects were numbered as they were written, so that references may follow.</summary>
    public bool TracksObjects { get; private set; }

    /// <summary>Position behind the last byte read.</summary>
    public int Position => _at;

    /// <summary>Begins a payload: these bytes, with nothing named or numbered yet. The buffer is not copied.</summary>
    public void Reset(Serializer serializer, byte[] buffer, int offset, int count)
    {
        Serializer = serializer;
        TracksObjects = serializer.Options.PreservesReferences;
        _buffer = buffer;
        _at = offset;
        _end = offset + count;
        _depth = 0;
        Array.Clear(_types, 0, _typeCount);
        _typeCount = 0;
        _objects?.Clear();
    }

    private ReadOnlySpan<byte> Take(int size)
    {
        var at = _at;
        if ((uint)size > (uint)(_end - at))
        {
            throw Truncated(size);
        }

        _at = at + size;
        return new ReadOnlySpan<byte>(_buffer, at, size);
    }

    private SerializationException Truncated(int size) =>
        new($"The payload ends at byte {_end}, but {size} more bytes are expected at byte {_at}.");

    /// <summary>One byte.</summary>
    public byte ReadByte() => Take(1)[0];

    /// <summary>One byte.</summary>
    public sbyte ReadSByte() => (sbyte)Take(1)[0];

    /// <summary>One byte; anything but zero is true.</summary>
    public bool ReadBoolean() => Take(1)[0] != 0;

    /// <summary>Two bytes, little-endian, as all numbers.</summary>
    public short ReadInt16() => BinaryPrimitives.ReadInt16LittleEndian(Take(2));

    /// <summary>Two bytes, little-endian, as all numbers.</summary>
    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    /// <summary>A UTF-16 unit in two bytes.</summary>
    public char ReadChar() => (char)BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    /// <summary>Four bytes, little-endian.</summary>
    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    /// <summary>Four bytes, little-endian.</summary>
    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    /// <summary>Eight bytes, little-endian.</summary>
    public long ReadInt64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    /// <summary>Eight bytes, little-endian.</summary>
    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>Four bytes, IEEE 754.</summary>
    public float ReadSingle() => BinaryPrimitives.ReadSingleLittleEndian(Take(4));

    /// <summary>Eight bytes, IEEE 754.</summary>
    public double ReadDouble() => BinaryPrimitives.ReadDoubleLittleEndian(Take(8));

    /// <summary>Sixteen bytes, in the order of <see cref="Guid.ToByteArray()"/>.</summary>
    public Guid ReadGuid() => new(Take(16));

    /// <summary>Ticks in eight bytes, then the kind in one.</summary>
    public DateTime ReadDateTime()
    {
        var ticks = ReadInt64();
        return new DateTime(ticks, (DateTimeKind)ReadByte());
    }

    /// <summary>Ticks of the local time in eight bytes, then those of the offset in eight.</summary>
    public DateTimeOffset ReadDateTimeOffset()
    {
        var ticks = ReadInt64();
        return new DateTimeOffset(ticks, new TimeSpan(ReadInt64()));
    }

    /// <summary>The four parts that <see cref="decimal.GetBits(decimal)"/> gives, four bytes each.</summary>
    public decimal ReadDecimal()
    {
        Span<int> parts = stackalloc int[4];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = ReadInt32();
        }

        return new decimal(parts);
    }

    /// <summary>
    /// The length plus one in a byte, 0 for null; or <see cref="ShortString.LongMarker"/> and the length in four bytes.
    /// Then UTF-8.
    /// </summary>
    public string? ReadString()
    {
        int first = ReadByte();
        if (first == 0)
        {
            return null;
        }

        var count = first == ShortString.LongMarker ? ReadInt32() : first - 1;
        return count == 0 ? string.Empty : Encoding.UTF8.GetString(Take(count));
    }

    /// <summary>So many bytes, in the payload itself: valid until the next <see cref="Reset"/>.</summary>
    public ReadOnlySpan<byte> ReadBytes(int count) => Take(count);

    /// <summary>A count of elements of at least one byte each: refused when the payload cannot hold them.</summary>
    public int ReadCount(int bytesPerElement)
    {
        var count = ReadInt32();
        if (count < 0 || (long)count * bytesPerElement > _end - _at)
        {
            throw new SerializationException(
                $"The payload announces {count} elements at byte {_at - 4}, but holds only {_end - _at} more bytes."
            );
        }

        return count;
    }

    /// <summary>Reads a manifest and returns the codec of the value that follows; null stands for a null value.</summary>
    public ValueCodec? ReadManifest(out object? reference)
    {
        reference = null;
        var manifest = ReadByte();
        switch (manifest)
        {
            case Manifest.Null:
                return null;
            case Manifest.Reference:
                reference = TrackedObject(ReadInt32());
                return null;
            case Manifest.PrimitiveArray:
                return Serializer.PrimitiveArrayCodec(ReadByte());
            case Manifest.TypeIndex:
                return TypeAt(ReadUInt16());
            case Manifest.NamedObject:
                return Track(Serializer.Registry.CodecForName(ReadName()));
            case Manifest.VersionedObject:
                return Track(Serializer.Registry.CodecForVersion(ReadVersionedHeader()));
            default:
                return Serializer.PrimitiveCodec(manifest)
                    ?? throw new SerializationException(
                        $"Byte {_at - 1} is {manifest}, which no kind of value begins with."
                    );
        }
    }

    private ReadOnlySpan<byte> ReadName() => Take(ReadCount(1));

    private ReadOnlySpan<byte> ReadVersionedHeader()
    {
        var start = _at;
        Take(ReadCount(1));
        var fields = ReadByte();
        for (var i = 0; i < fields; i++)
        {
            Take(ReadCount(1));
        }

        return new ReadOnlySpan<byte>(_buffer, start, _at - start);
    }

    private ValueCodec Track(ValueCodec codec)
    {
        if (_typeCount == _types.Length)
        {
            Array.Resize(ref _types, _types.Length * 2);
        }

        _types[_typeCount++] = codec;
        return codec;
    }

    private ValueCodec TypeAt(int index)
    {
        var known = Serializer.KnownTypeCount;
        if (index < known)
        {
            return Serializer.KnownCodec(index);
        }

        if (index - known < _typeCount)
        {
            return _types[index - known];
        }

        throw new SerializationException(
            $"The payload refers to type number {index}, but only {known} types are known and {_typeCount} are named in it."
        );
    }

    /// <summary>Reads a value of any type, manifest first.</summary>
    public object? ReadObject()
    {
        var codec = ReadManifest(out var reference);
        if (codec is null)
        {
            return reference;
        }

        Enter();
        var value = codec.ReadBoxed(this);
        Leave();
        return value;
    }

    /// <summary>
    /// Goes one value deeper; too deep is a <see cref="SerializationException"/>, before the stack is at its end.
    /// </summary>
    public void Enter()
    {
        if (++_depth > MaxDepth)
        {
            throw new SerializationException($"The payload nests deeper than {MaxDepth} values.");
        }
    }

    /// <summary>Comes back from one value.</summary>
    public void Leave() => _depth--;

    /// <summary>Reserves the next object number; fill it with <see cref="FillObject"/>.</summary>
    public int ReserveObject()
    {
        _objects ??= [];
        _objects.Add(null);
        return _objects.Count - 1;
    }

    /// <summary>Says which object a reserved number stands for; later references find it.</summary>
    public void FillObject(int id, object value) => _objects![id] = value;

    /// <summary>Number of the object that would be reserved next.</summary>
    public int NextObject => _objects?.Count ?? 0;

    private object? TrackedObject(int id)
    {
        if (_objects is null || (uint)id >= (uint)_objects.Count)
        {
            throw new SerializationException(
                $"The payload refers to object number {id}, which does not stand before it."
            );
        }

        return _objects[id];
    }
}
