using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>Decides when a participant is checked in the middle of flows, and hears what was found. Safe from any thread.</summary>
public interface IStateSampler
{
    /// <summary>Whether the participant that has just done a step is checked now.</summary>
    bool IsDue();

    /// <summary>What was found.</summary>
    void Found(Participant participant, StateChecked state);
}
