using Iommufd.Actors.Protocol;
using Iommufd.Core.Dma.Guest;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>Keys that the steps of guest software share.</summary>
internal static class GuestKeys
{
    public static readonly UsedNameField Table = new("table", "The guest's tables.", ObjectKind.GuestTable)
    {
        IsRequired = true,
    };
    public static readonly NumberField Iova = new("iova", "First address as the device uses it.") { IsRequired = true };
    public static readonly NumberField Length = new("length", "Bytes.") { IsRequired = true };

    public static GuestTableWriter Writer(StepScope scope) =>
        scope.Object<GuestTableObject>(Table, ObjectKind.GuestTable).Writer;
}

/// <summary><c>guest-table</c>.</summary>
public sealed class GuestTableStep : OperationKind
{
    private static readonly GivenNameField As = new("as", "A name for the tables.", ObjectKind.GuestTable)
    {
        IsRequired = true,
    };
    private static readonly ChoiceField Hardware = new(
        "hardware",
        "What walks them: vtd (for units of format vtd-ss), smmuv3 (armv8-4k), amd (amd-v1); vtd when left out.",
        "vtd",
        "vtd-5-level",
        "smmuv3",
        "amd"
    );
    private static readonly NumberField GuestAddress = new(
        "guest-address",
        "The guest-physical address of the memory's first byte: where it is mapped; 0 when left out."
    );

    /// <inheritdoc/>
    public override string Name => "guest-table";

    /// <inheritdoc/>
    public override string Summary =>
        "Guest software makes empty I/O page tables, in a part of its memory that is theirs from then on.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [As, Hardware, BytesKeys.Memory, BytesKeys.Offset, BytesKeys.Length, GuestAddress];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["root"];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope)
    {
        (ulong address, ulong length) = BytesKeys.Range(scope);
        ulong offset = scope.Number(BytesKeys.Offset);
        ulong guest = scope.Number(GuestAddress);
        if (
            !IovaRange.TryFromLength(guest + offset, length, out IovaRange pool)
            || ((guest + offset) & HostPage.OffsetMask) != 0
        )
        {
            throw new EvaluationException(scope.Step.At, $"no page tables in {length} bytes at 0x{guest + offset:x}");
        }

        GuestHardware hardware = scope.Word(Hardware, "vtd") switch
        {
            "vtd-5-level" => GuestHardware.VtdFiveLevels,
            "smmuv3" => GuestHardware.SmmuV3,
            "amd" => GuestHardware.Amd,
            _ => GuestHardware.Vtd,
        };
        var writer = new GuestTableWriter(hardware, new GuestTableRoom(address - offset, guest, pool));
        scope.Give(As, new GuestTableObject(writer));
        return new MemoryRequest(new EditGuestTable(writer, GuestTableEdit.Start));
    }

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer)
    {
        var edited = (GuestTableEdited)answer;
        return new StepOutcome(edited.Errno, [("root", edited.Root)]);
    }
}

/// <summary><c>guest-map</c>.</summary>
public sealed class GuestMapStep : OperationKind
{
    private static readonly NumberField To = new("to", "The guest-physical address that it leads to.")
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "guest-map";

    /// <inheritdoc/>
    public override string Summary =>
        "Guest software maps pages in its tables; 2 MiB pages where both addresses allow it.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [GuestKeys.Table, GuestKeys.Iova, To, GuestKeys.Length, AccessWords.Field];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["table-pages"];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope)
    {
        IoptePermissions permissions = IoptePermissions.None;
        foreach (string word in scope.Words(AccessWords.Field, "read", "write"))
        {
            permissions |= word is "read" ? IoptePermissions.Read : IoptePermissions.Write;
        }

        return new MemoryRequest(
            new EditGuestTable(
                GuestKeys.Writer(scope),
                GuestTableEdit.Map,
                scope.Number(GuestKeys.Iova),
                scope.Number(To),
                scope.Number(GuestKeys.Length),
                permissions
            )
        );
    }

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer)
    {
        var edited = (GuestTableEdited)answer;
        return new StepOutcome(edited.Errno, [("table-pages", edited.TablePages)]);
    }
}

/// <summary><c>guest-unmap</c>.</summary>
public sealed class GuestUnmapStep : OperationKind
{
    /// <inheritdoc/>
    public override string Name => "guest-unmap";

    /// <inheritdoc/>
    public override string Summary =>
        "Guest software takes pages out of its tables. Devices may use them until 'hwpt-invalidate'.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [GuestKeys.Table, GuestKeys.Iova, GuestKeys.Length];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["length"];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope) =>
        new MemoryRequest(
            new EditGuestTable(
                GuestKeys.Writer(scope),
                GuestTableEdit.Unmap,
                scope.Number(GuestKeys.Iova),
                0,
                scope.Number(GuestKeys.Length)
            )
        );

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer)
    {
        var edited = (GuestTableEdited)answer;
        return new StepOutcome(edited.Errno, [("length", edited.Unmapped)]);
    }
}

/// <summary><c>guest-pasid</c>.</summary>
public sealed class GuestPasidStep : OperationKind
{
    private static readonly NumberField Pasid = new("pasid", "The PASID.") { IsRequired = true, Maximum = 1 << 20 };
    private static readonly UsedNameField Uses = new("uses", "The tables that translate it.", ObjectKind.GuestTable)
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "guest-pasid";

    /// <inheritdoc/>
    public override string Summary =>
        "Guest software enters tables for a PASID into its own table of PASIDs (smmuv3: context descriptors, amd: GCR3).";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [GuestKeys.Table, Pasid, Uses];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope) =>
        new MemoryRequest(
            new EditGuestTable(
                GuestKeys.Writer(scope),
                GuestTableEdit.Space,
                0,
                scope.Object<GuestTableObject>(Uses, ObjectKind.GuestTable).Writer.Root,
                scope.Number(Pasid)
            )
        );

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer) => new(((GuestTableEdited)answer).Errno, []);
}
