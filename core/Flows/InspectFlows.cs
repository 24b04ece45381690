using Iommufd.Core.Context;
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
        foreach (
            var set in Context
                .PageSets.InOrder.OrderBy(s => s.Process)
                .ThenBy(s => s.BaseAddress)
                .ThenBy(s => s.Writable)
                .ThenBy(s => s.Areas)
        )
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

/// <summary>Checks the invariants of a context and of everything that it holds. Runs alone.</summary>
public sealed class CheckContextFlow(ContextCore context, Caller caller) : Flow(context, caller)
{
    private readonly List<BrokenInvariant> _broken = [];

    /// <summary>Invariants checked.</summary>
    public long Checked { get; private set; }

    /// <summary>The broken ones.</summary>
    public IReadOnlyList<BrokenInvariant> Broken => _broken;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        foreach (var found in Context.Objects.Live.ToArray())
        {
            if (DescribeContextFlow.ParticipantOf(found) is not { } participant)
            {
                continue;
            }

            var ask = FlowWait.For(participant.Kind, participant.Id, CheckState.Instance);
            yield return ask;
            var state = ask.As<StateChecked>();
            Checked += state.Checks;
            foreach (var what in state.Broken)
            {
                _broken.Add(new BrokenInvariant("state", $"{participant.Kind} {participant.Id}", what));
            }
        }

        foreach (var ioas in Context.Objects.Live.OfType<IoasObject>().ToArray())
        {
            foreach (var wait in CheckMirrors(ioas))
            {
                yield return wait;
            }
        }

        CheckReferences();
        Checked++;
        _broken.AddRange(
            Context.Engine.Crashes.Select(what => new BrokenInvariant("no-flow-crashes", "context", what))
        );
    }

    // Every HWPT of an IOAS holds exactly the IOAS's finished areas.
    private IEnumerable<FlowWait> CheckMirrors(IoasObject ioas)
    {
        var list = FlowWait.For(ParticipantKind.Ioas, ioas.Id, ListAreas.Instance);
        yield return list;
        var areas = list.As<AreaList>().Areas;
        foreach (var hwpt in ioas.Domains.ToArray())
        {
            var compare = FlowWait.For(ParticipantKind.Hwpt, hwpt, new CompareAreas(areas));
            yield return compare;
            Checked++;
            foreach (var what in compare.As<StateChecked>().Broken)
            {
                _broken.Add(new BrokenInvariant("mirror", $"hwpt {hwpt}", what));
            }
        }

        Checked++;
        var storage = ioas.Domains.Count == 0 ? 0 : ioas.Domains[0];
        if (areas.Any(a => (a.StorageHwpt != 0) != (storage != 0)))
        {
            _broken.Add(
                new BrokenInvariant(
                    "storage",
                    $"ioas {ioas.Id}",
                    "an area has a storage domain exactly when the IOAS has one"
                )
            );
        }
    }

    private void CheckReferences()
    {
        Checked += Context.Objects.Count;
        foreach (var (wrong, expected) in ReferenceCounts.Wrong(Context))
        {
            _broken.Add(
                new BrokenInvariant(
                    "references",
                    $"{wrong.GetType().Name} {wrong.Id}",
                    FormattableString.Invariant($"{wrong.Users} users where {expected} are known")
                )
            );
        }
    }
}
