using Iommufd.Core.Dma;
using Iommufd.Core.Dma.Guest;
using Iommufd.Core.Flows;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>
/// The participant behind a nested HWPT: the mock's IOTLB, or the guest's tables. Addresses go on through the nesting parent.
/// </summary>
/// <param name="hwptId">The nested HWPT.</param>
/// <param name="parent">The second stage.</param>
/// <param name="iotlb">What each entry of the mock's IOTLB holds at first.</param>
/// <param name="stage">The driver's data and the first stage they describe; null for the selftest's.</param>
public sealed class NestedHwptState(uint hwptId, IDmaRoot parent, uint iotlb, GuestStageData? stage = null)
    : IFlowParticipant,
        IDmaRoot
{
    private readonly MockWords _iotlb = new(iotlb);

    /// <inheritdoc/>
    public uint HwptId { get; } = hwptId;

    /// <inheritdoc/>
    public DmaTranslation Translation { get; } = new(stage?.Stage, parent.Translation);

    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request)
    {
        switch (request)
        {
            case ZeroWords zero:
                _iotlb.Zero(zero.Mask);
                return FlowResponse.Done;
            case CheckWord check:
                return _iotlb.Check(check);
            case DescribeState describe:
                return Describe(describe.WithText);
            case CheckState:
                return new StateChecked(0, []);
            default:
                throw new InvariantBrokenException($"a nested HWPT is not asked for {request.GetType().Name}");
        }
    }

    private StateDescription Describe(bool withText)
    {
        var lines = new StateLines(withText);
        lines.Add($"iotlb {_iotlb}");
        if (stage is not null)
        {
            lines.Add($"stage 1 of type {stage.Type} at {string.Join(' ', stage.Words.Select(w => $"0x{w:x}"))}");
        }

        return lines.ToDescription();
    }
}
