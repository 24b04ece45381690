using Iommufd.Actors.Protocol;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>Keys that the steps on bytes of memory share.</summary>
internal static class BytesKeys
{
    public static readonly UsedNameField Memory = new("memory", "The memory.", ObjectKind.Memory) { IsRequired = true };
    public static readonly NumberField Offset = new("offset", "First byte; 0 when left out.");
    public static readonly NumberField Length = new("length", "Bytes; to the end of the memory when left out.");

    public static (ulong Address, ulong Length) Range(StepScope scope)
    {
        var memory = scope.Object<MemoryObject>(Memory, ObjectKind.Memory);
        ulong offset = scope.Number(Offset);
        return (
            unchecked(memory.Address + offset),
            scope.Number(Length, offset <= memory.Length ? memory.Length - offset : 0)
        );
    }
}

/// <summary><c>memory-write</c>.</summary>
public sealed class MemoryWriteStep : OperationKind
{
    private const int PatternBytes = 4096;

    private static readonly NumberField Fill = new("fill", "The byte to write everywhere; 0 when left out.")
    {
        Maximum = 255,
    };

    /// <inheritdoc/>
    public override string Name => "memory-write";

    /// <inheritdoc/>
    public override string Summary => "The process writes its own memory by CPU.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [BytesKeys.Memory, BytesKeys.Offset, BytesKeys.Length, Fill];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope)
    {
        (ulong address, ulong length) = BytesKeys.Range(scope);
        byte[] data = new byte[PatternBytes];
        Array.Fill(data, (byte)scope.Number(Fill));
        return new MemoryRequest(new WriteMemory(address, data, length));
    }

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer) => new(((HostResult)answer).Errno, []);
}

/// <summary><c>memory-read</c>.</summary>
public sealed class MemoryReadStep : OperationKind
{
    private static readonly NumberField Byte = new("byte", "Which byte is counted; 0 when left out.") { Maximum = 255 };

    /// <inheritdoc/>
    public override string Name => "memory-read";

    /// <inheritdoc/>
    public override string Summary => "The process reads its own memory by CPU and counts a byte.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [BytesKeys.Memory, BytesKeys.Offset, BytesKeys.Length, Byte];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["first-byte", "count"];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope)
    {
        (ulong address, ulong length) = BytesKeys.Range(scope);
        return new MemoryRequest(new CountBytes(address, length, (byte)scope.Number(Byte)));
    }

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer)
    {
        var counted = (BytesCounted)answer;
        return counted.Errno == Errno.OK
            ? StepOutcome.With(("first-byte", counted.First), ("count", (Int128)counted.Count))
            : new StepOutcome(counted.Errno, []);
    }
}

/// <summary><c>memory-copy</c>.</summary>
public sealed class MemoryCopyStep : OperationKind
{
    private static readonly UsedNameField To = new(
        "to",
        "The memory to copy to, from its first byte on.",
        ObjectKind.Memory
    )
    {
        IsRequired = true,
    };
    private static readonly UsedNameField Pages = new(
        "pages",
        "A bitmap: only its pages are copied; its first bit is the first page.",
        ObjectKind.Bitmap
    );

    /// <inheritdoc/>
    public override string Name => "memory-copy";

    /// <inheritdoc/>
    public override string Summary => "The process copies pages by CPU from one memory to another.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [BytesKeys.Memory, BytesKeys.Offset, BytesKeys.Length, To, Pages];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["pages"];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope)
    {
        (ulong from, ulong length) = BytesKeys.Range(scope);
        ulong to = scope.Object<MemoryObject>(To, ObjectKind.Memory).Address;
        BitmapObject? bitmap = scope.Has(Pages) ? scope.Object<BitmapObject>(Pages, ObjectKind.Bitmap) : null;
        ulong pageSize = bitmap?.PageSize ?? HostPage.Size;
        return bitmap is null || (ulong)bitmap.Bits.Length * 8 >= (length + pageSize - 1) / pageSize
            ? new MemoryRequest(new CopyMemory(from, to, length, bitmap?.Bits, pageSize))
            : throw new EvaluationException(scope.Step.At, $"the bitmap is too small for {length} bytes");
    }

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer)
    {
        var copied = (MemoryCounted)answer;
        return new StepOutcome(copied.Errno, [("pages", copied.Pages)]);
    }
}

/// <summary><c>memory-compare</c>.</summary>
public sealed class MemoryCompareStep : OperationKind
{
    private static readonly UsedNameField With = new(
        "with",
        "The memory to compare with, from its first byte on.",
        ObjectKind.Memory
    )
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "memory-compare";

    /// <inheritdoc/>
    public override string Summary => "The process compares two memories by CPU, page by page.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [BytesKeys.Memory, BytesKeys.Offset, BytesKeys.Length, With];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["different"];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope)
    {
        (ulong first, ulong length) = BytesKeys.Range(scope);
        ulong second = scope.Object<MemoryObject>(With, ObjectKind.Memory).Address;
        return new MemoryRequest(new CompareMemory(first, second, length));
    }

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer)
    {
        var compared = (MemoryCounted)answer;
        return new StepOutcome(compared.Errno, [("different", compared.Pages)]);
    }
}
