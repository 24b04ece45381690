using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Drill;

/// <summary><c>drill</c>: every command that there is.</summary>
public sealed class DrillStep : StepKind
{
    /// <summary>A device for the commands of VFIO drivers.</summary>
    public static readonly MachineDeviceField Device = new(
        "device",
        "A device of the machine that nobody else uses; commands on such devices are left out without."
    );

    /// <inheritdoc/>
    public override string Name => "drill";

    /// <inheritdoc/>
    public override string Summary =>
        "Issues every command of iommufd and its selftest once, with mock devices that it makes itself.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Device];

    /// <inheritdoc/>
    public override Field Shorthand => Device;
}
