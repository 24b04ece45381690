namespace Akka.Persistence.Journal;

/// <summary>The events that one stored event stands for.</summary>
public interface IEventSequence
{
    IEnumerable<object> Events { get; }
}

/// <summary>No event: the stored one is dropped.</summary>
public interface IEmptyEventSequence : IEventSequence;

/// <summary>Makes event sequences.</summary>
public static class EventSequence
{
    public static IEventSequence Empty = EmptyEventSequence.Instance;

    public static IEventSequence Single(object e) => new SingleEventSequence(e);

    public static IEventSequence Create(params object[] events) => new EventSequence<object>(events);

    public static IEventSequence Create(IEnumerable<object> events) => new EventSequence<object>(events);
}

/// <summary>Several events.</summary>
public class EventSequence<T>(IEnumerable<object> events) : IEventSequence, IEquatable<IEventSequence>
{
    public IEnumerable<object> Events { get; } = [.. events];

    public bool Equals(IEventSequence other) => other is not null && Events.SequenceEqual(other.Events);

    public override bool Equals(object obj) => Equals(obj as IEventSequence);

    public override int GetHashCode() => Events.Count();
}

/// <summary>One event.</summary>
public struct SingleEventSequence(object e) : IEventSequence, IEquatable<IEventSequence>
{
    public IEnumerable<object> Events { get; } = [e];

    public readonly bool Equals(IEventSequence other) => other is not null && Events.SequenceEqual(other.Events);

    public override readonly bool Equals(object obj) => Equals(obj as IEventSequence);

    public override readonly int GetHashCode() => 1;
}

/// <summary>No event.</summary>
public sealed class EmptyEventSequence : IEmptyEventSequence, IEquatable<IEventSequence>
{
    public static readonly EmptyEventSequence Instance = new();

    private EmptyEventSequence() { }

    public IEnumerable<object> Events => [];

    public bool Equals(IEventSequence other) => other is EmptyEventSequence;

    public override bool Equals(object obj) => obj is EmptyEventSequence;

    public override int GetHashCode() => 0;
}
