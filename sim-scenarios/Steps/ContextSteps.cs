using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary><c>option</c>.</summary>
public sealed class OptionStep : CommandKind
{
    private static readonly ChoiceField Which = new("name", "Which option.", "rlimit-mode", "huge-pages")
    {
        IsRequired = true,
    };
    private static readonly UsedNameField Ioas = new("ioas", "The IOAS, for huge-pages.", ObjectKind.Ioas);
    private static readonly NumberField Value = new("value", "The value to set; the option is read when left out.");

    /// <inheritdoc/>
    public override string Name => "option";

    /// <inheritdoc/>
    public override string Summary => "Sets or reads an option of the context or of an IOAS.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Which, Ioas, Value];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["value"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new Option
        {
            OptionId = scope.Word(Which, "rlimit-mode") is "huge-pages" ? OptionId.HugePages : OptionId.RlimitMode,
            Op = scope.Has(Value) ? OptionOp.Set : OptionOp.Get,
            ObjectId = scope.Has(Ioas) ? scope.Object<IoasObject>(Ioas, ObjectKind.Ioas).Id : 0,
            Val64 = scope.Number(Value),
        };

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result) =>
        StepOutcome.With(("value", (result.WriteBack as Option)?.Val64 ?? scope.Number(Value)));
}

/// <summary><c>hwpt-alloc</c>.</summary>
public sealed class HwptAllocStep : CommandKind
{
    private static readonly GivenNameField As = new("as", "A name for the HWPT.", ObjectKind.Hwpt)
    {
        IsRequired = true,
    };
    private static readonly UsedNameField Device = new("device", "The device it is for.", ObjectKind.Device)
    {
        IsRequired = true,
    };
    private static readonly UsedNameField Parent = new("ioas", "The IOAS it translates.", ObjectKind.Ioas)
    {
        IsRequired = true,
    };
    private static readonly WordsField Flags = new(
        "flags",
        "How it is made.",
        "nest-parent",
        "dirty-tracking",
        "pasid"
    );

    /// <inheritdoc/>
    public override string Name => "hwpt-alloc";

    /// <inheritdoc/>
    public override string Summary => "Makes a HWPT for an IOAS by hand.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As, Device, Parent, Flags, FaultKeys.Reports];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        (HwptAllocFlags flags, uint fault) = FaultKeys.Of(scope);
        foreach (string word in scope.Words(Flags))
        {
            flags |= word switch
            {
                "nest-parent" => HwptAllocFlags.NestParent,
                "dirty-tracking" => HwptAllocFlags.DirtyTracking,
                _ => HwptAllocFlags.Pasid,
            };
        }

        return new HwptAlloc
        {
            Flags = flags,
            DevId = scope.Object<DeviceObject>(Device, ObjectKind.Device).Id,
            PtId = scope.Object<IoasObject>(Parent, ObjectKind.Ioas).Id,
            FaultId = fault,
        };
    }

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        uint id = ((HwptAlloc)result.WriteBack!).OutHwptId;
        scope.Give(As, new HwptObject(id));
        return StepOutcome.With(("id", id));
    }
}

/// <summary><c>destroy</c>.</summary>
public sealed class DestroyStep : CommandKind
{
    private static readonly UsedNameField Target = new(
        "object",
        "What to destroy: an IOAS, a HWPT, a device, an access, a queue, a vIOMMU or a vDEVICE.",
        ObjectKind.Ioas,
        ObjectKind.Hwpt,
        ObjectKind.Device,
        ObjectKind.Access,
        ObjectKind.FaultQueue,
        ObjectKind.Viommu,
        ObjectKind.Vdevice,
        ObjectKind.Veventq,
        ObjectKind.HwQueue
    )
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "destroy";

    /// <inheritdoc/>
    public override string Summary => "Destroys an object by its id (IOMMU_DESTROY).";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Target];

    /// <inheritdoc/>
    public override Field Shorthand => Target;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) => new Destroy { Id = IdOf(scope) };

    private static uint IdOf(StepScope scope)
    {
        string name = scope.Text(Target) ?? string.Empty;
        if (scope.Objects.TryFind(name, out IoasObject? ioas))
        {
            return ioas.Id;
        }

        if (scope.Objects.TryFind(name, out HwptObject? hwpt))
        {
            return hwpt.Id;
        }

        if (scope.Objects.TryFind(name, out DeviceObject? device))
        {
            return device.Id;
        }

        return OtherIdOf(scope, name) ?? scope.Object<AccessObject>(Target, ObjectKind.Access).Id;
    }

    private static uint? OtherIdOf(StepScope scope, string name)
    {
        if (scope.Objects.TryFind(name, out ViommuObject? viommu))
        {
            return viommu.Id;
        }

        if (scope.Objects.TryFind(name, out VdeviceObject? vdevice))
        {
            return vdevice.Id;
        }

        if (scope.Objects.TryFind(name, out VeventqObject? events))
        {
            return events.Id;
        }

        if (scope.Objects.TryFind(name, out FaultQueueObject? faults))
        {
            return faults.Id;
        }

        return scope.Objects.TryFind(name, out HwQueueObject? queue) ? queue.Id : null;
    }
}

/// <summary><c>close</c>.</summary>
public sealed class CloseStep : OperationKind
{
    /// <inheritdoc/>
    public override string Name => "close";

    /// <inheritdoc/>
    public override string Summary =>
        "Closes the descriptor: every object goes, every pin is released, unless bound VFIO devices hold it open. Clients end with it anyway.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["leaked"];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope) => new CloseRequest();

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer) =>
        new(Errno.OK, [("leaked", ((IommufdClosed)answer).Leaked)]);
}
