using Iommufd.Actors.Protocol;
using Iommufd.Core.Participants;
using Iommufd.Messages.Flows;

namespace Iommufd.Scenarios.Soak;

/// <summary>Checks every so many steps of a run the participant that did the step, in the middle of its flow. Safe from any thread.</summary>
internal sealed class InFlightSampler : IStateSampler
{
    // A prime: it does not fall into step with anything that a scenario repeats.
    private const long Every = 127;

    private long _steps;
    private InvariantViolation? _first;

    /// <summary>The first broken invariant.</summary>
    public InvariantViolation? First => Volatile.Read(ref _first);

    /// <inheritdoc/>
    public bool IsDue() => Interlocked.Increment(ref _steps) % Every == 0;

    /// <inheritdoc/>
    public void Found(Participant participant, StateChecked state)
    {
        if (state.Broken.Count > 0)
        {
            var where = FormattableString.Invariant($"{participant.Kind} {participant.Id}");
            var violation = new InvariantViolation("state-in-flight", where, state.Broken[0]);
            Interlocked.CompareExchange(ref _first, violation, null);
        }
    }
}
