namespace Akka.Persistence.Journal;

/// <summary>The events that one stored event stands for.</summary>
public interface IEventSequence
{
    /// <summary>In the order in which they are replayed.</summary>
    IEnumerable<object> Events { get; }
}

/// <summary>No event: the stored one is dropped.</summary>
public interface IEmptyEventSequence : IEventSequence;

/// <summary>Makes event sequences.</summary>
public static class EventSequence
{
    /// <summary>No event.</summary>
    public static IEventSequence Empty = EmptyEventSequence.Instance;

    /// <summary>One event.</summary>
    public static IEventSequence Single(object e) => new SingleEventSequence(e);

    /// <summary>Events in this order.</summary>
    public static IEventSequence Create(params object[] events) => new EventSequence<object>(events);

    /// <summary>Events in this order.</summary>
    public static IEventSequence Create(IEnumerable<object> events) => new EventSequence<object>(events);
}

/// <summary>Several events.</summary>
public class EventSequence<T>(IEnumerable<object> events) : IEventSequence, IEquatable<IEventSequence>
{
    /// <inheritdoc/>
    public IEnumerable<object> Events { get; } = [.. events];

    /// <summary>Sequences with equal events in equal order are equal, of whatever type.</summary>
    public bool Equals(IEventSequence other) => other is not null && Events.SequenceEqual(other.Events);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as IEventSequence);

    /// <inheritdoc/>
    public override int GetHashCode() => Events.Count();
}

/// <summary>One event.</summary>
public struct SingleEventSequence(object e) : IEventSequence, IEquatable<IEventSequence>
{
    /// <inheritdoc/>
    public IEnumerable<object> Events { get; } = [e];

    /// <summary>Sequences with equal events in equal order are equal, of whatever type.</summary>
    public readonly bool Equals(IEventSequence other) => other is not null && Events.SequenceEqual(other.Events);

    /// <inheritdoc/>
    public override readonly bool Equals(object obj) => Equals(obj as IEventSequence);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => 1;
}

/// <summary>No event.</summary>
public sealed class EmptyEventSequence : IEmptyEventSequence, IEquatable<IEventSequence>
{
    /// <summary>The only one.</summary>
    public static readonly EmptyEventSequence Instance = new();

    private EmptyEventSequence() { }

    /// <inheritdoc/>
    public IEnumerable<object> Events => [];

    /// <summary>Sequences with equal events in equal order are equal, of whatever type.</summary>
    public bool Equals(IEventSequence other) => other is EmptyEventSequence;

    /// <inheritdoc/>
    public override bool Equals(object obj) => obj is EmptyEventSequence;

    /// <inheritdoc/>
    public override int GetHashCode() => 0;
}
