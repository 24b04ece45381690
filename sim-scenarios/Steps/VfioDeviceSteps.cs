using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>An open VFIO device.</summary>
/// <param name="Descriptor">The descriptor in the client's process.</param>
/// <param name="MachineName">The physical device.</param>
public sealed record VfioObject(int Descriptor, string MachineName) : ClientObject;

/// <summary>Keys that the steps on open VFIO devices share.</summary>
internal static class VfioKeys
{
    public static readonly UsedNameField Cdev = new("cdev", "The open VFIO device.", ObjectKind.Vfio)
    {
        IsRequired = true,
    };

    public static readonly NumberField Pasid = new(
        "pasid",
        "The PASID (flag PASID of the ioctl); the device's own requests when left out."
    )
    {
        Maximum = uint.MaxValue,
    };

    public static VfioObject Of(StepScope scope) => scope.Object<VfioObject>(Cdev, ObjectKind.Vfio);
}

/// <summary><c>vfio-open</c>.</summary>
public sealed class VfioOpenStep : CommandKind
{
    private static readonly GivenNameField As = new("as", "A name for the open device.", ObjectKind.Vfio)
    {
        IsRequired = true,
    };
    private static readonly MachineDeviceField Device = new("device", "The device of the machine.");
    private static readonly UsedNameField Duplicate = new(
        "duplicate",
        "An open device whose descriptor is duplicated (dup) instead.",
        ObjectKind.Vfio
    );

    /// <inheritdoc/>
    public override string Name => "vfio-open";

    /// <inheritdoc/>
    public override string Summary =>
        "Opens a device's VFIO character device (/dev/vfio/devices/vfioN). Clients close what they opened at their end.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As, Device, Duplicate];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["descriptor"];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [Device], [Duplicate]);

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        scope.Has(Duplicate)
            ? new DuplicateVfioDevice(scope.Object<VfioObject>(Duplicate, ObjectKind.Vfio).Descriptor)
            : new OpenVfioDevice(scope.Text(Device)!);

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        string device = scope.Has(Duplicate)
            ? scope.Object<VfioObject>(Duplicate, ObjectKind.Vfio).MachineName
            : scope.Text(Device)!;
        scope.Give(As, new VfioObject((int)result.ReturnValue, device));
        return StepOutcome.With(("descriptor", result.ReturnValue));
    }
}

/// <summary><c>vfio-bind</c>.</summary>
public sealed class VfioBindStep : CommandKind
{
    private static readonly GivenNameField As = new("as", "A name for the bound device.", ObjectKind.Device);
    private static readonly NumberField Iommufd = new(
        "iommufd",
        "The descriptor of the iommufd; the client's own when left out."
    )
    {
        Maximum = int.MaxValue,
    };

    /// <inheritdoc/>
    public override string Name => "vfio-bind";

    /// <inheritdoc/>
    public override string Summary =>
        "Binds an open VFIO device to the client's iommufd (VFIO_DEVICE_BIND_IOMMUFD); it holds the iommufd open until it is closed.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [VfioKeys.Cdev, As, Iommufd];

    /// <inheritdoc/>
    public override Field Shorthand => VfioKeys.Cdev;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new VfioDeviceBindIommufd
        {
            Descriptor = VfioKeys.Of(scope).Descriptor,
            ArgSz = VfioDeviceBindIommufd.Size,
            Iommufd = (int)scope.Number(Iommufd, (ulong)scope.Objects.Iommufd),
        };

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        uint id = ((VfioDeviceBindIommufd)result.WriteBack!).OutDevId;
        scope.Give(As, new DeviceObject(id, VfioKeys.Of(scope).MachineName));
        return StepOutcome.With(("id", id));
    }
}

/// <summary><c>vfio-attach</c>.</summary>
public sealed class VfioAttachStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "vfio-attach";

    /// <inheritdoc/>
    public override string Summary =>
        "Attaches a bound VFIO device, or moves it where it is attached (VFIO_DEVICE_ATTACH_IOMMUFD_PT).";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [VfioKeys.Cdev, DeviceKeys.To, VfioKeys.Pasid];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["hwpt"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new VfioDeviceAttachIommufdPt
        {
            Descriptor = VfioKeys.Of(scope).Descriptor,
            ArgSz = VfioDeviceAttachIommufdPt.PasidSize,
            Flags = scope.Has(VfioKeys.Pasid) ? VfioDeviceAttachIommufdPt.AttachPasid : 0,
            PtId = DeviceKeys.TargetId(scope),
            Pasid = (uint)scope.Number(VfioKeys.Pasid),
        };

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result) =>
        StepOutcome.With(("hwpt", (result.WriteBack as VfioDeviceAttachIommufdPt)?.PtId ?? 0));
}

/// <summary><c>vfio-detach</c>.</summary>
public sealed class VfioDetachStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "vfio-detach";

    /// <inheritdoc/>
    public override string Summary =>
        "Detaches a bound VFIO device (VFIO_DEVICE_DETACH_IOMMUFD_PT): its DMA is blocked. Twice is no error.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [VfioKeys.Cdev, VfioKeys.Pasid];

    /// <inheritdoc/>
    public override Field Shorthand => VfioKeys.Cdev;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new VfioDeviceDetachIommufdPt
        {
            Descriptor = VfioKeys.Of(scope).Descriptor,
            ArgSz = VfioDeviceDetachIommufdPt.PasidSize,
            Flags = scope.Has(VfioKeys.Pasid) ? VfioDeviceDetachIommufdPt.DetachPasid : 0,
            Pasid = (uint)scope.Number(VfioKeys.Pasid),
        };
}

/// <summary><c>vfio-close</c>.</summary>
public sealed class VfioCloseStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "vfio-close";

    /// <inheritdoc/>
    public override string Summary =>
        "Closes a descriptor of a VFIO device; the last one detaches the PASIDs, then the device, and unbinds it.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [VfioKeys.Cdev];

    /// <inheritdoc/>
    public override Field Shorthand => VfioKeys.Cdev;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) => new CloseVfioDevice(VfioKeys.Of(scope).Descriptor);

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        scope.Objects.Forget<VfioObject>(scope.Text(VfioKeys.Cdev)!);
        return StepOutcome.Ok;
    }
}
