using Iommufd.Core.Context;
using Iommufd.Core.Invariants;
using Iommufd.Core.Participants;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>The canonical state of a context and its digest: every object in id order, asked of whoever holds it. Runs alone.</summary>
public sealed class DescribeContextFlow(ContextCore context, Caller caller, bool withText) : Flow(context, caller)
{
    private readonly List<string> _lines = [];

    /// <summary>Whether the context closes afterwards; only the actor uses it.</summary>
    public bool ThenClose { get; init; }

    /// <summary>The digest.</summary>
    public ulong Digest { get; private set; }

    /// <summary>The canonical lines, if asked for.</summary>
    public IReadOnlyList<string> Lines => _lines;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        var own = new StateLines(withText);
        own.Add($"context charge-process {Context.ChargeProcess}");
        foreach (var set in Context.PageSets.InOrderOfMemory())
        {
            own.Add(
                $"pageset process {set.Process} base 0x{set.BaseAddress:x} writable {set.Writable} areas {set.Areas}"
            );
        }

        var hash = Add(Fnv1a.Empty, own.ToDescription());
        foreach (var found in Context.Objects.Live.ToArray())
        {
            var header = new StateLines(withText);
            header.Add($"{found.GetType().Name} {found.Id} users {found.Users}");
            hash = Add(hash, header.ToDescription());
            if (ParticipantOf(found) is { } participant)
            {
                var ask = FlowWait.For(participant.Kind, participant.Id, new DescribeState(withText));
                yield return ask;
                hash = Add(hash, ask.As<StateDescription>());
            }
        }

        Digest = hash.Value;
    }

    /// <summary>The participant behind an object, null where the context knows everything itself.</summary>
    public static Participant? ParticipantOf(ContextObject found) =>
        found switch
        {
            IoasObject => new Participant(ParticipantKind.Ioas, found.Id),
            HwptObject => new Participant(ParticipantKind.Hwpt, found.Id),
            DeviceObject => new Participant(ParticipantKind.Device, found.Id),
            AccessObject => new Participant(ParticipantKind.Access, found.Id),
            SharedHwptObject => new Participant(ParticipantKind.Hwpt, found.Id),
            NestedHwptObject => new Participant(ParticipantKind.NestedHwpt, found.Id),
            FaultObject => new Participant(ParticipantKind.Fault, found.Id),
            ViommuObject => new Participant(ParticipantKind.Viommu, found.Id),
            VdeviceObject => new Participant(ParticipantKind.Vdevice, found.Id),
            VeventqObject => new Participant(ParticipantKind.Veventq, found.Id),
            HwQueueObject => new Participant(ParticipantKind.HwQueue, found.Id),
            _ => null,
        };

    private Fnv1a Add(Fnv1a hash, StateDescription described)
    {
        _lines.AddRange(described.Lines);
        return hash.Add(described.Digest);
    }
}

/// <summary>A broken invariant found in a context.</summary>
/// <param name="Invariant">Its name.</param>
/// <param name="Where">The object.</param>
/// <param name="What">What was found.</param>
public sealed record BrokenInvariant(string Invariant, string Where, string What);

/// <summary>Checks every invariant of a context and of everything that it holds: <see cref="ContextInvariant"/>. Runs alone.</summary>
public sealed class CheckContextFlow(ContextCore context, Caller caller) : Flow(context, caller)
{
    private readonly InvariantFindings _findings = new();

    /// <summary>Invariants checked.</summary>
    public long Checked => _findings.Checked;

    /// <summary>The broken ones.</summary>
    public IReadOnlyList<BrokenInvariant> Broken => _findings.Broken;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        foreach (var invariant in ContextInvariant.All)
        {
            foreach (var wait in invariant.Check(Context, _findings))
            {
                yield return wait;
            }
        }
    }
}
