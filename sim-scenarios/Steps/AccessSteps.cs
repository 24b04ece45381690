using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>Keys that the steps on accesses share.</summary>
internal static class AccessKeys
{
    public static readonly UsedNameField Access = new("access", "The access.", ObjectKind.Access) { IsRequired = true };
    public static readonly UsedNameField Area = new("area", "The area to use.", ObjectKind.Area);
    public static readonly NumberField Offset = new("offset", "First byte of the area; 0 when left out.");
    public static readonly NumberField Iova = new("iova", "First IOVA.");
    public static readonly NumberField Length = new("length", "Bytes; to the end of the area when left out.");

    public static uint AccessId(StepScope scope) => scope.Object<AccessObject>(Access, ObjectKind.Access).Id;

    public static (ulong Iova, ulong Length) Range(StepScope scope)
    {
        if (!scope.Has(Area))
        {
            return (scope.Number(Iova), scope.Number(Length));
        }

        var area = scope.Object<AreaObject>(Area, ObjectKind.Area);
        ulong offset = scope.Number(Offset);
        return (unchecked(area.Iova + offset), scope.Number(Length, area.Length > offset ? area.Length - offset : 0));
    }

    public static readonly Field[] ByIova = [Iova];
}

/// <summary><c>access</c>.</summary>
public sealed class AccessStep : CommandKind
{
    private static readonly GivenNameField As = new("as", "A name for the access.", ObjectKind.Access)
    {
        IsRequired = true,
    };
    private static readonly UsedNameField Ioas = new("ioas", "The IOAS to use.", ObjectKind.Ioas) { IsRequired = true };
    private static readonly FlagField Pins = new("pins", "Whether it pins pages (as a mediated device does).");

    /// <inheritdoc/>
    public override string Name => "access";

    /// <inheritdoc/>
    public override string Summary => "Makes an access: a driver that uses IOAS memory by CPU.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As, Ioas, Pins];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new CreateAccess(scope.Object<IoasObject>(Ioas, ObjectKind.Ioas).Id, scope.Flag(Pins, otherwise: true));

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        uint id = ((CreateAccess)result.WriteBack!).OutAccessId;
        scope.Give(As, new AccessObject(id));
        return StepOutcome.With(("id", id));
    }
}

/// <summary><c>access-replace</c>.</summary>
public sealed class AccessReplaceStep : CommandKind
{
    private static readonly UsedNameField Ioas = new("ioas", "The new IOAS.", ObjectKind.Ioas) { IsRequired = true };

    /// <inheritdoc/>
    public override string Name => "access-replace";

    /// <inheritdoc/>
    public override string Summary => "Moves an access to another IOAS; its pins are dropped.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [AccessKeys.Access, Ioas];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new ReplaceAccessIoas(AccessKeys.AccessId(scope), scope.Object<IoasObject>(Ioas, ObjectKind.Ioas).Id);
}

/// <summary><c>access-destroy</c>.</summary>
public sealed class AccessDestroyStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "access-destroy";

    /// <inheritdoc/>
    public override string Summary => "Destroys an access after releasing what it pins.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [AccessKeys.Access];

    /// <inheritdoc/>
    public override Field Shorthand => AccessKeys.Access;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) => new DestroyAccess(AccessKeys.AccessId(scope));

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        scope.Objects.Forget<AccessObject>(scope.Text(AccessKeys.Access)!);
        return StepOutcome.Ok;
    }
}

/// <summary><c>pin</c>.</summary>
public sealed class PinStep : CommandKind
{
    private static readonly FlagField Write = new("write", "Whether the driver will write; false when left out.");
    private static readonly GivenNameField As = new("as", "A name for the pin.", ObjectKind.Pin);

    /// <inheritdoc/>
    public override string Name => "pin";

    /// <inheritdoc/>
    public override string Summary => "Pins pages through an access.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [AccessKeys.Access, AccessKeys.Area, AccessKeys.Offset, AccessKeys.Iova, AccessKeys.Length, Write, As];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["pages"];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [AccessKeys.Area], AccessKeys.ByIova);

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        (ulong iova, ulong length) = AccessKeys.Range(scope);
        return new PinAccessPages(AccessKeys.AccessId(scope), iova, length, scope.Flag(Write));
    }

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        var pinned = (PinAccessPages)result.WriteBack!;
        scope.Give(As, new PinObject(pinned.AccessId, pinned.OutPinId));
        return StepOutcome.With(("pages", pinned.OutPages));
    }
}

/// <summary><c>unpin</c>.</summary>
public sealed class UnpinStep : CommandKind
{
    private static readonly UsedNameField Pin = new("pin", "The pin.", ObjectKind.Pin) { IsRequired = true };

    /// <inheritdoc/>
    public override string Name => "unpin";

    /// <inheritdoc/>
    public override string Summary => "Releases a pin; ENOENT when an unmap has released it already.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Pin];

    /// <inheritdoc/>
    public override Field Shorthand => Pin;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        var pin = scope.Object<PinObject>(Pin, ObjectKind.Pin);
        return new UnpinAccessPages(pin.AccessId, pin.PinId);
    }

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        scope.Objects.Forget<PinObject>(scope.Text(Pin)!);
        return StepOutcome.Ok;
    }
}

/// <summary><c>access-read</c>.</summary>
public sealed class AccessReadStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "access-read";

    /// <inheritdoc/>
    public override string Summary => "Reads IOAS memory by CPU through an access.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [AccessKeys.Access, AccessKeys.Area, AccessKeys.Offset, AccessKeys.Iova, AccessKeys.Length];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["first-byte", "bytes"];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [AccessKeys.Area], AccessKeys.ByIova);

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        (ulong iova, ulong length) = AccessKeys.Range(scope);
        return new ReadWriteAccess(AccessKeys.AccessId(scope), iova, AccessData.OfLength(scope, length), Write: false);
    }

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        byte[] data = (result.WriteBack as ReadWriteAccess)?.Data ?? [];
        return StepOutcome.With(("first-byte", data.Length > 0 ? data[0] : -1), ("bytes", data.Length));
    }
}

/// <summary><c>access-write</c>.</summary>
public sealed class AccessWriteStep : CommandKind
{
    private static readonly NumberField Fill = new("fill", "The byte to write everywhere; 0 when left out.")
    {
        Maximum = 255,
    };

    /// <inheritdoc/>
    public override string Name => "access-write";

    /// <inheritdoc/>
    public override string Summary => "Writes IOAS memory by CPU through an access.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [AccessKeys.Access, AccessKeys.Area, AccessKeys.Offset, AccessKeys.Iova, AccessKeys.Length, Fill];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [AccessKeys.Area], AccessKeys.ByIova);

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        (ulong iova, ulong length) = AccessKeys.Range(scope);
        byte[] data = AccessData.OfLength(scope, length);
        Array.Fill(data, (byte)scope.Number(Fill));
        return new ReadWriteAccess(AccessKeys.AccessId(scope), iova, data, Write: true);
    }
}

/// <summary>Buffers of accesses.</summary>
internal static class AccessData
{
    private const ulong MaxBytes = 64 << 20;

    public static byte[] OfLength(StepScope scope, ulong length) =>
        length <= MaxBytes
            ? new byte[length]
            : throw new Language.Expressions.EvaluationException(
                scope.Step.At,
                $"an access of {length} bytes: at most {MaxBytes} at once"
            );
}
