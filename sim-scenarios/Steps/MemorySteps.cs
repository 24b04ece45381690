using Iommufd.Actors.Protocol;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>Words for the protection of memory.</summary>
internal static class ProtectionWords
{
    public static readonly string[] All = ["read", "write", "none"];

    public static MemoryProtection Combined(IReadOnlyList<string> words)
    {
        MemoryProtection protection = MemoryProtection.None;
        foreach (string word in words)
        {
            protection |= word switch
            {
                "read" => MemoryProtection.Read,
                "write" => MemoryProtection.Write,
                _ => MemoryProtection.None,
            };
        }

        return protection;
    }
}

/// <summary><c>memory</c>: mmap.</summary>
public sealed class MemoryStep : OperationKind
{
    private static readonly GivenNameField As = new("as", "A name for the memory.", ObjectKind.Memory)
    {
        IsRequired = true,
    };
    private static readonly NumberField Size = new("size", "Bytes.") { IsRequired = true };
    private static readonly UsedNameField File = new(
        "file",
        "A file to map, shared; private memory when left out.",
        ObjectKind.File
    );
    private static readonly NumberField Offset = new("offset", "First byte of the file; 0 when left out.");
    private static readonly NumberField Address = new("address", "Where; the process chooses when left out.");
    private static readonly ChoiceField Kind = new("kind", "What the pages are.", "anonymous", "huge-2m");
    private static readonly WordsField Protection = new("protection", "Allowed accesses.", ProtectionWords.All);

    /// <inheritdoc/>
    public override string Name => "memory";

    /// <inheritdoc/>
    public override string Summary => "Maps memory into the process (mmap).";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As, Size, Address, Kind, File, Offset, Protection];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["address"];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope)
    {
        MemoryKind kind = scope.Word(Kind, "anonymous") switch
        {
            "huge-2m" => MemoryKind.Huge2M,
            _ => MemoryKind.Anonymous,
        };
        MemoryProtection protection = ProtectionWords.Combined(scope.Words(Protection, "read", "write"));
        ulong? address = scope.Has(Address) ? scope.Number(Address) : null;
        if (scope.Has(File))
        {
            MemoryFile file = scope.Object<FileObject>(File, ObjectKind.File).File;
            return new MemoryRequest(
                new MapFileMemory(address, scope.Number(Size), file, scope.Number(Offset), protection)
            );
        }

        return new MemoryRequest(new MapMemory(address, scope.Number(Size), kind, protection));
    }

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer)
    {
        var mapped = (MemoryMapped)answer;
        if (mapped.Errno != Errno.OK)
        {
            return new StepOutcome(mapped.Errno, []);
        }

        scope.Give(As, new MemoryObject(mapped.Address, scope.Number(Size)));
        return StepOutcome.With(("address", mapped.Address));
    }
}

/// <summary>A step that does something to a part of a memory, all of it unless said otherwise.</summary>
public abstract class MemoryPartStep : OperationKind
{
    private static readonly UsedNameField Memory = new("memory", "The memory.", ObjectKind.Memory)
    {
        IsRequired = true,
    };
    private static readonly NumberField Offset = new("offset", "First byte; 0 when left out.");
    private static readonly NumberField Length = new("length", "Bytes; to the end when left out.");

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Memory, Offset, Length];

    /// <inheritdoc/>
    public sealed override StepRequest Prepare(StepScope scope)
    {
        var memory = scope.Object<MemoryObject>(Memory, ObjectKind.Memory);
        ulong offset = scope.Number(Offset);
        return new MemoryRequest(Change(scope, memory.Address + offset, scope.Number(Length, memory.Length - offset)));
    }

    /// <inheritdoc/>
    public sealed override StepOutcome Complete(StepScope scope, object answer) => new(((HostResult)answer).Errno, []);

    /// <summary>The memory as the step's value, where that is its short form.</summary>
    protected static Field WholeMemory => Memory;

    /// <summary>What the process's memory is asked for.</summary>
    /// <param name="scope">The step.</param>
    /// <param name="address">The first address.</param>
    /// <param name="length">Bytes.</param>
    protected abstract object Change(StepScope scope, ulong address, ulong length);
}

/// <summary><c>munmap</c>.</summary>
public sealed class MunmapStep : MemoryPartStep
{
    /// <inheritdoc/>
    public override string Name => "munmap";

    /// <inheritdoc/>
    public override string Summary => "Takes memory away from the process; pages that are pinned stay pinned.";

    /// <inheritdoc/>
    public override Field Shorthand => WholeMemory;

    /// <inheritdoc/>
    protected override object Change(StepScope scope, ulong address, ulong length) => new UnmapMemory(address, length);
}

/// <summary><c>discard</c>: MADV_DONTNEED.</summary>
public sealed class DiscardStep : MemoryPartStep
{
    /// <inheritdoc/>
    public override string Name => "discard";

    /// <inheritdoc/>
    public override string Summary => "Gives pages of the process back (MADV_DONTNEED); the next use finds zeros.";

    /// <inheritdoc/>
    public override Field Shorthand => WholeMemory;

    /// <inheritdoc/>
    protected override object Change(StepScope scope, ulong address, ulong length) =>
        new DiscardMemory(address, length);
}

/// <summary><c>mprotect</c>.</summary>
public sealed class MprotectStep : MemoryPartStep
{
    private static readonly WordsField Protection = new("protection", "Allowed accesses.", ProtectionWords.All)
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "mprotect";

    /// <inheritdoc/>
    public override string Summary => "Changes what the process may do with its memory.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [.. base.Fields, Protection];

    /// <inheritdoc/>
    protected override object Change(StepScope scope, ulong address, ulong length) =>
        new ProtectMemory(address, length, ProtectionWords.Combined(scope.Words(Protection)));
}
