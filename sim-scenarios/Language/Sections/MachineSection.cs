using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Language.Sections;

/// <summary>The keys below <c>machine</c>.</summary>
internal static class MachineKeys
{
    public static readonly string[] Formats =
    [
        "amd-v1",
        "amd-v1-mock",
        "amd-v1-mock-huge",
        "vtd-ss",
        "x86-64",
        "sv39",
        "sv48",
        "sv57",
        "armv8-4k",
    ];

    public static readonly NumberField UnitCount = new("count", "How many units of this kind; 1 when left out.")
    {
        Maximum = 65_536,
    };
    public static readonly ChoiceField Format = new("format", "Page-table format; amd-v1 when left out.", Formats);
    public static readonly RangeField Aperture = new("aperture", "The IOVAs that its domains can translate.");

    public static readonly IndexField Index = new("index", "A name for the device's number, from 0.");
    public static readonly NumberField Count = new("count", "How many devices; 1 when left out.")
    {
        Maximum = 100_000_000,
    };
    public static readonly DeviceNameField Name = new() { IsRequired = true };
    public static readonly NumberField Unit = new(
        "iommu",
        "The unit that translates for it, by number; 0 when left out."
    )
    {
        Maximum = 65_535,
    };
    public static readonly NumberField Group = new("group", "Its IOMMU group; a group of its own when left out.")
    {
        Maximum = int.MaxValue,
    };
    public static readonly ListField<RangeExpression> Reserved = new(
        new RangeField("reserved", "IOVA ranges that it cannot use, such as the MSI window.")
    );
    public static readonly FlagField Dirty = new(
        "dirty-tracking",
        "Whether dirty pages are reported; true when left out."
    );
    public static readonly NumberField Pasids = new("pasids", "How many PASIDs; none when left out.")
    {
        Maximum = 1 << 20,
    };

    public static readonly ListField<FieldValues> Units = new(
        new ObjectField("iommus", "The IOMMU units, numbered from 0.", UnitCount, Format, Aperture)
    );
    public static readonly ListField<FieldValues> Devices = new(
        new ObjectField("devices", "The devices.", Index, Count, Name, Unit, Group, Reserved, Dirty, Pasids)
    );

    public static readonly ObjectField Machine = new("machine", "IOMMU units and devices.", Units, Devices);
}

/// <summary>The name of a device of the machine.</summary>
internal sealed class DeviceNameField() : NameField("name", "The device's name; with its index when there are several.")
{
    protected override void Note(Template name, ReadContext context) => context.Objects.AddMachineDevice(name);
}
