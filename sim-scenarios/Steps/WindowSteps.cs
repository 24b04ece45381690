using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>A mapped window of the iommufd.</summary>
/// <param name="Memory">Its words; they outlive the iommufd.</param>
/// <param name="Offset">Where it was mapped from.</param>
/// <param name="Length">Bytes.</param>
public sealed record WindowObject(IMmapWindow Memory, ulong Offset, ulong Length) : ClientObject;

/// <summary>Keys that the steps on mapped windows share.</summary>
internal static class WindowKeys
{
    public static readonly UsedNameField Window = new("window", "The mapped window.", ObjectKind.Window)
    {
        IsRequired = true,
    };

    public static readonly NumberField At = new("offset", "Byte offset in it, a multiple of 4; 0 when left out.");

    public static WindowObject Of(StepScope scope) => scope.Object<WindowObject>(Window, ObjectKind.Window);

    /// <summary>The window where a word is in it; null is EFAULT: a process that reads or writes there dies of it.</summary>
    public static IMmapWindow? WordOf(StepScope scope, out ulong at)
    {
        WindowObject window = Of(scope);
        at = scope.Number(At);
        return at % sizeof(uint) == 0 && at < window.Length ? window.Memory : null;
    }
}

/// <summary><c>window-map</c>.</summary>
public sealed class WindowMapStep : CommandKind
{
    private static readonly GivenNameField As = new("as", "A name for the mapping.", ObjectKind.Window)
    {
        IsRequired = true,
    };
    private static readonly UsedNameField Viommu = new(
        "viommu",
        "A vIOMMU that was made with a window; its window is mapped whole when the next two are left out.",
        ObjectKind.Viommu
    )
    {
        IsRequired = true,
    };
    private static readonly NumberField Offset = new("offset", "The offset given to mmap.");
    private static readonly NumberField Length = new("length", "The length given to mmap.");
    private static readonly FlagField Private = new(
        "private",
        "Whether it is mapped MAP_PRIVATE; shared when left out."
    );
    private static readonly FlagField Executable = new("executable", "Whether PROT_EXEC is asked for.");

    /// <inheritdoc/>
    public override string Name => "window-map";

    /// <inheritdoc/>
    public override string Summary => "Maps a window that a driver shares with user space (mmap of the iommufd).";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As, Viommu, Offset, Length, Private, Executable];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        ViommuObject viommu = scope.Object<ViommuObject>(Viommu, ObjectKind.Viommu);
        return new MapWindow(
            scope.Number(Offset, viommu.WindowOffset),
            scope.Number(Length, viommu.WindowLength),
            scope.Flag(Executable),
            !scope.Flag(Private)
        );
    }

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        var mapped = (MapWindow)result.WriteBack!;
        scope.Give(As, new WindowObject(mapped.OutWindow!, mapped.Offset, mapped.Length));
        return StepOutcome.Ok;
    }
}

/// <summary><c>window-unmap</c>.</summary>
public sealed class WindowUnmapStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "window-unmap";

    /// <inheritdoc/>
    public override string Summary => "Unmaps a window (munmap); while it is mapped its owner cannot be destroyed.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [WindowKeys.Window];

    /// <inheritdoc/>
    public override Field Shorthand => WindowKeys.Window;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        WindowObject window = WindowKeys.Of(scope);
        return new UnmapWindow(window.Offset, window.Length);
    }
}

/// <summary><c>window-read</c>.</summary>
public sealed class WindowReadStep : ScriptKind
{
    /// <inheritdoc/>
    public override string Name => "window-read";

    /// <inheritdoc/>
    public override string Summary => "Reads 32 bits of a mapped window, as the process does by CPU.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [WindowKeys.Window, WindowKeys.At];

    /// <inheritdoc/>
    public override Field Shorthand => WindowKeys.Window;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["value"];

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        script.Outcome = WindowKeys.WordOf(scope, out ulong at) is { } window
            ? StepOutcome.With(("value", window.Read(at)))
            : new StepOutcome(Errno.EFAULT, []);
        yield break;
    }
}

/// <summary><c>window-write</c>.</summary>
public sealed class WindowWriteStep : ScriptKind
{
    private static readonly NumberField Value = new("value", "The 32 bits.")
    {
        IsRequired = true,
        Maximum = uint.MaxValue,
    };

    /// <inheritdoc/>
    public override string Name => "window-write";

    /// <inheritdoc/>
    public override string Summary => "Writes 32 bits of a mapped window.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [WindowKeys.Window, WindowKeys.At, Value];

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        if (WindowKeys.WordOf(scope, out ulong at) is { } window)
        {
            window.Write(at, (uint)scope.Number(Value));
        }
        else
        {
            script.Fail(Errno.EFAULT);
        }

        yield break;
    }
}
