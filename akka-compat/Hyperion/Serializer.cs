using System.Buffers;
using System.Collections;
using System.Runtime.Serialization;
using Hyperion.Codecs;
using Hyperion.Wire;

namespace Hyperion;

/// <summary>Writes and reads values in Hyperion's wire format. Thread-safe; reuse one instance, it compiles code for each type.</summary>
public class Serializer
{
    [ThreadStatic]
    private static ByteWriter? s_writer;

    [ThreadStatic]
    private static ByteReader? s_reader;

    private static readonly HashSet<Type> SupportedFromRuntime =
    [
        typeof(object),
        typeof(List<>),
        typeof(Dictionary<,>),
        typeof(KeyValuePair<,>),
        typeof(DictionaryEntry),
        typeof(TimeSpan),
        typeof(DateOnly),
        typeof(TimeOnly),
        typeof(Int128),
        typeof(UInt128),
    ];

    private readonly ValueCodec?[] _primitives = new ValueCodec?[256];
    private readonly ValueCodec?[] _primitiveArrays = new ValueCodec?[256];
    private readonly ValueCodec[] _known;

    /// <summary>The options in force.</summary>
    public readonly SerializerOptions Options;

    /// <summary>A serializer with default options.</summary>
    public Serializer()
        : this(SerializerOptions.Default) { }

    /// <summary>A serializer with the given options; code for known types is compiled here.</summary>
    public Serializer(SerializerOptions options)
    {
        Options = options;
        Registry = new CodecRegistry(this);
        foreach (var entry in Primitives.All)
        {
            _primitives[entry.Manifest] = entry.Codec;
            _primitiveArrays[entry.Manifest] = entry.Array;
            Registry.Add(entry.Codec);
            if (entry.Array is not null)
            {
                Registry.Add(entry.Array);
            }
        }

        // An array of bytes in the general form is read too, though it is never written.
        _primitiveArrays[Manifest.Byte] = new PrimitiveArrayCodec<byte>((ValueCodec<byte>)_primitives[Manifest.Byte]!);
        _primitives[Manifest.ByteArray] = new ByteArrayCodec();
        _primitives[Manifest.SystemObject] = new SystemObjectCodec();
        Registry.Add(_primitives[Manifest.ByteArray]!);
        Registry.Add(_primitives[Manifest.SystemObject]!);
        _known = [.. options.KnownTypes.Select(t => Registry.ForReading(Registry.CodecFor(t)))];
    }

    internal CodecRegistry Registry { get; }

    internal int KnownTypeCount => _known.Length;

    internal ValueCodec KnownCodec(int index) => _known[index];

    internal ValueCodec CodecFor(Type type) => Registry.CodecFor(type);

    internal ValueCodec? PrimitiveCodec(byte manifest) => _primitives[manifest];

    internal ValueCodec PrimitiveArrayCodec(byte manifest) =>
        _primitiveArrays[manifest]
        ?? throw new SerializationException(
            $"{manifest} is not the manifest of a primitive that arrays can be made of."
        );

    /// <summary>Writes a value to the stream.</summary>
    /// <exception cref="ArgumentNullException">The value is null: the format has no null at the top.</exception>
    /// <exception cref="UnsupportedTypeException">The value holds something that has no serialized form.</exception>
    public void Serialize(object obj, Stream stream)
    {
        var writer = Write(obj);
        stream.Write(writer.Written);
        s_writer = writer;
    }

    /// <summary>The bytes of a value; as <see cref="Serialize(object, Stream)"/> without the stream.</summary>
    public byte[] ToBytes(object obj)
    {
        var writer = Write(obj);
        var bytes = writer.Written.ToArray();
        s_writer = writer;
        return bytes;
    }

    // The writer is taken out of its slot while in use: a surrogate may serialize in the middle.
    private ByteWriter Write(object obj)
    {
        ArgumentNullException.ThrowIfNull(obj);
        var codec = CodecFor(obj.GetType());
        var writer = s_writer ?? new ByteWriter();
        s_writer = null;
        writer.Reset(this, Options.PreservesReferences && codec.HoldsObjects);
        codec.WriteManifest(writer);
        codec.WriteBoxed(writer, obj);
        return writer;
    }

    /// <summary>Reads the next value of the stream, which is left behind it when it can seek, else at its end.</summary>
    public T Deserialize<T>(Stream stream) => (T)Deserialize(stream);

    /// <inheritdoc cref="Deserialize{T}(Stream)"/>
    public object Deserialize(Stream stream)
    {
        if (stream is MemoryStream memory && memory.TryGetBuffer(out var segment))
        {
            var at = (int)memory.Position;
            var result = Read(segment.Array!, segment.Offset + at, segment.Count - at, out var read);
            memory.Position = at + read;
            return result;
        }

        if (!stream.CanSeek)
        {
            var copy = new MemoryStream();
            stream.CopyTo(copy);
            return Read(copy.GetBuffer(), 0, (int)copy.Length, out _);
        }

        var start = stream.Position;
        var count = checked((int)(stream.Length - start));
        // Nothing that is read refers to the buffer: strings and arrays are made anew.
        var buffer = ArrayPool<byte>.Shared.Rent(count);
        try
        {
            stream.ReadExactly(buffer, 0, count);
            var value = Read(buffer, 0, count, out var consumed);
            stream.Position = start + consumed;
            return value;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a value from bytes.</summary>
    /// <exception cref="SerializationException">The bytes are not a value in this format.</exception>
    /// <exception cref="EvilDeserializationException">The bytes name a type that must not be read.</exception>
    public object FromBytes(byte[] bytes) => Read(bytes, 0, bytes.Length, out _);

    private object Read(byte[] buffer, int offset, int count, out int consumed)
    {
        var reader = s_reader ?? new ByteReader();
        s_reader = null;
        reader.Reset(this, buffer, offset, count);
        object? value;
        try
        {
            value = reader.ReadObject();
        }
        catch (Exception e) when (e is ArgumentException or InvalidCastException or OverflowException)
        {
            throw new SerializationException($"The payload does not hold what its types need: {e.Message}", e);
        }

        consumed = reader.Position - offset;
        s_reader = reader;
        return value!;
    }

    internal static bool IsFromRuntime(Type type) =>
        type.Assembly == typeof(object).Assembly || IsFrameworkAssembly(type);

    private static bool IsFrameworkAssembly(Type type)
    {
        var name = type.Assembly.GetName().Name!;
        return name.StartsWith("System.", StringComparison.Ordinal)
            || name.StartsWith("Microsoft.", StringComparison.Ordinal)
            || name is "System" or "mscorlib" or "netstandard";
    }

    /// <summary>
    /// The type that a payload names. The allow-list sees the name first; only then is a type loaded, and a type of the
    /// runtime itself must be one of the few that are plain data. Nothing is instantiated here.
    /// </summary>
    internal Type TypeNamed(string name)
    {
        foreach (var rewrite in Options.PackageNameOverrides)
        {
            name = rewrite(name);
        }

        if (!Options.Filter.IsAllowed(name))
        {
            throw new UserEvilDeserializationException(
                $"The payload holds a value of type \"{name}\", which is not in the list of allowed types. "
                    + "If events of this type are yours, add the name to the list; otherwise the payload is not to be trusted.",
                name
            );
        }

        var type =
            Type.GetType(TypeNames.Loadable(name), throwOnError: false)
            ?? throw new SerializationException(
                $"The payload holds a value of type \"{name}\", which no loaded assembly has. Was it renamed or removed?"
            );
        if (Options.RefusesUnsafeTypes && FindUnsafe(type) is { } bad)
        {
            throw new EvilDeserializationException(
                $"The payload holds a value of type \"{name}\"; {bad} belongs to the runtime and is not plain data.",
                name
            );
        }

        return type;
    }

    private static Type? FindUnsafe(Type type)
    {
        if (type.HasElementType)
        {
            return FindUnsafe(type.GetElementType()!);
        }

        foreach (var argument in type.IsGenericType ? type.GetGenericArguments() : [])
        {
            if (FindUnsafe(argument) is { } bad)
            {
                return bad;
            }
        }

        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        var plain = Primitives.IsPrimitive(type) || type.IsEnum || SupportedFromRuntime.Contains(definition);
        return plain || !IsFromRuntime(type) ? null : type;
    }
}
