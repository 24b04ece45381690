using System.Numerics;
using Iommufd.Actors.Protocol;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary><c>set-dirty-tracking</c>.</summary>
public sealed class SetDirtyTrackingStep : CommandKind
{
    private static readonly UsedNameField Hwpt = new("hwpt", "The HWPT.", ObjectKind.Hwpt) { IsRequired = true };
    private static readonly FlagField On = new("on", "Whether to track; true when left out.");

    /// <inheritdoc/>
    public override string Name => "set-dirty-tracking";

    /// <inheritdoc/>
    public override string Summary => "Starts or stops recording which pages devices write.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Hwpt, On];

    /// <inheritdoc/>
    public override Field Shorthand => Hwpt;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new HwptSetDirtyTracking
        {
            HwptId = scope.Object<HwptObject>(Hwpt, ObjectKind.Hwpt).Id,
            Flags = scope.Flag(On, otherwise: true) ? HwptSetDirtyTracking.Enable : 0,
        };
}

/// <summary><c>get-dirty-bitmap</c>.</summary>
public sealed class GetDirtyBitmapStep : ScriptKind
{
    private const ulong MaxBytes = 64 << 20;

    private static readonly UsedNameField Hwpt = new("hwpt", "The HWPT.", ObjectKind.Hwpt) { IsRequired = true };
    private static readonly NumberField PageSize = new("page-size", "Bytes that a bit stands for; 4K when left out.");
    private static readonly FlagField Keep = new(
        "keep",
        "Whether the marks stay, so that they are read again; false when left out."
    );
    private static readonly GivenNameField As = new("as", "A name for the bitmap.", ObjectKind.Bitmap);

    /// <inheritdoc/>
    public override string Name => "get-dirty-bitmap";

    /// <inheritdoc/>
    public override string Summary => "Reads, and clears, which pages devices wrote since the last time.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [Hwpt, AccessKeys.Area, AccessKeys.Offset, AccessKeys.Iova, AccessKeys.Length, PageSize, Keep, As];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["dirty"];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [AccessKeys.Area], AccessKeys.ByIova);

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        uint hwpt = scope.Object<HwptObject>(Hwpt, ObjectKind.Hwpt).Id;
        (ulong iova, ulong length) = AccessKeys.Range(scope);
        ulong pageSize = scope.Number(PageSize, HostPage.Size);
        ulong bytes = (length / Math.Max(1, pageSize) + 8) / 8;
        if (bytes > MaxBytes)
        {
            throw new EvaluationException(scope.Step.At, $"a bitmap of {bytes} bytes: at most {MaxBytes} at once");
        }

        yield return new BufferRequest(bytes);
        ulong buffer = script.Address;
        yield return new MemoryRequest(new WriteMemory(buffer, new byte[HostPage.Size], bytes));
        yield return new CommandRequest(
            new HwptGetDirtyBitmap
            {
                HwptId = hwpt,
                Flags = scope.Flag(Keep) ? HwptGetDirtyBitmap.NoClear : 0,
                Iova = iova,
                Length = length,
                PageSize = pageSize,
                Data = buffer,
            }
        );
        if (!script.Result.IsOk)
        {
            script.Fail(script.Result.Errno);
            yield break;
        }

        yield return new MemoryRequest(new ReadMemory(buffer, (int)bytes));
        byte[] bits = script.As<MemoryRead>().Data;
        scope.Give(As, new BitmapObject(iova, pageSize, bits));
        int dirty = 0;
        foreach (byte eight in bits)
        {
            dirty += BitOperations.PopCount(eight);
        }

        script.Outcome = StepOutcome.With(("dirty", dirty));
    }
}
