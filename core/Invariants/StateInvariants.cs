using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Invariants;

/// <summary>IOVA maps, page tables, queues: what each participant can check by itself.</summary>
public sealed class EveryStateIsSound : ContextInvariant
{
    /// <inheritdoc/>
    public override string Name => "state";

    /// <inheritdoc/>
    public override string Sentence =>
        "every IOVA map, page table, fault queue, event queue and vIOMMU is consistent in itself";

    /// <inheritdoc/>
    public override IEnumerable<FlowWait> Check(ContextCore context, InvariantFindings findings)
    {
        foreach (var found in context.Objects.Live.ToArray())
        {
            if (DescribeContextFlow.ParticipantOf(found) is not { } participant)
            {
                continue;
            }

            var ask = FlowWait.For(participant.Kind, participant.Id, CheckState.Instance);
            yield return ask;
            var state = ask.As<StateChecked>();
            findings.Count(state.Checks);
            foreach (var what in state.Broken)
            {
                findings.Add(this, $"{participant.Kind} {participant.Id}", $"{what}");
            }
        }
    }
}

/// <summary>Every HWPT of an IOAS holds exactly the IOAS's finished areas.</summary>
public sealed class EveryHwptMirrorsItsIoas : ContextInvariant
{
    /// <inheritdoc/>
    public override string Name => "mirror";

    /// <inheritdoc/>
    public override string Sentence =>
        "every HWPT of an IOAS has exactly the areas of the IOAS, with the same permissions";

    /// <inheritdoc/>
    public override IEnumerable<FlowWait> Check(ContextCore context, InvariantFindings findings)
    {
        foreach (var ioas in context.Objects.Live.OfType<IoasObject>().ToArray())
        {
            var list = FlowWait.For(ParticipantKind.Ioas, ioas.Id, ListAreas.Instance);
            yield return list;
            foreach (var hwpt in ioas.Domains.ToArray())
            {
                var compare = FlowWait.For(ParticipantKind.Hwpt, hwpt, new CompareAreas(list.As<AreaList>().Areas));
                yield return compare;
                findings.Count(1);
                foreach (var what in compare.As<StateChecked>().Broken)
                {
                    findings.Add(this, FormattableString.Invariant($"hwpt {hwpt}"), $"{what}");
                }
            }
        }
    }
}

/// <summary>PFNs are read back from a domain exactly where there is one.</summary>
public sealed class StorageIsWhereDomainsAre : ContextInvariant
{
    /// <inheritdoc/>
    public override string Name => "storage";

    /// <inheritdoc/>
    public override string Sentence => "an area's frames are kept by a HWPT of its IOAS exactly when the IOAS has one";

    /// <inheritdoc/>
    public override IEnumerable<FlowWait> Check(ContextCore context, InvariantFindings findings)
    {
        foreach (var ioas in context.Objects.Live.OfType<IoasObject>().ToArray())
        {
            var list = FlowWait.For(ParticipantKind.Ioas, ioas.Id, ListAreas.Instance);
            yield return list;
            foreach (var area in list.As<AreaList>().Areas)
            {
                var right = area.StorageHwpt == 0 ? ioas.Domains.Count == 0 : ioas.Domains.Contains(area.StorageHwpt);
                findings.Holds(
                    right,
                    this,
                    FormattableString.Invariant($"ioas {ioas.Id}"),
                    $"the area at 0x{area.Range.First:x} is stored in HWPT {area.StorageHwpt}"
                );
            }
        }
    }
}
