using System.Buffers.Binary;
using System.Text;
using Hyperion.Codecs;

namespace Hyperion.Wire;

/// <summary>
/// A growing buffer and what has been said in it so far: the types named and, with references on, the objects written.
/// One writer serves one thread at a time; it is reset, not rebuilt, between payloads.
/// </summary>
internal sealed class ByteWriter
{
    private const int MaxRetainedBytes = 1 << 20;
    private byte[] _buffer = new byte[512];
    private int _length;
    private Type[] _types = new Type[8];
    private int _typeCount;
    private Dictionary<object, int>? _objects;
    private int _nextObject;

    /// <summary>The serializer whose options are in force.</summary>
    public Serializer Serializer { get; private set; } = null!;

    /// <summary>True while equal objects are written once and referred to afterwards.</summary>
    public bool TracksObjects { get; private set; }

    /// <summary>What was written since the last reset; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>
    /// Begins a payload with nothing written, named or numbered. A buffer that has grown beyond 1 MiB is let go.
    /// </summary>
    public void Reset(Serializer serializer, bool tracksObjects)
    {
        Serializer = serializer;
        TracksObjects = tracksObjects;
        _length = 0;
        Array.Clear(_types, 0, _typeCount);
        _typeCount = 0;
        _nextObject = 0;
        _objects?.Clear();
        if (_buffer.Length > MaxRetainedBytes)
        {
            _buffer = new byte[512];
        }
    }

    private Span<byte> Take(int size)
    {
        var at = _length;
        var end = at + size;
        if ((uint)end > (uint)_buffer.Length)
        {
            Grow(end);
        }

        _length = end;
        return _buffer.AsSpan(at, size);
    }

    private void Grow(int needed)
    {
        if (needed < 0)
        {
            throw new OutOfMemoryException("A serialized value would be larger than 2 GiB.");
        }

        Array.Resize(ref _buffer, (int)Math.Min(Math.Max(needed, _buffer.Length * 2L), Array.MaxLength));
    }

    /// <summary>One byte.</summary>
    public void WriteByte(byte value) => Take(1)[0] = value;

    /// <summary>One byte.</summary>
    public void WriteSByte(sbyte value) => Take(1)[0] = (byte)value;

    /// <summary>One byte, 1 for true.</summary>
    public void WriteBoolean(bool value) => Take(1)[0] = value ? (byte)1 : (byte)0;

    /// <summary>Two bytes, little-endian, as all numbers.</summary>
    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16LittleEndian(Take(2), value);

    /// <summary>Two bytes, little-endian, as all numbers.</summary>
    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    /// <summary>A UTF-16 unit in two bytes.</summary>
    public void WriteChar(char value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    /// <summary>Four bytes, little-endian.</summary>
    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);

    /// <summary>Four bytes, little-endian.</summary>
    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    /// <summary>Eight bytes, little-endian.</summary>
    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);

    /// <summary>Eight bytes, little-endian.</summary>
    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    /// <summary>Four bytes, IEEE 754.</summary>
    public void WriteSingle(float value) => BinaryPrimitives.WriteSingleLittleEndian(Take(4), value);

    /// <summary>Eight bytes, IEEE 754.</summary>
    public void WriteDouble(double value) => BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);

    /// <summary>Sixteen bytes, in the order of <see cref="Guid.ToByteArray()"/>.</summary>
    public void WriteGuid(Guid value) => value.TryWriteBytes(Take(16));

    /// <summary>Ticks in eight bytes, then the kind in one.</summary>
    public void WriteDateTime(DateTime value)
    {
        WriteInt64(value.Ticks);
        WriteByte((byte)value.Kind);
    }

    /// <summary>Ticks of the local time in eight bytes, then those of the offset in eight.</summary>
    public void WriteDateTimeOffset(DateTimeOffset value)
    {
        WriteInt64(value.Ticks);
        WriteInt64(value.Offset.Ticks);
    }

    /// <summary>The four parts that <see cref="decimal.GetBits(decimal)"/> gives, four bytes each.</summary>
    public void WriteDecimal(decimal value)
    {
        Span<int> parts = stackalloc int[4];
        decimal.GetBits(value, parts);
        foreach (var part in parts)
        {
            WriteInt32(part);
        }
    }

    /// <summary>
    /// The length plus one in a byte, 0 for null; or <see cref="ShortString.LongMarker"/> and the length in four bytes.
    /// Then UTF-8.
    /// </summary>
    public void WriteString(string? value)
    {
        if (value is null)
        {
            WriteByte(0);
            return;
        }

        // Short strings are encoded in place behind a guessed one-byte length, which is right for nearly all of them.
        var upperBound = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (upperBound <= ShortString.MaxBytes)
        {
            var at = _length;
            var span = Take(upperBound + 1);
            var written = Encoding.UTF8.GetBytes(value, span[1..]);
            span[0] = (byte)(written + 1);
            _length = at + 1 + written;
            return;
        }

        var count = Encoding.UTF8.GetByteCount(value);
        if (count <= ShortString.MaxBytes)
        {
            WriteByte((byte)(count + 1));
        }
        else
        {
            WriteByte(ShortString.LongMarker);
            WriteInt32(count);
        }

        Encoding.UTF8.GetBytes(value, Take(count));
    }

    /// <summary>The bytes as they are, without a length.</summary>
    public void WriteBytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    /// <summary>True when the type was named earlier in this payload; index then counts from behind the known types.</summary>
    public bool TryGetTypeIndex(Type type, out ushort index)
    {
        for (var i = 0; i < _typeCount; i++)
        {
            if (ReferenceEquals(_types[i], type))
            {
                index = (ushort)(i + Serializer.KnownTypeCount);
                return true;
            }
        }

        index = 0;
        return false;
    }

    /// <summary>Gives the type the next index: from now on in this payload it is written as that.</summary>
    public void TrackType(Type type)
    {
        if (_typeCount == _types.Length)
        {
            Array.Resize(ref _types, _types.Length * 2);
        }

        _types[_typeCount++] = type;
    }

    /// <summary>Gives the object the next number. Call only when <see cref="TracksObjects"/> holds.</summary>
    public void TrackObject(object value)
    {
        _objects ??= new Dictionary<object, int>(EqualObjects.Instance);
        _objects.TryAdd(value, _nextObject);
        _nextObject++;
    }

    /// <summary>Writes a reference and returns true when an equal object of the same type stands earlier in the payload.</summary>
    public bool TryWriteReference(object value)
    {
        if (_objects is null || !_objects.TryGetValue(value, out var id))
        {
            return false;
        }

        WriteByte(Manifest.Reference);
        WriteInt32(id);
        return true;
    }

    /// <summary>Writes a value of any type: manifest, then content.</summary>
    public void WriteObject(object? value)
    {
        if (value is null)
        {
            WriteByte(Manifest.Null);
            return;
        }

        var codec = Serializer.CodecFor(value.GetType());
        if (TracksObjects && codec.IsTracked && TryWriteReference(value))
        {
            return;
        }

        codec.WriteManifest(this);
        codec.WriteBoxed(this, value);
    }

    /// <summary>Equality as the format defines "the same object": equal by Equals, and of the same type.</summary>
    private sealed class EqualObjects : IEqualityComparer<object>
    {
        /// <summary>The only one.</summary>
        public static readonly EqualObjects Instance = new();

        bool IEqualityComparer<object>.Equals(object? x, object? y) =>
            Equals(x, y) && (x is null || y is null || x.GetType() == y.GetType());

        int IEqualityComparer<object>.GetHashCode(object obj) => obj.GetHashCode();
    }
}
