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

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

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

    public void WriteByte(byte value) => Take(1)[0] = value;

    public void WriteSByte(sbyte value) => Take(1)[0] = (byte)value;

    public void WriteBoolean(bool value) => Take(1)[0] = value ? (byte)1 : (byte)0;

    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16LittleEndian(Take(2), value);

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    public void WriteChar(char value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);

    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void WriteSingle(float value) => BinaryPrimitives.WriteSingleLittleEndian(Take(4), value);

    public void WriteDouble(double value) => BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);

    public void WriteGuid(Guid value) => value.TryWriteBytes(Take(16));

    public void WriteDateTime(DateTime value)
    {
        WriteInt64(value.Ticks);
        WriteByte((byte)value.Kind);
    }

    public void WriteDateTimeOffset(DateTimeOffset value)
    {
        WriteInt64(value.Ticks);
        WriteInt64(value.Offset.Ticks);
    }

    public void WriteDecimal(decimal value)
    {
        Span<int> parts = stackalloc int[4];
        decimal.GetBits(value, parts);
        foreach (var part in parts)
        {
            WriteInt32(part);
        }
    }

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
        public static readonly EqualObjects Instance = new();

        bool IEqualityComparer<object>.Equals(object? x, object? y) =>
            Equals(x, y) && (x is null || y is null || x.GetType() == y.GetType());

        int IEqualityComparer<object>.GetHashCode(object obj) => obj.GetHashCode();
    }
}
