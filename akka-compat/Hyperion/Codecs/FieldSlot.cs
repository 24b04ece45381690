using Hyperion.Wire;

namespace Hyperion.Codecs;

/// <summary>
/// A place that holds a value of a declared type - a field, an element - and is written with a manifest, because the
/// value may be null, a reference, or of a derived type.
/// </summary>
internal abstract class FieldSlot
{
    /// <summary>The slot for a declared type; codecs that it needs are built.</summary>
    public static FieldSlot For(Type declared, Serializer serializer)
    {
        var nullable = Nullable.GetUnderlyingType(declared);
        Type slot;
        if (nullable is not null)
        {
            slot = typeof(NullableSlot<>).MakeGenericType(nullable);
            return (FieldSlot)Activator.CreateInstance(slot, serializer.Registry.Capture(nullable))!;
        }

        slot = (declared.IsValueType ? typeof(StructSlot<>) : typeof(ReferenceSlot<>)).MakeGenericType(declared);
        return (FieldSlot)Activator.CreateInstance(slot, serializer.Registry.CaptureOrNull(declared))!;
    }
}

/// <inheritdoc/>
internal abstract class FieldSlot<T> : FieldSlot
{
    /// <summary>Writes manifest and value.</summary>
    public abstract void Write(ByteWriter writer, T value);

    /// <summary>Reads manifest and value.</summary>
    /// <exception cref="System.Runtime.Serialization.SerializationException">
    /// The value does not fit the declared type.
    /// </exception>
    public abstract T Read(ByteReader reader);

    /// <summary>The value as the declared type.</summary>
    /// <exception cref="System.Runtime.Serialization.SerializationException">
    /// It is of another type, or null where there is no null.
    /// </exception>
    protected static T Unwrap(object? value) =>
        value is T typed ? typed
        : value is null && default(T) is null ? default!
        : throw new System.Runtime.Serialization.SerializationException(
            $"The payload holds {(value is null ? "null" : value.GetType().ToString())} where {typeof(T)} belongs."
        );
}

/// <summary>A value type: no null, no derived type, and no box unless objects are tracked.</summary>
internal sealed class StructSlot<T>(ValueCodec codec) : FieldSlot<T>
    where T : struct
{
    private readonly ValueCodec<T>? _typed = codec as ValueCodec<T>;

    public override void Write(ByteWriter writer, T value)
    {
        if (_typed is null || (writer.TracksObjects && codec.IsTracked))
        {
            object boxed = value;
            if (writer.TracksObjects && writer.TryWriteReference(boxed))
            {
                return;
            }

            codec.WriteManifest(writer);
            codec.WriteBoxed(writer, boxed);
            return;
        }

        _typed.WriteManifest(writer);
        _typed.Write(writer, ref value);
    }

    public override T Read(ByteReader reader)
    {
        var found = reader.ReadManifest(out var reference);
        if (found is ValueCodec<T> typed)
        {
            return typed.Read(reader);
        }

        return Unwrap(found is null ? reference : found.ReadBoxed(reader));
    }
}

/// <summary>A nullable value type: null, or as the value itself.</summary>
internal sealed class NullableSlot<T>(ValueCodec codec) : FieldSlot<T?>
    where T : struct
{
    private readonly StructSlot<T> _value = new(codec);

    public override void Write(ByteWriter writer, T? value)
    {
        if (value is { } present)
        {
            _value.Write(writer, present);
        }
        else
        {
            writer.WriteByte(Manifest.Null);
        }
    }

    public override T? Read(ByteReader reader) => Unwrap(reader.ReadObject());
}

/// <summary>A reference type: the declared type's codec when the value is exactly of that type, else its own.</summary>
internal sealed class ReferenceSlot<T>(ValueCodec? declared) : FieldSlot<T>
    where T : class
{
    private readonly ValueCodec<T>? _typed = declared as ValueCodec<T>;

    public override void Write(ByteWriter writer, T value)
    {
        if (value is null)
        {
            writer.WriteByte(Manifest.Null);
            return;
        }

        if (declared is null || value.GetType() != typeof(T))
        {
            writer.WriteObject(value);
            return;
        }

        if (writer.TracksObjects && declared.IsTracked && writer.TryWriteReference(value))
        {
            return;
        }

        declared.WriteManifest(writer);
        if (_typed is not null)
        {
            _typed.Write(writer, ref value);
        }
        else
        {
            declared.WriteBoxed(writer, value);
        }
    }

    public override T Read(ByteReader reader) => Unwrap(reader.ReadObject());
}
