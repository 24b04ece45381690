using Hyperion.Wire;

namespace Hyperion.Codecs;

/// <summary>How values of one type are written and read. Codecs hold no state of a payload: one serves all threads.</summary>
internal abstract class ValueCodec
{
    /// <summary>The type whose values these are.</summary>
    public abstract Type Type { get; }

    /// <summary>True when values of the type get object numbers, so that an equal one may be written as a reference.</summary>
    public abstract bool IsTracked { get; }

    /// <summary>False when nothing inside a value can refer to an object: then a payload's root needs no number.</summary>
    public virtual bool HoldsObjects => true;

    /// <summary>Writes what stands before a value and says of what type it is.</summary>
    public abstract void WriteManifest(ByteWriter writer);

    /// <summary>Writes what follows the manifest.</summary>
    public abstract void WriteBoxed(ByteWriter writer, object value);

    /// <summary>Reads what follows the manifest.</summary>
    public abstract object ReadBoxed(ByteReader reader);
}

/// <inheritdoc/>
internal abstract class ValueCodec<T> : ValueCodec
{
    public override Type Type => typeof(T);

    /// <summary>Writes what follows the manifest, without a box; by reference only to save the copy.</summary>
    public abstract void Write(ByteWriter writer, ref T value);

    /// <summary>Reads what follows the manifest, without a box.</summary>
    public abstract T Read(ByteReader reader);

    public override void WriteBoxed(ByteWriter writer, object value)
    {
        var typed = (T)value;
        Write(writer, ref typed);
    }

    public override object ReadBoxed(ByteReader reader) => Read(reader)!;
}

/// <summary>
/// The manifest of a type that has a name: a known type's index, or the name the first time in a payload and an index
/// afterwards.
/// </summary>
internal readonly struct NamedManifest(Type type, byte[] named, int knownIndex)
{
    /// <summary>Whether the type is written as its index among the known types.</summary>
    public bool IsKnown => knownIndex >= 0;

    /// <summary>Writes the manifest and, the first time in a payload, notes that the type has been named.</summary>
    public void Write(ByteWriter writer)
    {
        if (knownIndex >= 0)
        {
            writer.WriteByte(Manifest.TypeIndex);
            writer.WriteUInt16((ushort)knownIndex);
        }
        else if (writer.TryGetTypeIndex(type, out var index))
        {
            writer.WriteByte(Manifest.TypeIndex);
            writer.WriteUInt16(index);
        }
        else
        {
            writer.TrackType(type);
            writer.WriteBytes(named);
        }
    }
}
