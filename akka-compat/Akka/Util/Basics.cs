using Akka.Actor;

namespace Akka
{
    /// <summary>Says that something finished; carries nothing.</summary>
    public sealed class Done
    {
        /// <summary>The only one.</summary>
        public static readonly Done Instance = new();

        private Done() { }

        /// <inheritdoc/>
        public override string ToString() => "Done";
    }

    /// <summary>Stands where a type argument is needed and no value is.</summary>
    public sealed class NotUsed : IEquatable<NotUsed>, IComparable<NotUsed>
    {
        /// <summary>The only one.</summary>
        public static readonly NotUsed Instance = new();

        private NotUsed() { }

        /// <summary>All are equal.</summary>
        public bool Equals(NotUsed other) => other is not null;

        /// <inheritdoc/>
        public override bool Equals(object obj) => obj is NotUsed;

        /// <inheritdoc/>
        public override int GetHashCode() => 0;

        /// <summary>All are equal; null is first.</summary>
        public int CompareTo(NotUsed other) => other is null ? 1 : 0;

        /// <inheritdoc/>
        public override string ToString() => "NotUsed";
    }
}

namespace Akka.Util
{
    /// <summary>A serializable stand-in for an object that cannot be serialized itself.</summary>
    public interface ISurrogate
    {
        /// <summary>The object that this stands for, in the system that reads it.</summary>
        ISurrogated FromSurrogate(ActorSystem system);
    }

    /// <summary>An object that knows its serializable stand-in.</summary>
    public interface ISurrogated
    {
        /// <summary>The stand-in to be written.</summary>
        ISurrogate ToSurrogate(ActorSystem system);
    }

    /// <summary>A value that may be absent.</summary>
    public readonly struct Option<T>
    {
        /// <summary>No value. Also the default of the type.</summary>
        public static readonly Option<T> None;

        /// <summary>A value, or none when it is null.</summary>
        public Option(T value)
        {
            Value = value;
            HasValue = value is not null;
        }

        /// <summary>Whether there is a value; never with null.</summary>
        public bool HasValue { get; }

        /// <summary>Whether there is none.</summary>
        public bool IsEmpty => !HasValue;

        /// <summary>The value; the default of its type when there is none.</summary>
        public T Value { get; }

        /// <summary>A value, or none when it is null.</summary>
        public static Option<T> Create(T value) => new(value);

        /// <summary>A value, or none when it is null.</summary>
        public static implicit operator Option<T>(T value) => new(value);

        /// <summary>The value, or the given one when there is none.</summary>
        public T GetOrElse(T fallbackValue) => HasValue ? Value : fallbackValue;

        /// <summary>The value mapped, or none; a null from the function is none too.</summary>
        public Option<TNew> Select<TNew>(Func<T, TNew> selector) =>
            HasValue ? new Option<TNew>(selector(Value)) : Option<TNew>.None;

        /// <summary>What the function makes of the value, or none.</summary>
        public Option<TNew> FlatSelect<TNew>(Func<T, Option<TNew>> mapper) =>
            HasValue ? mapper(Value) : Option<TNew>.None;

        /// <summary>Runs the action on the value, if there is one.</summary>
        public void OnSuccess(Action<T> action)
        {
            if (HasValue)
                action(Value);
        }

        /// <summary>None equals none; values compare by their type's default comparer.</summary>
        public bool Equals(Option<T> other) =>
            HasValue == other.HasValue && EqualityComparer<T>.Default.Equals(Value, other.Value);

        /// <inheritdoc/>
        public override bool Equals(object obj) => obj is Option<T> other && Equals(other);

        /// <inheritdoc/>
        public override int GetHashCode() => HasValue ? EqualityComparer<T>.Default.GetHashCode(Value) : 0;

        /// <summary>None equals none; values compare by their type's default comparer.</summary>
        public static bool operator ==(Option<T> left, Option<T> right) => left.Equals(right);

        /// <summary>The negation of <c>==</c>.</summary>
        public static bool operator !=(Option<T> left, Option<T> right) => !left.Equals(right);

        /// <inheritdoc/>
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
        /// <summary>Whether objects of the type can be assigned to the other.</summary>
        public static bool Implements<T>(this Type type) => typeof(T).IsAssignableFrom(type);

        /// <summary>Whether objects of the type can be assigned to the other.</summary>
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
