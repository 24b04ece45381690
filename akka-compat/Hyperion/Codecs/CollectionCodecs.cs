using System.Collections;
using Hyperion.Wire;

namespace Hyperion.Codecs;

/// <summary>T[] of anything but a primitive: name, count, elements with their manifests.</summary>
internal sealed class ObjectArrayCodec<T>(NamedManifest manifest, FieldSlot<T> element) : ValueCodec<T[]>
{
    public override bool IsTracked => true;

    /// <summary>The same codec under another manifest.</summary>
    public ObjectArrayCodec<T> With(NamedManifest other) => new(other, element);

    public override void WriteManifest(ByteWriter writer) => manifest.Write(writer);

    public override void Write(ByteWriter writer, ref T[] value)
    {
        if (writer.TracksObjects)
        {
            writer.TrackObject(value);
        }

        writer.WriteInt32(value.Length);
        foreach (var item in value)
        {
            element.Write(writer, item);
        }
    }

    public override T[] Read(ByteReader reader)
    {
        var value = new T[reader.ReadCount(1)];
        if (reader.TracksObjects)
        {
            reader.FillObject(reader.ReserveObject(), value);
        }

        reader.Enter();
        for (var i = 0; i < value.Length; i++)
        {
            value[i] = element.Read(reader);
        }

        reader.Leave();
        return value;
    }
}

/// <summary>List&lt;T&gt;: name, count, elements with their manifests.</summary>
internal sealed class ListCodec<T>(NamedManifest manifest, FieldSlot<T> element) : ValueCodec<List<T>>
{
    public override bool IsTracked => true;

    /// <summary>The same codec under another manifest.</summary>
    public ListCodec<T> With(NamedManifest other) => new(other, element);

    public override void WriteManifest(ByteWriter writer) => manifest.Write(writer);

    public override void Write(ByteWriter writer, ref List<T> value)
    {
        if (writer.TracksObjects)
        {
            writer.TrackObject(value);
        }

        writer.WriteInt32(value.Count);
        foreach (var item in value)
        {
            element.Write(writer, item);
        }
    }

    public override List<T> Read(ByteReader reader)
    {
        var id = reader.TracksObjects ? reader.ReserveObject() : -1;
        var count = reader.ReadCount(1);
        var value = new List<T>(count);
        if (id >= 0)
        {
            reader.FillObject(id, value);
        }

        reader.Enter();
        for (var i = 0; i < count; i++)
        {
            value.Add(element.Read(reader));
        }

        reader.Leave();
        return value;
    }
}

/// <summary>Dictionary&lt;K,V&gt;: name, count, DictionaryEntry objects.</summary>
internal sealed class DictionaryCodec<TKey, TValue>(NamedManifest manifest, FieldSlot<DictionaryEntry> entry)
    : ValueCodec<Dictionary<TKey, TValue>>
    where TKey : notnull
{
    public override bool IsTracked => true;

    /// <summary>The same codec under another manifest.</summary>
    public DictionaryCodec<TKey, TValue> With(NamedManifest other) => new(other, entry);

    public override void WriteManifest(ByteWriter writer) => manifest.Write(writer);

    public override void Write(ByteWriter writer, ref Dictionary<TKey, TValue> value)
    {
        if (writer.TracksObjects)
        {
            writer.TrackObject(value);
        }

        writer.WriteInt32(value.Count);
        foreach (var pair in value)
        {
            entry.Write(writer, new DictionaryEntry(pair.Key, pair.Value));
        }
    }

    public override Dictionary<TKey, TValue> Read(ByteReader reader)
    {
        var count = reader.ReadCount(1);
        var value = new Dictionary<TKey, TValue>(count);
        if (reader.TracksObjects)
        {
            reader.FillObject(reader.ReserveObject(), value);
        }

        reader.Enter();
        for (var i = 0; i < count; i++)
        {
            var pair = entry.Read(reader);
            value.Add((TKey)pair.Key, (TValue)pair.Value!);
        }

        reader.Leave();
        return value;
    }
}

/// <summary>A type that another stands in for: only the stand-in is written.</summary>
internal sealed class ToSurrogateCodec(Type type, Surrogate surrogate) : ValueCodec
{
    public override Type Type => type;

    public override bool IsTracked => false;

    public override void WriteManifest(ByteWriter writer) { }

    public override void WriteBoxed(ByteWriter writer, object value) =>
        writer.WriteObject(surrogate.ToSurrogate(value));

    public override object ReadBoxed(ByteReader reader) => throw new NotSupportedException("This codec only writes.");
}

/// <summary>The stand-in when it is read: what it stands for comes out.</summary>
internal sealed class FromSurrogateCodec(ValueCodec standIn, Surrogate surrogate) : ValueCodec
{
    public override Type Type => standIn.Type;

    public override bool IsTracked => standIn.IsTracked;

    public override void WriteManifest(ByteWriter writer) => standIn.WriteManifest(writer);

    public override void WriteBoxed(ByteWriter writer, object value) => standIn.WriteBoxed(writer, value);

    public override object ReadBoxed(ByteReader reader)
    {
        var id = reader.NextObject;
        var value = surrogate.FromSurrogate(standIn.ReadBoxed(reader));
        if (reader.TracksObjects && id < reader.NextObject)
        {
            reader.FillObject(id, value);
        }

        return value;
    }
}
