using Iommufd.Persistence;

namespace Iommufd.Scenarios.Runner;

/// <summary>The journal can no longer be written: the run is cut short, and everything that was acknowledged is in the journal.</summary>
/// <param name="file">The journal.</param>
/// <param name="cause">What happened.</param>
public sealed class JournalLostException(string file, Exception cause)
    : Exception($"{file}: the journal cannot be written any more: {cause.Message}", cause);

/// <summary>A run that is executed again is not the one that wrote its journal. The journal is as it was.</summary>
public sealed class JournalDivergedException : Exception
{
    /// <summary>At an event.</summary>
    public JournalDivergedException(EventDifference difference)
        : base(difference.Describe()) => Difference = difference;

    /// <summary>At an event that the journal itself refused.</summary>
    public JournalDivergedException(Exception refusal)
        : base(refusal.Message, refusal) { }

    /// <summary>The event; null when only the journal's own check found it.</summary>
    public EventDifference? Difference { get; }
}

/// <summary>A run that is executed again was given up before it had come to the end of its journal, which is as it was.</summary>
/// <param name="reason">Why, for people.</param>
public sealed class RunAbandonedException(string reason) : Exception(reason);
