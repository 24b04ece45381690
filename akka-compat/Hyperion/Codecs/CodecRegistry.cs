using System.Collections;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Serialization;
using System.Text;
using Hyperion.Wire;

namespace Hyperion.Codecs;

/// <summary>
/// Finds or builds the codec of a type. Types are built depth first, known types in their order; that order decides
/// how a known array inside another known type is written (see <see cref="Capture"/>).
/// </summary>
internal sealed class CodecRegistry(Serializer serializer)
{
    private readonly ConcurrentDictionary<Type, ValueCodec> _codecs = new();
    private readonly ConcurrentDictionary<byte[], ValueCodec> _byName = new(ByteKeys.Instance);
    private readonly ConcurrentDictionary<byte[], ValueCodec> _byVersion = new(ByteKeys.Instance);
    private readonly Lock _build = new();

    // Codecs that are not complete yet, and those that refer to them: nobody else may see them. Guarded by _build.
    private readonly Dictionary<Type, ValueCodec> _unfinished = [];
    private int _depth;

    /// <summary>Adds a codec that was built elsewhere, before any other thread sees the registry.</summary>
    public void Add(ValueCodec codec) => _codecs[codec.Type] = codec;

    /// <summary>The codec of a type, built if need be.</summary>
    /// <exception cref="UnsupportedTypeException">The type, or one that it holds, has no serialized form.</exception>
    public ValueCodec CodecFor(Type type) => _codecs.TryGetValue(type, out var codec) ? codec : Capture(type);

    /// <summary>
    /// The codec that a place of this declared type holds on to; null for types that only derived ones can be values
    /// of.
    /// </summary>
    public ValueCodec? CaptureOrNull(Type type) => type.IsAbstract || type.IsInterface ? null : Capture(type);

    /// <summary>
    /// The codec that a field or a caller holds on to. The first to ask for a known collection type gets it under its
    /// name, later ones under its index: what the format's reference implementation does, so what journals contain.
    /// </summary>
    public ValueCodec Capture(Type type)
    {
        if (_codecs.TryGetValue(type, out var codec))
        {
            return codec;
        }

        lock (_build)
        {
            if (_codecs.TryGetValue(type, out codec) || _unfinished.TryGetValue(type, out codec))
            {
                return codec;
            }

            _depth++;
            try
            {
                codec = Build(type);
                if (_depth == 1)
                {
                    foreach (var (built, complete) in _unfinished)
                    {
                        _codecs[built] = complete;
                    }
                }

                return codec;
            }
            finally
            {
                // A failure anywhere leaves nothing behind: what it completed may hold what it did not.
                if (--_depth == 0)
                {
                    _unfinished.Clear();
                }
            }
        }
    }

    private ValueCodec Build(Type type)
    {
        if (serializer.Options.SurrogateFor(type) is { } surrogate)
        {
            return _unfinished[type] = new ToSurrogateCodec(type, surrogate);
        }

        if (type.IsSZArray)
        {
            return BuildGeneric(nameof(BuildArray), type.GetElementType()!);
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(List<>))
        {
            return BuildGeneric(nameof(BuildList), type.GetGenericArguments());
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>))
        {
            return BuildGeneric(nameof(BuildDictionary), type.GetGenericArguments());
        }

        if (UnsupportedReason(type) is { } reason)
        {
            throw new UnsupportedTypeException(type, $"{type} cannot be serialized: {reason}.");
        }

        return type.IsEnum
            ? BuildGeneric(nameof(BuildEnum), type, type.GetEnumUnderlyingType())
            : BuildGeneric(nameof(BuildObject), type);
    }

    private static string? UnsupportedReason(Type type) =>
        type.IsPointer || type.IsByRefLike ? "it lives outside the managed heap"
        : type.IsArray ? "it is an array of several dimensions"
        : typeof(Delegate).IsAssignableFrom(type) ? "it is a delegate; store the data it needs instead"
        : typeof(MemberInfo).IsAssignableFrom(type) ? "it is a reflection object"
        : typeof(ISerializable).IsAssignableFrom(type)
            ? "it brings its own serialization; store its data in a record instead"
        : typeof(IEnumerable).IsAssignableFrom(type) && Serializer.IsFromRuntime(type)
            ? "of the collections only arrays, List and Dictionary are supported"
        : null;

    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "The runtime is never trimmed.")]
    private ValueCodec BuildGeneric(string method, params Type[] arguments)
    {
        try
        {
            var definition = GetType().GetMethod(method, BindingFlags.Instance | BindingFlags.NonPublic)!;
            return (ValueCodec)definition.MakeGenericMethod(arguments).Invoke(this, null)!;
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(e.InnerException).Throw();
            throw;
        }
    }

    private ValueCodec BuildArray<T>()
    {
        var element = (FieldSlot<T>)FieldSlot.For(typeof(T), serializer);
        var codec = new ObjectArrayCodec<T>(Named(typeof(T[])), element);
        var known = KnownIndex(typeof(T[]));
        _unfinished[typeof(T[])] = known < 0 ? codec : codec.With(Named(typeof(T[]), known));
        return codec;
    }

    private ValueCodec BuildList<T>()
    {
        var element = (FieldSlot<T>)FieldSlot.For(typeof(T), serializer);
        var codec = new ListCodec<T>(Named(typeof(List<T>)), element);
        var known = KnownIndex(typeof(List<T>));
        _unfinished[typeof(List<T>)] = known < 0 ? codec : codec.With(Named(typeof(List<T>), known));
        return codec;
    }

    private ValueCodec BuildDictionary<TKey, TValue>()
        where TKey : notnull
    {
        var type = typeof(Dictionary<TKey, TValue>);
        var entry = (FieldSlot<DictionaryEntry>)FieldSlot.For(typeof(DictionaryEntry), serializer);
        var codec = new DictionaryCodec<TKey, TValue>(Named(type), entry);
        var known = KnownIndex(type);
        _unfinished[type] = known < 0 ? codec : codec.With(Named(type, known));
        return codec;
    }

    private ValueCodec BuildEnum<T, TNumber>()
        where T : struct, Enum
        where TNumber : unmanaged
    {
        var number = (ValueCodec<TNumber>)CodecFor(typeof(TNumber));
        var manifest = Named(typeof(T), KnownIndex(typeof(T)));
        return _unfinished[typeof(T)] = new EnumCodec<T, TNumber>(
            manifest,
            number,
            serializer.Options.ToleratesVersions
        );
    }

    private ValueCodec BuildObject<T>()
    {
        var codec = new ObjectCodec<T>(Named(typeof(T), KnownIndex(typeof(T))));
        _unfinished[typeof(T)] = codec;
        var fields = FieldCode.FieldsOf(typeof(T));
        var slots = fields.Select(f => SlotFor(f, serializer.Options.ToleratesVersions)).ToArray();
        var holdsObjects = slots.Any(s => s is not null);
        codec.Initialize(FieldCode.Writer<T>(fields, slots), FieldCode.Reader<T>(fields, slots), holdsObjects);
        return codec;
    }

    private FieldSlot? SlotFor(FieldInfo field, bool versioned) =>
        !versioned && Primitives.IsPrimitive(field.FieldType) ? null : FieldSlot.For(field.FieldType, serializer);

    private int KnownIndex(Type type) => serializer.Options.KnownIndex(type);

    private NamedManifest Named(Type type, int known = -1)
    {
        var name = Encoding.UTF8.GetBytes(TypeNames.ShortName(type));
        var writer = new ByteWriter();
        writer.WriteByte(serializer.Options.ToleratesVersions ? Manifest.VersionedObject : Manifest.NamedObject);
        writer.WriteInt32(name.Length);
        writer.WriteBytes(name);
        if (serializer.Options.ToleratesVersions)
        {
            var fields = type.IsArray ? [] : FieldCode.FieldsOf(type);
            writer.WriteByte((byte)fields.Length);
            foreach (var field in fields)
            {
                var bytes = Encoding.UTF8.GetBytes(field.Name);
                writer.WriteInt32(bytes.Length);
                writer.WriteBytes(bytes);
            }
        }

        return new NamedManifest(type, writer.Written.ToArray(), known);
    }

    /// <summary>The codec of a type that a payload names; the name is checked before a type is looked for.</summary>
    public ValueCodec CodecForName(ReadOnlySpan<byte> name)
    {
        if (_byName.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out var codec))
        {
            return codec;
        }

        var type = serializer.TypeNamed(Encoding.UTF8.GetString(name));
        return _byName[name.ToArray()] = ForReading(CodecFor(type));
    }

    /// <summary>As <see cref="CodecForName"/>, for a name followed by the fields that are stored.</summary>
    public ValueCodec CodecForVersion(ReadOnlySpan<byte> header)
    {
        if (_byVersion.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(header, out var codec))
        {
            return codec;
        }

        var reader = new ByteReader();
        reader.Reset(serializer, header.ToArray(), 0, header.Length);
        var type = serializer.TypeNamed(Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadInt32())));
        var names = new string[reader.ReadByte()];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadInt32()));
        }

        var built = CodecFor(type);
        if (built.GetType() is { IsGenericType: true } g && g.GetGenericTypeDefinition() == typeof(ObjectCodec<>))
        {
            var method = GetType().GetMethod(nameof(BuildVersioned), BindingFlags.Instance | BindingFlags.NonPublic)!;
            built = (ValueCodec)method.MakeGenericMethod(type).Invoke(this, [names])!;
        }
        else if (type.IsEnum)
        {
            var method = GetType()
                .GetMethod(nameof(BuildVersionedEnum), BindingFlags.Instance | BindingFlags.NonPublic)!;
            built = (ValueCodec)method.MakeGenericMethod(type, type.GetEnumUnderlyingType()).Invoke(this, null)!;
        }

        return _byVersion[header.ToArray()] = ForReading(built);
    }

    private ValueCodec BuildVersioned<T>(string[] names)
    {
        // Two fields of one name (a private one in the base type) are told apart by their order.
        var left = FieldCode.FieldsOf(typeof(T)).ToList();
        var fields = new FieldInfo?[names.Length];
        for (var i = 0; i < names.Length; i++)
        {
            fields[i] = left.Find(f => string.Equals(f.Name, names[i], StringComparison.Ordinal));
            if (fields[i] is { } found)
            {
                left.Remove(found);
            }
        }

        var slots = fields.Select(f => f is null ? null : SlotFor(f, versioned: true)).ToArray();
        return new VersionedReader<T>(FieldCode.Reader<T>(fields, slots));
    }

    private ValueCodec BuildVersionedEnum<T, TNumber>()
        where T : struct, Enum
        where TNumber : unmanaged =>
        new EnumCodec<T, TNumber>(Named(typeof(T)), (ValueCodec<TNumber>)CodecFor(typeof(TNumber)), versioned: true);

    /// <summary>The codec itself, or one that turns a stand-in back into what it stands for.</summary>
    public ValueCodec ForReading(ValueCodec codec) =>
        serializer.Options.SurrogateTo(codec.Type) is { } surrogate ? new FromSurrogateCodec(codec, surrogate) : codec;

    private sealed class ByteKeys : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        /// <summary>The only one.</summary>
        public static readonly ByteKeys Instance = new();

        /// <inheritdoc/>
        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

        /// <inheritdoc/>
        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        /// <inheritdoc/>
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        /// <inheritdoc/>
        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        /// <inheritdoc/>
        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());
    }
}
