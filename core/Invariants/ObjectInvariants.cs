using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Invariants;

/// <summary>Every object is held as often as its holders say.</summary>
public sealed class ReferencesAddUp : ContextInvariant
{
    /// <inheritdoc/>
    public override string Name => "references";

    /// <inheritdoc/>
    public override string Sentence => "an object's count of users is what its holders add up to";

    /// <inheritdoc/>
    public override IEnumerable<FlowWait> Check(ContextCore context, InvariantFindings findings)
    {
        findings.Count(context.Objects.Count);
        foreach (var (wrong, expected) in ReferenceCounts.Wrong(context))
        {
            var where = FormattableString.Invariant($"{wrong.GetType().Name} {wrong.Id}");
            findings.Add(this, where, $"{wrong.Users} users where {expected} are known");
        }

        yield break;
    }
}

/// <summary>Whatever names an object by its id names one that is there.</summary>
public sealed class IdsAreConsistent : ContextInvariant
{
    /// <inheritdoc/>
    public override string Name => "ids";

    /// <inheritdoc/>
    public override string Sentence =>
        "nothing is under construction or half destroyed, and every id that an IOAS or a group keeps is a living object's";

    /// <inheritdoc/>
    public override IEnumerable<FlowWait> Check(ContextCore context, InvariantFindings findings)
    {
        var live = context.Objects.Live.ToDictionary(o => o.Id);
        findings.Holds(
            live.Count + Internal(context) == context.Objects.Count,
            this,
            "context",
            $"{context.Objects.Count} ids are taken, {live.Count} objects live"
        );
        foreach (var ioas in live.Values.OfType<IoasObject>())
        {
            foreach (var id in ioas.Hwpts.Concat(ioas.Domains))
            {
                var found = live.GetValueOrDefault(id) as HwptObject;
                findings.Holds(ReferenceEquals(found?.Ioas, ioas), this, Where(ioas), $"HWPT {id} is not its own");
            }

            foreach (var id in ioas.Accesses)
            {
                var found = context.Objects.Taken.FirstOrDefault(o => o.Id == id) as AccessObject;
                findings.Holds(ReferenceEquals(found?.Ioas, ioas), this, Where(ioas), $"access {id} is not its own");
            }
        }

        foreach (var hwpt in live.Values.OfType<HwptObject>())
        {
            findings.Holds(hwpt.Ioas.Domains.Contains(hwpt.Id), this, Where(hwpt), $"it is no domain of its IOAS");
        }

        foreach (var group in context.Groups)
        {
            var bound = live.Values.OfType<DeviceObject>().Count(d => ReferenceEquals(d.Group, group));
            findings.Holds(
                bound == group.Devices,
                this,
                FormattableString.Invariant($"group {group.Number}"),
                $"{group.Devices} devices are counted, {bound} are bound"
            );
        }

        yield break;
    }

    // The access of a HW queue has an id that nobody can find.
    private static int Internal(ContextCore context) =>
        context.Objects.Taken.Count(o => o.Phase == ObjectPhase.Reserved && o is AccessObject { Internal: true });

    private static string Where(ContextObject found) =>
        FormattableString.Invariant($"{found.GetType().Name} {found.Id}");
}

/// <summary>A page set lives as long as its areas.</summary>
public sealed class PageSetsHaveTheirAreas : ContextInvariant
{
    /// <inheritdoc/>
    public override string Name => "page-set-areas";

    /// <inheritdoc/>
    public override string Sentence => "a page set has as many areas as the IOASes show, and at least one";

    /// <inheritdoc/>
    public override IEnumerable<FlowWait> Check(ContextCore context, InvariantFindings findings)
    {
        var areas = new SortedDictionary<uint, int>();
        foreach (var ioas in context.Objects.Live.OfType<IoasObject>().ToArray())
        {
            var list = FlowWait.For(ParticipantKind.Ioas, ioas.Id, ListAreas.Instance);
            yield return list;
            foreach (var area in list.As<AreaList>().Areas)
            {
                areas[area.PageSet] = areas.GetValueOrDefault(area.PageSet) + 1;
            }
        }

        foreach (var set in context.PageSets.InOrder)
        {
            var shown = areas.GetValueOrDefault(set.Number);
            findings.Holds(
                shown == set.Areas && shown > 0,
                this,
                FormattableString.Invariant($"page set {set.Number}"),
                $"{set.Areas} areas are counted, {shown} are there"
            );
            areas.Remove(set.Number);
        }

        findings.Holds(areas.Count == 0, this, "context", $"{areas.Count} page sets of areas are gone");
    }
}

/// <summary>Whoever is done has let go of every lock.</summary>
public sealed class NoLockIsHeld : ContextInvariant
{
    /// <inheritdoc/>
    public override string Name => "no-lock-held";

    /// <inheritdoc/>
    public override string Sentence => "while no command runs, no lock is held or waited for";

    /// <inheritdoc/>
    public override IEnumerable<FlowWait> Check(ContextCore context, InvariantFindings findings)
    {
        foreach (var (name, held) in Locks(context))
        {
            findings.Holds(held.IsIdle, this, name, $"it is held");
        }

        yield break;
    }

    private static IEnumerable<(string Name, FlowLock Lock)> Locks(ContextCore context)
    {
        foreach (var live in context.Objects.Live)
        {
            switch (live)
            {
                case IoasObject ioas:
                    yield return ($"mutex of IOAS {ioas.Id}", ioas.Mutex);
                    yield return ($"domains lock of IOAS {ioas.Id}", ioas.DomainsLock);
                    yield return ($"IOVA lock of IOAS {ioas.Id}", ioas.IovaLock);
                    break;
                case AccessObject access:
                    yield return ($"lock of access {access.Id}", access.Lock);
                    break;
                case FaultObject fault:
                    yield return ($"lock of fault queue {fault.Id}", fault.Lock);
                    break;
                case VeventqObject veventq:
                    yield return ($"lock of event queue {veventq.Id}", veventq.Lock);
                    break;
                case ViommuObject viommu:
                    yield return ($"lock of vIOMMU {viommu.Id}", viommu.Lock);
                    break;
            }
        }

        foreach (var group in context.Groups)
        {
            yield return ($"lock of group {group.Number}", group.Lock);
        }

        foreach (var set in context.PageSets.InOrder)
        {
            yield return ($"lock of page set {set.Number}", set.Lock);
        }

        foreach (var (id, file) in context.VfioFiles)
        {
            yield return ($"lock of the VFIO device of DEVICE {id}", file.Lock);
        }
    }
}

/// <summary>What a VFIO open has noted is what is attached.</summary>
public sealed class VfioFilesKnowWhatIsAttached : ContextInvariant
{
    /// <inheritdoc/>
    public override string Name => "vfio";

    /// <inheritdoc/>
    public override string Sentence =>
        "a VFIO device that is bound here belongs to one living DEVICE, and what it has attached is what its group shows";

    /// <inheritdoc/>
    public override IEnumerable<FlowWait> Check(ContextCore context, InvariantFindings findings)
    {
        foreach (var (id, file) in context.VfioFiles)
        {
            var where = FormattableString.Invariant($"VFIO device {file.Device}");
            var device = context.Objects.Find<DeviceObject>(id);
            findings.Holds(
                device is not null && file.Bound == (context.Number, id),
                this,
                where,
                $"it is bound to {file.Bound}, and DEVICE {id} is asked for"
            );
            if (device is null)
            {
                continue;
            }

            var attached = device.Group.Attachments.Where(a => a.Value.Devices.Contains(id)).Select(a => a.Key);
            var noted = (file.IsAttached ? file.Pasids.Append(0u) : file.Pasids).Distinct().Order();
            findings.Holds(
                noted.SequenceEqual(attached),
                this,
                where,
                $"it has noted PASIDs {string.Join(' ', noted)}, attached are {string.Join(' ', attached)}"
            );
        }

        yield break;
    }
}

/// <summary>A flow never ends in an exception.</summary>
public sealed class NoFlowCrashed : ContextInvariant
{
    /// <inheritdoc/>
    public override string Name => "no-flow-crashes";

    /// <inheritdoc/>
    public override string Sentence => "no flow ended in an exception";

    /// <inheritdoc/>
    public override IEnumerable<FlowWait> Check(ContextCore context, InvariantFindings findings)
    {
        findings.Count(1);
        foreach (var what in context.Engine.Crashes)
        {
            findings.Add(this, "context", $"{what}");
        }

        yield break;
    }
}
