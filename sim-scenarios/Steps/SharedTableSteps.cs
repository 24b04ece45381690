using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Iommufd.Scenarios.Language.Sections;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>A virtual machine whose table devices can share.</summary>
/// <param name="Descriptor">The descriptor in the client's process.</param>
public sealed record GuestObject(int Descriptor) : ClientObject;

/// <summary>Keys that the steps on virtual machines share.</summary>
internal static class MachineGuestKeys
{
    public static readonly UsedNameField Guest = new("guest", "The virtual machine.", ObjectKind.Guest)
    {
        IsRequired = true,
    };

    public static readonly NumberField At = new("at", "First guest address.") { IsRequired = true };

    public static int Descriptor(StepScope scope) => scope.Object<GuestObject>(Guest, ObjectKind.Guest).Descriptor;
}

/// <summary><c>guest</c>.</summary>
public sealed class GuestStep : OperationKind
{
    private static readonly GivenNameField As = new("as", "A name for the virtual machine.", ObjectKind.Guest)
    {
        IsRequired = true,
    };
    private static readonly ChoiceField Format = new(
        "format",
        "The format of its table, as of an IOMMU; amd-v1 when left out.",
        MachineKeys.Formats
    );

    /// <inheritdoc/>
    public override string Name => "guest";

    /// <inheritdoc/>
    public override string Summary =>
        "Makes a virtual machine (as KVM does): its second-stage table can be a device's.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As, Format];

    /// <inheritdoc/>
    public override Field Shorthand => As;

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope) =>
        new MemoryRequest(new MakeGuest(scope.Word(Format, "amd-v1")));

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer)
    {
        var made = (GuestMade)answer;
        if (made.Errno == Errno.OK)
        {
            scope.Give(As, new GuestObject(made.Fd));
        }

        return new StepOutcome(made.Errno, []);
    }
}

/// <summary><c>guest-memory</c>.</summary>
public sealed class GuestMemoryStep : OperationKind
{
    private static readonly UsedNameField Memory = new("memory", "Memory of the process.", ObjectKind.Memory)
    {
        IsRequired = true,
    };
    private static readonly NumberField Offset = new("offset", "First byte of the memory; 0 when left out.");
    private static readonly NumberField Length = new("length", "Bytes; to the end of the memory when left out.");
    private static readonly FlagField Writable = new("writable", "Whether it may be written; true when left out.");

    /// <inheritdoc/>
    public override string Name => "guest-memory";

    /// <inheritdoc/>
    public override string Summary => "Gives a virtual machine memory; nothing is pinned, and its table stays empty.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [MachineGuestKeys.Guest, MachineGuestKeys.At, Memory, Offset, Length, Writable];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope)
    {
        var memory = scope.Object<MemoryObject>(Memory, ObjectKind.Memory);
        ulong offset = scope.Number(Offset);
        return new MemoryRequest(
            new AddGuestMemory(
                MachineGuestKeys.Descriptor(scope),
                scope.Number(MachineGuestKeys.At),
                memory.Address + offset,
                scope.Number(Length, memory.Length - offset),
                scope.Flag(Writable, otherwise: true)
            )
        );
    }

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer) => new(((HostResult)answer).Errno, []);
}

/// <summary><c>guest-memory-remove</c>.</summary>
public sealed class GuestMemoryRemoveStep : OperationKind
{
    /// <inheritdoc/>
    public override string Name => "guest-memory-remove";

    /// <inheritdoc/>
    public override string Summary => "Takes memory away from a virtual machine; its devices have forgotten it then.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [MachineGuestKeys.Guest, MachineGuestKeys.At];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope) =>
        new MemoryRequest(new RemoveGuestMemory(MachineGuestKeys.Descriptor(scope), scope.Number(MachineGuestKeys.At)));

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer) => new(((HostResult)answer).Errno, []);
}

/// <summary><c>guest-touch</c>.</summary>
public sealed class GuestTouchStep : OperationKind
{
    private static readonly NumberField Length = new("length", "Bytes.") { IsRequired = true };
    private static readonly FlagField Write = new("write", "Whether the guest writes; true when left out.");

    /// <inheritdoc/>
    public override string Name => "guest-touch";

    /// <inheritdoc/>
    public override string Summary =>
        "The guest uses memory, and the CPU fills its table: devices reach it from then on.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [MachineGuestKeys.Guest, MachineGuestKeys.At, Length, Write];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope) =>
        new MemoryRequest(
            new TouchGuest(
                MachineGuestKeys.Descriptor(scope),
                scope.Number(MachineGuestKeys.At),
                scope.Number(Length),
                scope.Flag(Write, otherwise: true)
            )
        );

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer) => new(((HostResult)answer).Errno, []);
}

/// <summary><c>shared-hwpt-alloc</c>.</summary>
public sealed class SharedHwptAllocStep : CommandKind
{
    private static readonly GivenNameField As = new("as", "A name for the HWPT.", ObjectKind.Hwpt)
    {
        IsRequired = true,
    };
    private static readonly FlagField Pasid = new("pasid", "Whether PASIDs can be attached; false when left out.");

    /// <inheritdoc/>
    public override string Name => "shared-hwpt-alloc";

    /// <inheritdoc/>
    public override string Summary => "Makes a HWPT of a virtual machine's second-stage table: nothing is pinned.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [DeviceKeys.Device, MachineGuestKeys.Guest, Pasid, As];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new AllocateSharedHwpt(
            DeviceKeys.DeviceId(scope),
            MachineGuestKeys.Descriptor(scope),
            scope.Flag(Pasid) ? HwptAllocFlags.Pasid : HwptAllocFlags.None
        );

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        uint id = ((AllocateSharedHwpt)result.WriteBack!).OutHwptId;
        scope.Give(As, new HwptObject(id));
        return StepOutcome.With(("id", id));
    }
}
