// Fault injection, from the bottom: FaultPoint and FaultPoints name what can fail, IFaultSource decides whether it does,
// FaultGate asks at the steps of participants. Plans and their decisions are in Iommufd.Scenarios.
using Iommufd.Messages;

namespace Iommufd.Core.Faults;

/// <summary>What a fault does to the operation that it strikes.</summary>
public enum FaultEffect
{
    /// <summary>A step is refused with an errno; the flow undoes what it did.</summary>
    Refusal,

    /// <summary>An actor dies and is restarted; the operation must not notice.</summary>
    Crash,

    /// <summary>Something takes longer or has to be done again; the operation must not notice.</summary>
    Delay,

    /// <summary>Hardware loses work: DMA, requests or events; operations succeed.</summary>
    Loss,

    /// <summary>Something is gone for good; what comes later meets it too.</summary>
    Removal,
}

/// <summary>One place where something can fail in the real world. Immutable; one instance for each place.</summary>
public sealed class FaultPoint
{
    internal FaultPoint(int index, string name, FaultEffect effect, string description, params Errno[] explains)
    {
        (Index, Name, Effect, Description, Explains) = (index, name, effect, description, explains);
    }

    /// <summary>Its place in <see cref="FaultPoints.All"/>.</summary>
    public int Index { get; }

    /// <summary>How plans and reports write it: <c>area.what</c>.</summary>
    public string Name { get; }

    /// <summary>What a strike does.</summary>
    public FaultEffect Effect { get; }

    /// <summary>What fails, in one sentence.</summary>
    public string Description { get; }

    /// <summary>The errnos that the operation struck may end with because of it; empty when it must not notice.</summary>
    public IReadOnlyList<Errno> Explains { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
