using Akka.Actor;

namespace Akka
{
    /// <summary>Says that something finished; carries nothing.</summary>
    public sealed class Done
    {
        public static readonly Done Instance = new();

        private Done() { }

        public override string ToString() => "Done";
    }

    /// <summary>Stands where a type argument is needed and no value is.</summary>
    public sealed class NotUsed : IEquatable<NotUsed>, IComparable<NotUsed>
    {
        public static readonly NotUsed Instance = new();

        private NotUsed() { }

        public bool Equals(NotUsed other) => other is not null;

        public override bool Equals(object obj) => obj is NotUsed;

        public override int GetHashCode() => 0;

        public int CompareTo(NotUsed other) => other is null ? 1 : 0;

        public override string ToString() => "NotUsed";
    }
}

namespace Akka.Util
{
    /// <summary>A serializable stand-in for an object that cannot be serialized itself.</summary>
    public interface ISurrogate
    {
        ISurrogated FromSurrogate(ActorSystem system);
    }

    /// <summary>An object that knows its serializable stand-in.</summary>
    public interface ISurrogated
    {
        ISurrogate ToSurrogate(ActorSystem system);
    }

    /// <summary>A value that may be absent.</summary>
    public readonly struct Option<T>
    {
        public static readonly Option<T> None;

        public Option(T value)
        {
            Value = value;
            HasValue = value is not null;
        }

        public bool HasValue { get; }
        public bool IsEmpty => !HasValue;
        public T Value { get; }

        public static Option<T> Create(T value) => new(value);

        public static implicit operator Option<T>(T value) => new(value);

        public T GetOrElse(T fallbackValue) => HasValue ? Value : fallbackValue;

        public Option<TNew> Select<TNew>(Func<T, TNew> selector) =>
            HasValue ? new Option<TNew>(selector(Value)) : Option<TNew>.None;

        public Option<TNew> FlatSelect<TNew>(Func<T, Option<TNew>> mapper) =>
            HasValue ? mapper(Value) : Option<TNew>.None;

        public void OnSuccess(Action<T> action)
        {
            if (HasValue)
                action(Value);
        }

        public bool Equals(Option<T> other) =>
            HasValue == other.HasValue && EqualityComparer<T>.Default.Equals(Value, other.Value);

        public override bool Equals(object obj) => obj is Option<T> other && Equals(other);

        public override int GetHashCode() => HasValue ? EqualityComparer<T>.Default.GetHashCode(Value) : 0;

        public static bool operator ==(Option<T> left, Option<T> right) => left.Equals(right);

        public static bool operator !=(Option<T> left, Option<T> right) => !left.Equals(right);

        public override string ToString() => HasValue ? $"Some<{Value}>" : "None";
    }

    /// <summary>A random generator of the calling thread.</summary>
    public static class ThreadLocalRandom
    {
        [ThreadStatic]
        private static Random _simulated;

        /// <summary>The generator; on the thread of a simulation, the one that its seed determines.</summary>
        public static Random Current => _simulated ?? Random.Shared;

        internal static Random Exchange(Random random)
        {
            var before = _simulated;
            _simulated = random;
            return before;
        }
    }

    /// <summary>Questions about types.</summary>
    public static class TypeExtensions
    {
        public static bool Implements<T>(this Type type) => typeof(T).IsAssignableFrom(type);

        public static bool Implements(this Type type, Type moreGeneralType) => moreGeneralType.IsAssignableFrom(type);

        /// <summary>The name that manifests use: namespace, type and assembly, without version.</summary>
        public static string TypeQualifiedName(this Type type)
        {
            var assembly = type.Assembly.GetName().Name;
            var core = typeof(object).Assembly.GetName().Name;
            return string.Equals(assembly, core, StringComparison.Ordinal)
                ? WithoutVersions(type)
                : WithoutVersions(type) + ", " + assembly;
        }

        private static string WithoutVersions(Type type)
        {
            if (!type.IsGenericType || type.IsGenericTypeDefinition)
                return type.FullName;
            var arguments = type.GetGenericArguments().Select(a => "[" + a.TypeQualifiedName() + "]");
            return type.GetGenericTypeDefinition().FullName + "[" + string.Join(",", arguments) + "]";
        }
    }
}
