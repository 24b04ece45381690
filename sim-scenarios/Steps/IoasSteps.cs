using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary><c>ioas-alloc</c>.</summary>
public sealed class IoasAllocStep : CommandKind
{
    private static readonly GivenNameField As = new("as", "A name for the IOAS.", ObjectKind.Ioas)
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "ioas-alloc";

    /// <inheritdoc/>
    public override string Summary => "Makes an I/O address space.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As];

    /// <inheritdoc/>
    public override Field Shorthand => As;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) => new IoasAlloc();

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        uint id = ((IoasAlloc)result.WriteBack!).OutIoasId;
        scope.Give(As, new IoasObject(id));
        return StepOutcome.With(("id", id));
    }
}

/// <summary><c>map</c>.</summary>
public sealed class MapStep : CommandKind
{
    private static readonly UsedNameField Ioas = new("ioas", "The IOAS to map into.", ObjectKind.Ioas)
    {
        IsRequired = true,
    };
    private static readonly UsedNameField Memory = new("memory", "The memory to map.", ObjectKind.Memory)
    {
        IsRequired = true,
    };
    private static readonly NumberField Offset = new("offset", "First byte of the memory; 0 when left out.");
    private static readonly NumberField Length = new("length", "Bytes; to the end of the memory when left out.");
    private static readonly NumberField Iova = new("iova", "First IOVA; the IOAS chooses when left out.");
    private static readonly GivenNameField As = new("as", "A name for the area.", ObjectKind.Area);

    /// <inheritdoc/>
    public override string Name => "map";

    /// <inheritdoc/>
    public override string Summary => "Maps memory of the process into an IOAS.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Ioas, Memory, Offset, Length, Iova, AccessWords.Field, As];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["iova"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        var memory = scope.Object<MemoryObject>(Memory, ObjectKind.Memory);
        ulong offset = scope.Number(Offset);
        return new IoasMap
        {
            IoasId = scope.Object<IoasObject>(Ioas, ObjectKind.Ioas).Id,
            Flags = AccessWords.Flags(scope, scope.Has(Iova)),
            UserVa = unchecked(memory.Address + offset),
            Length = LengthOf(scope, memory, offset),
            Iova = scope.Number(Iova),
        };
    }

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        var map = (IoasMap)result.WriteBack!;
        scope.Give(As, new AreaObject(map.IoasId, map.Iova, map.Length));
        return StepOutcome.With(("iova", map.Iova));
    }

    private static ulong LengthOf(StepScope scope, MemoryObject memory, ulong offset) =>
        scope.Number(Length, offset <= memory.Length ? memory.Length - offset : 0);
}

/// <summary><c>unmap</c>.</summary>
public sealed class UnmapStep : CommandKind
{
    private static readonly UsedNameField Area = new("area", "The area to unmap.", ObjectKind.Area);
    private static readonly UsedNameField Ioas = new("ioas", "The IOAS.", ObjectKind.Ioas);
    private static readonly NumberField Iova = new("iova", "First IOVA; 0 when left out.");
    private static readonly NumberField Length = new("length", "Bytes; everything (2^64 - 1) when left out.");

    /// <inheritdoc/>
    public override string Name => "unmap";

    /// <inheritdoc/>
    public override string Summary => "Unmaps an area, or every area inside a range of an IOAS.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Area, Ioas, Iova, Length];

    /// <inheritdoc/>
    public override Field Shorthand => Area;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["length"];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [Area], [Ioas]);

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        if (scope.Has(Area))
        {
            var area = scope.Object<AreaObject>(Area, ObjectKind.Area);
            return new IoasUnmap
            {
                IoasId = area.IoasId,
                Iova = area.Iova,
                Length = area.Length,
            };
        }

        return new IoasUnmap
        {
            IoasId = scope.Object<IoasObject>(Ioas, ObjectKind.Ioas).Id,
            Iova = scope.Number(Iova),
            Length = scope.Number(Length, ulong.MaxValue),
        };
    }

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        if (scope.Text(Area) is { } name)
        {
            scope.Objects.Forget<AreaObject>(name);
        }

        return StepOutcome.With(("length", (result.WriteBack as IoasUnmap)?.Length ?? 0));
    }
}

/// <summary><c>copy</c>.</summary>
public sealed class CopyStep : CommandKind
{
    private static readonly UsedNameField Area = new("area", "The area to copy from.", ObjectKind.Area);
    private static readonly UsedNameField From = new("from", "The IOAS to copy from.", ObjectKind.Ioas);
    private static readonly NumberField Source = new("source", "First IOVA in the source.");
    private static readonly NumberField Offset = new("offset", "First byte of the area; 0 when left out.");
    private static readonly UsedNameField To = new("to", "The IOAS to copy into.", ObjectKind.Ioas)
    {
        IsRequired = true,
    };
    private static readonly NumberField Length = new("length", "Bytes; to the end of the area when left out.");
    private static readonly NumberField Iova = new("iova", "First IOVA in the target; the IOAS chooses when left out.");
    private static readonly GivenNameField As = new("as", "A name for the new area.", ObjectKind.Area);

    /// <inheritdoc/>
    public override string Name => "copy";

    /// <inheritdoc/>
    public override string Summary =>
        "Maps the memory behind a range of one IOAS into another: pages stay pinned once.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [Area, Offset, From, Source, To, Length, Iova, AccessWords.Field, As];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["iova"];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes)
    {
        RequireOneOf(values, at, mistakes, [Area], [From, Source]);
        if (values.Has(From) && !values.Has(Length))
        {
            mistakes.Add(at, "'length' is missing: a copy from an IOAS says how many bytes");
        }
    }

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        ulong offset = scope.Number(Offset);
        AreaObject source = scope.Has(Area)
            ? scope.Object<AreaObject>(Area, ObjectKind.Area)
            : new AreaObject(scope.Object<IoasObject>(From, ObjectKind.Ioas).Id, scope.Number(Source), 0);
        return new IoasCopy
        {
            Flags = AccessWords.Flags(scope, scope.Has(Iova)),
            SrcIoasId = source.IoasId,
            SrcIova = unchecked(source.Iova + offset),
            DstIoasId = scope.Object<IoasObject>(To, ObjectKind.Ioas).Id,
            DstIova = scope.Number(Iova),
            Length = scope.Number(Length, source.Length > offset ? source.Length - offset : 0),
        };
    }

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        var copy = (IoasCopy)result.WriteBack!;
        scope.Give(As, new AreaObject(copy.DstIoasId, copy.DstIova, copy.Length));
        return StepOutcome.With(("iova", copy.DstIova));
    }
}

/// <summary>What devices may do with a mapping.</summary>
internal static class AccessWords
{
    public static readonly WordsField Field = new(
        "access",
        "What devices may do: read, write; both when left out.",
        "read",
        "write"
    );

    public static IoasMapFlags Flags(StepScope scope, bool isFixed)
    {
        IoasMapFlags flags = isFixed ? IoasMapFlags.FixedIova : IoasMapFlags.None;
        foreach (string word in scope.Words(Field, "read", "write"))
        {
            flags |= word is "read" ? IoasMapFlags.Readable : IoasMapFlags.Writeable;
        }

        return flags;
    }
}
