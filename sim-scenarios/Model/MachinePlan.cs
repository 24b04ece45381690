using Iommufd.Messages;
using Iommufd.Messages.Host;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Sections;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios;

/// <summary>The machine of a scenario. Devices are made one by one when asked for: there may be millions.</summary>
/// <param name="Units">The IOMMU units.</param>
/// <param name="DeviceKinds">The devices' kinds.</param>
/// <param name="Parameters">The parameters' values.</param>
public sealed record MachinePlan(
    IReadOnlyList<IommuSpec> Units,
    IReadOnlyList<(long Count, FieldValues Values)> DeviceKinds,
    Scope Parameters
)
{
    // What AMD's IOMMU translates with the usual four-level table: 48 bits.
    private static readonly IovaRange DefaultAperture = new(0, (1UL << 48) - 1);

    /// <summary>How many devices there are.</summary>
    public long DeviceCount => DeviceKinds.Sum(k => k.Count);

    /// <summary>Makes a plan of what was read; notes mistakes.</summary>
    /// <exception cref="EvaluationException">A key cannot be computed from the parameters.</exception>
    internal static MachinePlan From(FieldValues machine, Scope parameters, MistakeCollector mistakes)
    {
        var units = new List<IommuSpec>();
        foreach (FieldValues entry in machine.Get(MachineKeys.Units) ?? [])
        {
            long count = Count(entry, MachineKeys.UnitCount, parameters);
            for (long i = 0; i < count; i++)
            {
                string format = entry.Get(MachineKeys.Format) is { } word
                    ? MachineKeys.Format.Resolve(word, parameters)
                    : "amd-v1";
                IovaRange aperture = entry.Get(MachineKeys.Aperture)?.Evaluate(parameters) ?? DefaultAperture;
                units.Add(new IommuSpec(units.Count, format, aperture));
            }
        }

        if (units.Count == 0)
        {
            units.Add(new IommuSpec(0, "amd-v1", DefaultAperture));
        }

        var kinds = new List<(long Count, FieldValues Values)>();
        foreach (FieldValues entry in machine.Get(MachineKeys.Devices) ?? [])
        {
            long count = Count(entry, MachineKeys.Count, parameters);
            kinds.Add((count, entry));
            if (count > 1 && entry.Get(MachineKeys.Name) is { IsConstant: true } name)
            {
                mistakes.Add(name.At, $"{count} devices need {count} names: give them an 'index' and use it in 'name'");
            }
        }

        return new MachinePlan(units, kinds, parameters);
    }

    /// <summary>The devices, one after another, in the order of the scenario.</summary>
    /// <exception cref="EvaluationException">A key cannot be computed for one of them.</exception>
    public IEnumerable<DeviceSpec> Devices()
    {
        // Groups that nobody chose lie above those that a scenario would write.
        int ownGroup = 1 << 24;
        IovaRange[] reserved = [];
        foreach ((long count, FieldValues values) in DeviceKinds)
        {
            for (long i = 0; i < count; i++)
            {
                Scope scope = values.Get(MachineKeys.Index) is { } index ? Parameters.With(index, i) : Parameters;
                yield return Device(values, scope, ref ownGroup, ref reserved);
            }
        }
    }

    private DeviceSpec Device(FieldValues values, Scope scope, ref int ownGroup, ref IovaRange[] lastReserved)
    {
        Expression? unit = values.Get(MachineKeys.Unit);
        int unitNumber = unit is null ? 0 : (int)MachineKeys.Unit.Evaluate(unit, scope);
        if (unitNumber >= Units.Count)
        {
            SourcePosition at = unit?.At ?? SourcePosition.Start;
            throw new EvaluationException(
                at,
                $"there is no IOMMU unit {unitNumber}: the last one is {Units.Count - 1}"
            );
        }

        // Devices of one kind nearly always reserve the same: a million of them share one list.
        IovaRange[] reserved = [.. (values.Get(MachineKeys.Reserved) ?? []).Select(r => r.Evaluate(scope))];
        lastReserved = reserved.AsSpan().SequenceEqual(lastReserved) ? lastReserved : reserved;
        return new DeviceSpec(
            values.Get(MachineKeys.Name)!.Render(scope),
            values.Get(MachineKeys.Group) is { } group ? (int)MachineKeys.Group.Evaluate(group, scope) : ownGroup++,
            unitNumber,
            lastReserved,
            values.Get(MachineKeys.Dirty) is not { } dirty || dirty.Evaluate(scope) != 0,
            values.Get(MachineKeys.Pasids) is { } pasids ? (uint)MachineKeys.Pasids.Evaluate(pasids, scope) : 0
        );
    }

    private static long Count(FieldValues values, NumberField field, Scope parameters) =>
        values.Get(field) is { } count ? (long)field.Evaluate(count, parameters) : 1;
}
