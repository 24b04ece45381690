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
        new MemfdStep(),
        new MemoryWriteStep(),
        new MemoryReadStep(),
        new MemoryCopyStep(),
        new MemoryCompareStep(),
        new IoasAllocStep(),
        new MapStep(),
        new UnmapStep(),
        new MapFileStep(),
        new CopyStep(),
        new AllowIovasStep(),
        new IovaRangesStep(),
        new ProcessStep(),
        new ChangeProcessStep(),
        new OptionStep(),
        new HwInfoStep(),
        new HwptAllocStep(),
        new NestedHwptAllocStep(),
        new HwptInvalidateStep(),
        new SetDirtyTrackingStep(),
        new GetDirtyBitmapStep(),
        new DestroyStep(),
        new BindStep(),
        new UnbindStep(),
        new AttachStep(),
        new ReplaceStep(),
        new DetachStep(),
        new GuestTableStep(),
        new GuestMapStep(),
        new GuestUnmapStep(),
        new GuestPasidStep(),
        new FaultQueueAllocStep(),
        new FaultReadStep(),
        new FaultRespondStep(),
        new ViommuAllocStep(),
        new VdeviceAllocStep(),
        new VeventqAllocStep(),
        new VeventqReadStep(),
        new DeviceEventStep(),
        new HwQueueAllocStep(),
        new PollStep(),
        new CloseQueueStep(),
        new VfioIoasStep(),
        new VfioCheckExtensionStep(),
        new VfioSetIommuStep(),
        new VfioGetInfoStep(),
        new VfioMapDmaStep(),
        new VfioUnmapDmaStep(),
        new VfioDirtyPagesStep(),
        new EntryPolicyStep(),
        new ResizeEntriesStep(),
        new GuestStep(),
        new GuestMemoryStep(),
        new GuestMemoryRemoveStep(),
        new GuestTouchStep(),
        new DiscardStep(),
        new SharedHwptAllocStep(),
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
        new LeaveStep(),
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
