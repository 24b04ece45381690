using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>Keys that the driver's steps on devices share.</summary>
internal static class DeviceKeys
{
    public static readonly UsedNameField Device = new("device", "The bound device.", ObjectKind.Device)
    {
        IsRequired = true,
    };

    public static readonly UsedNameField To = new("to", "The IOAS or HWPT.", ObjectKind.Ioas, ObjectKind.Hwpt)
    {
        IsRequired = true,
    };

    public static readonly NumberField Pasid = new("pasid", "The PASID; the device's own requests when left out.")
    {
        Maximum = uint.MaxValue,
    };

    public static uint TargetId(StepScope scope) =>
        scope.Text(To) is { } name && scope.Objects.TryFind(name, out HwptObject? hwpt)
            ? hwpt.Id
            : scope.Object<IoasObject>(To, ObjectKind.Ioas).Id;

    public static uint DeviceId(StepScope scope) => scope.Object<DeviceObject>(Device, ObjectKind.Device).Id;
}

/// <summary><c>bind</c>.</summary>
public sealed class BindStep : CommandKind
{
    private static readonly MachineDeviceField Device = new("device", "The device of the machine.")
    {
        IsRequired = true,
    };
    private static readonly GivenNameField As = new("as", "A name for the bound device.", ObjectKind.Device)
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "bind";

    /// <inheritdoc/>
    public override string Summary => "Binds a device of the machine to this client's context.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Device, As];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) => new BindDevice(scope.Text(Device)!);

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        var bound = (BindDevice)result.WriteBack!;
        scope.Give(As, new DeviceObject(bound.OutDeviceId, bound.Device));
        return StepOutcome.With(("id", bound.OutDeviceId));
    }
}

/// <summary><c>unbind</c>.</summary>
public sealed class UnbindStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "unbind";

    /// <inheritdoc/>
    public override string Summary => "Takes a device away from the context: hot-unplug. It is detached first.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [DeviceKeys.Device];

    /// <inheritdoc/>
    public override Field Shorthand => DeviceKeys.Device;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) => new UnbindDevice(DeviceKeys.DeviceId(scope));

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        scope.Objects.Forget<DeviceObject>(scope.Text(DeviceKeys.Device)!);
        return StepOutcome.Ok;
    }
}

/// <summary><c>attach</c>.</summary>
public sealed class AttachStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "attach";

    /// <inheritdoc/>
    public override string Summary => "Attaches a device to an IOAS (its HWPT is found or made) or to a HWPT.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [DeviceKeys.Device, DeviceKeys.To, DeviceKeys.Pasid];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["hwpt"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new AttachDevice(DeviceKeys.DeviceId(scope), DeviceKeys.TargetId(scope), (uint)scope.Number(DeviceKeys.Pasid));

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result) =>
        StepOutcome.With(("hwpt", (result.WriteBack as AttachDevice)?.PtId ?? 0));
}

/// <summary><c>replace</c>.</summary>
public sealed class ReplaceStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "replace";

    /// <inheritdoc/>
    public override string Summary => "Moves an attached device to another IOAS or HWPT without a moment in between.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [DeviceKeys.Device, DeviceKeys.To, DeviceKeys.Pasid];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["hwpt"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new ReplaceDevice(DeviceKeys.DeviceId(scope), DeviceKeys.TargetId(scope), (uint)scope.Number(DeviceKeys.Pasid));

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result) =>
        StepOutcome.With(("hwpt", (result.WriteBack as ReplaceDevice)?.PtId ?? 0));
}

/// <summary><c>detach</c>.</summary>
public sealed class DetachStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "detach";

    /// <inheritdoc/>
    public override string Summary => "Detaches a device: its DMA is blocked from then on.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [DeviceKeys.Device, DeviceKeys.Pasid];

    /// <inheritdoc/>
    public override Field Shorthand => DeviceKeys.Device;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new DetachDevice(DeviceKeys.DeviceId(scope), (uint)scope.Number(DeviceKeys.Pasid));
}
