using Akka.Persistence.Journal;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>
/// Turns events of earlier versions into those of today. Payloads have no field names, so a record never changes: when one needs
/// other fields, the old record keeps its place in <see cref="EventTypes.InFileOrder"/> under a name with its version
/// (<c>AreaMappedV2</c>), the new one is appended, and a step from the one to the other is added here. Thread-safe.
/// </summary>
public sealed class EventUpcasting : IReadEventAdapter
{
    private readonly IReadOnlyDictionary<Type, Func<ContextEvent, ContextEvent>> _steps;

    /// <summary>With the steps of this program.</summary>
    public EventUpcasting()
        : this(Current) { }

    /// <summary>With other steps.</summary>
    /// <param name="steps">By the type of the old event: what it is today, or what it was one version later.</param>
    public EventUpcasting(IReadOnlyDictionary<Type, Func<ContextEvent, ContextEvent>> steps) => _steps = steps;

    /// <summary>The steps from every earlier version. Version 2 only added types, so none is needed yet.</summary>
    public static IReadOnlyDictionary<Type, Func<ContextEvent, ContextEvent>> Current { get; } =
        new Dictionary<Type, Func<ContextEvent, ContextEvent>>();

    /// <summary>Whether any event has a step.</summary>
    public bool IsEmpty => _steps.Count == 0;

    /// <summary>What an event is in today's vocabulary; steps follow each other.</summary>
    public ContextEvent ToCurrent(ContextEvent change)
    {
        while (_steps.TryGetValue(change.GetType(), out var step))
        {
            change = step(change);
        }

        return change;
    }

    /// <inheritdoc/>
    public IEventSequence FromJournal(object evt, string manifest) =>
        EventSequence.Single(evt is ContextEvent change ? ToCurrent(change) : evt);
}
