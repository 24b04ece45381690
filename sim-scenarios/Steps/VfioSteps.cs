using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary><c>vfio-ioas</c>.</summary>
public sealed class VfioIoasStep : CommandKind
{
    private static readonly UsedNameField Ioas = new(
        "ioas",
        "The IOAS that VFIO's own ioctls work on from now on; the current one is asked for when left out.",
        ObjectKind.Ioas
    );
    private static readonly FlagField Clear = new("clear", "Whether there is none from now on; false when left out.");

    /// <inheritdoc/>
    public override string Name => "vfio-ioas";

    /// <inheritdoc/>
    public override string Summary => "Sets, clears or asks for the IOAS behind VFIO's container ioctls.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Ioas, Clear];

    /// <inheritdoc/>
    public override Field Shorthand => Ioas;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new VfioIoas
        {
            Op =
                scope.Has(Ioas) ? VfioIoasOp.Set
                : scope.Flag(Clear) ? VfioIoasOp.Clear
                : VfioIoasOp.Get,
            IoasId = scope.Has(Ioas) ? scope.Object<IoasObject>(Ioas, ObjectKind.Ioas).Id : 0,
        };

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result) =>
        StepOutcome.With(("id", (result.WriteBack as VfioIoas)?.IoasId ?? 0));
}

/// <summary><c>vfio-check-extension</c>.</summary>
public sealed class VfioCheckExtensionStep : CommandKind
{
    private static readonly ChoiceField Extension = new(
        "extension",
        "Which extension.",
        "type1",
        "type1-v2",
        "dma-cc",
        "nesting",
        "unmap-all",
        "update-vaddr"
    )
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "vfio-check-extension";

    /// <inheritdoc/>
    public override string Summary => "Asks a VFIO container whether it has an extension.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Extension];

    /// <inheritdoc/>
    public override Field Shorthand => Extension;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["supported"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new VfioCheckExtension
        {
            Extension = scope.Word(Extension, "type1") switch
            {
                "type1" => VfioExtension.Type1,
                "type1-v2" => VfioExtension.Type1V2,
                "dma-cc" => VfioExtension.DmaCcIommu,
                "nesting" => VfioExtension.Type1Nesting,
                "unmap-all" => VfioExtension.UnmapAll,
                _ => VfioExtension.UpdateVaddr,
            },
        };

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result) =>
        StepOutcome.With(("supported", result.ReturnValue));
}

/// <summary><c>vfio-set-iommu</c>.</summary>
public sealed class VfioSetIommuStep : CommandKind
{
    private static readonly ChoiceField Type = new("type", "Which behaviour.", "type1", "type1-v2")
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "vfio-set-iommu";

    /// <inheritdoc/>
    public override string Summary =>
        "Chooses the container's behaviour: in version 1 an unmap may cut a mapping, in version 2 it covers whole ones.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Type];

    /// <inheritdoc/>
    public override Field Shorthand => Type;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new VfioSetIommu
        {
            Type = scope.Word(Type, "type1-v2") is "type1" ? VfioExtension.Type1 : VfioExtension.Type1V2,
        };
}

/// <summary><c>vfio-get-info</c>.</summary>
public sealed class VfioGetInfoStep : ScriptKind
{
    private const uint Fixed = 24;

    private static readonly NumberField Room = new(
        "room",
        "Bytes of the caller's buffer, struct and capabilities; 4K when left out."
    )
    {
        Maximum = 65_536,
    };

    /// <inheritdoc/>
    public override string Name => "vfio-get-info";

    /// <inheritdoc/>
    public override string Summary => "Asks a VFIO container for its page sizes and capabilities.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Room];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["page-sizes", "needed", "capabilities"];

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        uint room = (uint)scope.Number(Room, HostPage.Size);
        yield return new BufferRequest(Math.Max(room, Fixed));
        yield return new CommandRequest(new VfioIommuGetInfo { Argument = script.Address, ArgSz = room });
        script.Outcome = script.Result.WriteBack is VfioIommuGetInfo info
            ? StepOutcome.With(
                ("page-sizes", info.IovaPgSizes),
                ("needed", info.ArgSz),
                ("capabilities", info.CapOffset == 0 ? 0 : 1)
            )
            : new StepOutcome(script.Result.Errno, []);
    }
}

/// <summary><c>vfio-map-dma</c>.</summary>
public sealed class VfioMapDmaStep : CommandKind
{
    private const uint ArgSz = 32;

    private static readonly NumberField Iova = new("iova", "First IOVA.") { IsRequired = true };

    /// <inheritdoc/>
    public override string Name => "vfio-map-dma";

    /// <inheritdoc/>
    public override string Summary => "Maps memory of the process through a VFIO container.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [BytesKeys.Memory, BytesKeys.Offset, BytesKeys.Length, Iova, AccessWords.Field];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        (ulong address, ulong length) = BytesKeys.Range(scope);
        VfioMapFlags flags = VfioMapFlags.None;
        foreach (string word in scope.Words(AccessWords.Field, "read", "write"))
        {
            flags |= word is "read" ? VfioMapFlags.Read : VfioMapFlags.Write;
        }

        return new VfioIommuMapDma
        {
            ArgSz = ArgSz,
            Flags = flags,
            Vaddr = address,
            Iova = scope.Number(Iova),
            Size = length,
        };
    }
}

/// <summary><c>vfio-unmap-dma</c>.</summary>
public sealed class VfioUnmapDmaStep : CommandKind
{
    private const uint ArgSz = 24;

    private static readonly NumberField Iova = new("iova", "First IOVA.");
    private static readonly NumberField Length = new("length", "Bytes.");
    private static readonly FlagField All = new("all", "Whether everything goes.");
    private static readonly FlagField WithBitmap = new(
        "dirty-bitmap",
        "Whether the dirty pages are asked for on the way; iommufd refuses it."
    );

    /// <inheritdoc/>
    public override string Name => "vfio-unmap-dma";

    /// <inheritdoc/>
    public override string Summary => "Unmaps through a VFIO container.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Iova, Length, All, WithBitmap];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["length"];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [Iova, Length], [All]);

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new VfioIommuUnmapDma
        {
            ArgSz = ArgSz,
            Flags =
                (scope.Flag(All) ? VfioUnmapFlags.All : VfioUnmapFlags.None)
                | (scope.Flag(WithBitmap) ? VfioUnmapFlags.GetDirtyBitmap : VfioUnmapFlags.None),
            Iova = scope.Number(Iova),
            Size = scope.Number(Length),
        };

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result) =>
        StepOutcome.With(("length", (result.WriteBack as VfioIommuUnmapDma)?.Size ?? 0));
}

/// <summary><c>vfio-dirty-pages</c>.</summary>
public sealed class VfioDirtyPagesStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "vfio-dirty-pages";

    /// <inheritdoc/>
    public override string Summary => "Asks a VFIO container to track dirty pages; iommufd refuses it (ENOTTY).";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) => new VfioIommuDirtyPages();
}
