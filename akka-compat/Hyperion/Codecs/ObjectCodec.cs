using System.Runtime.CompilerServices;
using Hyperion.Wire;

namespace Hyperion.Codecs;

/// <summary>Moves all fields of a value; compiled once for a type.</summary>
internal delegate void FieldMover<T, TBuffer>(TBuffer buffer, ref T value);

/// <summary>A class or struct of ours: its fields, private ones too, in ordinal order of their names.</summary>
internal sealed class ObjectCodec<T> : ValueCodec<T>
{
    private static readonly bool IsClass = !typeof(T).IsValueType;
    private readonly NamedManifest _manifest;
    private FieldMover<T, ByteWriter>? _write;
    private FieldMover<T, ByteReader>? _read;
    private bool _holdsObjects = true;

    /// <summary>Not usable before <see cref="Initialize"/>.</summary>
    public ObjectCodec(NamedManifest manifest) => _manifest = manifest;

    public override bool IsTracked => true;

    public override bool HoldsObjects => _holdsObjects;

    /// <summary>Set after construction: a type may hold itself, and its codec must exist before its fields are looked at.</summary>
    public void Initialize(FieldMover<T, ByteWriter> write, FieldMover<T, ByteReader> read, bool holdsObjects)
    {
        _holdsObjects = holdsObjects;
        _read = read;
        Volatile.Write(ref _write, write);
    }

    public override void WriteManifest(ByteWriter writer) => _manifest.Write(writer);

    public override void Write(ByteWriter writer, ref T value)
    {
        if (writer.TracksObjects)
        {
            writer.TrackObject(value!);
        }

        (_write ?? throw NotReady())(writer, ref value);
    }

    public override void WriteBoxed(ByteWriter writer, object value)
    {
        if (writer.TracksObjects)
        {
            writer.TrackObject(value);
        }

        if (IsClass)
        {
            (_write ?? throw NotReady())(writer, ref Unsafe.As<object, T>(ref value));
        }
        else
        {
            var typed = (T)value;
            (_write ?? throw NotReady())(writer, ref typed);
        }
    }

    public override T Read(ByteReader reader)
    {
        var value = IsClass ? (T)RuntimeHelpers.GetUninitializedObject(typeof(T)) : default!;
        if (!reader.TracksObjects)
        {
            (_read ?? throw NotReady())(reader, ref value);
            return value;
        }

        var id = reader.ReserveObject();
        if (IsClass)
        {
            // Before the fields: one of them may refer back to this object.
            reader.FillObject(id, value!);
        }

        (_read ?? throw NotReady())(reader, ref value);
        reader.FillObject(id, value!);
        return value;
    }

    private static InvalidOperationException NotReady() =>
        new($"The codec of {typeof(T)} is used before it is complete.");
}

/// <summary>An object stored with its field names: read by name, whatever fields the type has today.</summary>
internal sealed class VersionedReader<T>(FieldMover<T, ByteReader> read) : ValueCodec<T>
{
    public override bool IsTracked => true;

    public override void WriteManifest(ByteWriter writer) => throw new NotSupportedException("This codec only reads.");

    public override void Write(ByteWriter writer, ref T value) =>
        throw new NotSupportedException("This codec only reads.");

    public override T Read(ByteReader reader)
    {
        var isClass = !typeof(T).IsValueType;
        var value = isClass ? (T)RuntimeHelpers.GetUninitializedObject(typeof(T)) : default!;
        var id = reader.TracksObjects ? reader.ReserveObject() : -1;
        if (id >= 0 && isClass)
        {
            reader.FillObject(id, value!);
        }

        read(reader, ref value);
        if (id >= 0)
        {
            reader.FillObject(id, value!);
        }

        return value;
    }
}

/// <summary>An enum: an object whose only field is the number.</summary>
internal sealed class EnumCodec<T, TNumber>(NamedManifest manifest, ValueCodec<TNumber> number, bool versioned)
    : ValueCodec<T>
    where T : struct, Enum
    where TNumber : unmanaged
{
    public override bool IsTracked => true;

    public override bool HoldsObjects => false;

    public override void WriteManifest(ByteWriter writer) => manifest.Write(writer);

    public override void Write(ByteWriter writer, ref T value)
    {
        if (writer.TracksObjects)
        {
            writer.TrackObject(value);
        }

        if (versioned)
        {
            number.WriteManifest(writer);
        }

        number.Write(writer, ref Unsafe.As<T, TNumber>(ref value));
    }

    public override T Read(ByteReader reader)
    {
        var id = reader.TracksObjects ? reader.ReserveObject() : -1;
        TNumber stored;
        if (versioned)
        {
            stored = reader.ReadObject() is TNumber read
                ? read
                : throw new System.Runtime.Serialization.SerializationException(
                    $"{typeof(T)} is stored without its number."
                );
        }
        else
        {
            stored = number.Read(reader);
        }

        var value = Unsafe.As<TNumber, T>(ref stored);
        if (id >= 0)
        {
            reader.FillObject(id, value);
        }

        return value;
    }
}
