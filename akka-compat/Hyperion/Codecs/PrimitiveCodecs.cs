using System.Runtime.InteropServices;
using Hyperion.Wire;

namespace Hyperion.Codecs;

internal delegate void PrimitiveWriter<T>(ByteWriter writer, T value);

/// <summary>A type with a manifest of one byte of its own.</summary>
internal sealed class PrimitiveCodec<T>(byte manifest, PrimitiveWriter<T> write, Func<ByteReader, T> read)
    : ValueCodec<T>
{
    public override bool IsTracked => false;

    public override bool HoldsObjects => false;

    public override void WriteManifest(ByteWriter writer) => writer.WriteByte(manifest);

    public override void Write(ByteWriter writer, ref T value) => write(writer, value);

    public override T Read(ByteReader reader) => read(reader);
}

/// <summary>The empty object: nothing follows its manifest.</summary>
internal sealed class SystemObjectCodec : ValueCodec
{
    public override Type Type => typeof(object);

    public override bool IsTracked => false;

    public override bool HoldsObjects => false;

    public override void WriteManifest(ByteWriter writer) => writer.WriteByte(Manifest.SystemObject);

    public override void WriteBoxed(ByteWriter writer, object value) { }

    public override object ReadBoxed(ByteReader reader) => new();
}

/// <summary>byte[]: a manifest of its own, a length, the bytes.</summary>
internal sealed class ByteArrayCodec : ValueCodec<byte[]>
{
    public override bool IsTracked => true;

    public override bool HoldsObjects => false;

    public override void WriteManifest(ByteWriter writer) => writer.WriteByte(Manifest.ByteArray);

    public override void Write(ByteWriter writer, ref byte[] value)
    {
        writer.WriteInt32(value.Length);
        writer.WriteBytes(value);
        if (writer.TracksObjects)
        {
            writer.TrackObject(value);
        }
    }

    public override byte[] Read(ByteReader reader)
    {
        var value = reader.ReadBytes(reader.ReadCount(1)).ToArray();
        if (reader.TracksObjects)
        {
            reader.FillObject(reader.ReserveObject(), value);
        }

        return value;
    }
}

/// <summary>T[] of a primitive: the element's manifest once, then the elements bare.</summary>
internal sealed class PrimitiveArrayCodec<T>(ValueCodec<T> element) : ValueCodec<T[]>
{
    // These are laid out in memory as they are on the wire.
    private static readonly bool IsBlock =
        BitConverter.IsLittleEndian
        && (
            typeof(T) == typeof(long)
            || typeof(T) == typeof(ulong)
            || typeof(T) == typeof(int)
            || typeof(T) == typeof(uint)
            || typeof(T) == typeof(short)
            || typeof(T) == typeof(ushort)
            || typeof(T) == typeof(char)
            || typeof(T) == typeof(bool)
            || typeof(T) == typeof(sbyte)
            || typeof(T) == typeof(float)
            || typeof(T) == typeof(double)
        );

    public override bool IsTracked => true;

    public override bool HoldsObjects => false;

    public override void WriteManifest(ByteWriter writer) => writer.WriteByte(Manifest.PrimitiveArray);

    public override void Write(ByteWriter writer, ref T[] value)
    {
        if (writer.TracksObjects)
        {
            writer.TrackObject(value);
        }

        element.WriteManifest(writer);
        writer.WriteInt32(value.Length);
        if (IsBlock)
        {
            writer.WriteBytes(Bytes(value));
            return;
        }

        for (var i = 0; i < value.Length; i++)
        {
            element.Write(writer, ref value[i]);
        }
    }

    /// <summary>The element's manifest has been read already: it is what led here.</summary>
    public override T[] Read(ByteReader reader)
    {
        var size = IsBlock ? System.Runtime.CompilerServices.Unsafe.SizeOf<T>() : 1;
        var value = new T[reader.ReadCount(size)];
        if (reader.TracksObjects)
        {
            reader.FillObject(reader.ReserveObject(), value);
        }

        if (IsBlock)
        {
            var bytes = Bytes(value);
            reader.ReadBytes(bytes.Length).CopyTo(bytes);
            return value;
        }

        for (var i = 0; i < value.Length; i++)
        {
            value[i] = element.Read(reader);
        }

        return value;
    }

    private static Span<byte> Bytes(T[] value) =>
        MemoryMarshal.CreateSpan(
            ref MemoryMarshal.GetArrayDataReference((Array)value),
            value.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>()
        );
}

/// <summary>The types that the format has a byte for.</summary>
internal static class Primitives
{
    /// <summary>Codec, codec of its arrays (null where the array has a manifest of its own), manifest.</summary>
    public sealed record Entry(byte Manifest, ValueCodec Codec, ValueCodec? Array);

    /// <summary>In no particular order; the manifest tells them apart.</summary>
    public static readonly IReadOnlyList<Entry> All =
    [
        Of(Manifest.Int64, static (w, v) => w.WriteInt64(v), static r => r.ReadInt64()),
        Of(Manifest.Int16, static (w, v) => w.WriteInt16(v), static r => r.ReadInt16()),
        Of(Manifest.Byte, static (w, v) => w.WriteByte(v), static r => r.ReadByte(), hasArray: false),
        Of(Manifest.DateTime, static (w, v) => w.WriteDateTime(v), static r => r.ReadDateTime()),
        Of(Manifest.Boolean, static (w, v) => w.WriteBoolean(v), static r => r.ReadBoolean()),
        Of<string>(Manifest.String, static (w, v) => w.WriteString(v), static r => r.ReadString()!),
        Of(Manifest.Int32, static (w, v) => w.WriteInt32(v), static r => r.ReadInt32()),
        Of(Manifest.DateTimeOffset, static (w, v) => w.WriteDateTimeOffset(v), static r => r.ReadDateTimeOffset()),
        Of(Manifest.Guid, static (w, v) => w.WriteGuid(v), static r => r.ReadGuid()),
        Of(Manifest.Single, static (w, v) => w.WriteSingle(v), static r => r.ReadSingle()),
        Of(Manifest.Double, static (w, v) => w.WriteDouble(v), static r => r.ReadDouble()),
        Of(Manifest.Decimal, static (w, v) => w.WriteDecimal(v), static r => r.ReadDecimal()),
        Of(Manifest.Char, static (w, v) => w.WriteChar(v), static r => r.ReadChar()),
        Of(Manifest.UInt16, static (w, v) => w.WriteUInt16(v), static r => r.ReadUInt16()),
        Of(Manifest.UInt32, static (w, v) => w.WriteUInt32(v), static r => r.ReadUInt32()),
        Of(Manifest.UInt64, static (w, v) => w.WriteUInt64(v), static r => r.ReadUInt64()),
        Of(Manifest.SByte, static (w, v) => w.WriteSByte(v), static r => r.ReadSByte()),
    ];

    /// <summary>Name of the method of writer and reader that moves a bare value of the type, or null.</summary>
    public static string? MethodSuffix(Type type) => IsPrimitive(type) ? type.Name : null;

    /// <summary>Whether the format has a byte for the type.</summary>
    public static bool IsPrimitive(Type type) => Types.Contains(type);

    private static readonly HashSet<Type> Types = [.. All.Select(e => e.Codec.Type)];

    private static Entry Of<T>(byte manifest, PrimitiveWriter<T> write, Func<ByteReader, T> read, bool hasArray = true)
    {
        var codec = new PrimitiveCodec<T>(manifest, write, read);
        return new Entry(manifest, codec, hasArray ? new PrimitiveArrayCodec<T>(codec) : null);
    }
}
