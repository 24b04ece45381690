using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary><c>entry-policy</c>.</summary>
public sealed class EntryPolicyStep : CommandKind
{
    private static readonly UsedNameField Table = new(
        "table",
        "The HWPT, or the IOAS: then all of its HWPTs, those to come included.",
        ObjectKind.Ioas,
        ObjectKind.Hwpt
    )
    {
        IsRequired = true,
    };
    private static readonly WordsField Policy = new(
        "policy",
        "'promote' makes one entry of those that follow each other, 'split-for-tracking' keeps entries small while dirty pages "
            + "are tracked; entries stay as they were mapped when left out.",
        "promote",
        "split-for-tracking"
    );

    /// <inheritdoc/>
    public override string Name => "entry-policy";

    /// <inheritdoc/>
    public override string Summary => "Says how large the entries of page tables are kept while devices use them.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Table, Policy];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        EntryPolicy policy = EntryPolicy.AsMapped;
        foreach (string word in scope.Words(Policy))
        {
            policy |= string.Equals(word, "promote", StringComparison.Ordinal)
                ? EntryPolicy.Promote
                : EntryPolicy.SplitForTracking;
        }

        uint id =
            scope.Text(Table) is { } name && scope.Objects.TryFind(name, out HwptObject? hwpt)
                ? hwpt.Id
                : scope.Object<IoasObject>(Table, ObjectKind.Ioas).Id;
        return new SetEntryPolicy(id, policy);
    }
}

/// <summary><c>resize-entries</c>.</summary>
public sealed class ResizeEntriesStep : CommandKind
{
    private static readonly UsedNameField Hwpt = new("hwpt", "The paging HWPT.", ObjectKind.Hwpt) { IsRequired = true };
    private static readonly NumberField Size = new("size", "Bytes of an entry, as it shall be.") { IsRequired = true };
    private static readonly FlagField Merge = new("merge", "Whether entries are merged; they are split when left out.");

    /// <inheritdoc/>
    public override string Name => "resize-entries";

    /// <inheritdoc/>
    public override string Summary => "Merges or splits the entries of a range while devices translate through them.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [Hwpt, AccessKeys.Area, AccessKeys.Offset, AccessKeys.Iova, AccessKeys.Length, Size, Merge];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["merged"];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [AccessKeys.Area], AccessKeys.ByIova);

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        (ulong iova, ulong length) = AccessKeys.Range(scope);
        uint hwpt = scope.Object<HwptObject>(Hwpt, ObjectKind.Hwpt).Id;
        return new ResizeEntries(hwpt, iova, length, scope.Number(Size), scope.Flag(Merge));
    }

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result) =>
        StepOutcome.With(("merged", (result.WriteBack as ResizeEntries)?.OutEntries ?? 0));
}
