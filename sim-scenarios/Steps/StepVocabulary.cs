using Iommufd.Scenarios.Drill;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>Every step of the language.</summary>
public static class StepVocabulary
{
    /// <summary>All of them, in the order of the reference.</summary>
    public static readonly IReadOnlyList<StepKind> All =
    [
        new MemoryStep(),
        new MunmapStep(),
        new MprotectStep(),
        new IoasAllocStep(),
        new MapStep(),
        new UnmapStep(),
        new CopyStep(),
        new OptionStep(),
        new HwptAllocStep(),
        new DestroyStep(),
        new BindStep(),
        new UnbindStep(),
        new AttachStep(),
        new ReplaceStep(),
        new DetachStep(),
        new AccessStep(),
        new AccessReplaceStep(),
        new AccessDestroyStep(),
        new PinStep(),
        new UnpinStep(),
        new AccessReadStep(),
        new AccessWriteStep(),
        new DmaStep(),
        new StopStep(),
        new CloseStep(),
        new RepeatStep(),
        new ParallelStep(),
        new ChooseStep(),
        new IfStep(),
        new LetStep(),
        new BarrierStep(),
        new PauseStep(),
        new DrillStep(),
    ];

    /// <summary>Their words.</summary>
    public static readonly IReadOnlyList<string> Words = [.. All.Select(k => k.Name)];

    private static readonly Dictionary<string, StepKind> ByName = All.ToDictionary(k => k.Name, StringComparer.Ordinal);

    /// <summary>The kind with a word, or null.</summary>
    public static StepKind? Find(string word) => ByName.GetValueOrDefault(word);
}
