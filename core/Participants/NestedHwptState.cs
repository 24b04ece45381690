using Iommufd.Core.Flows;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>The participant behind a nested HWPT: the mock's IOTLB. Addresses go on through the nesting parent.</summary>
/// <param name="hwptId">The nested HWPT.</param>
/// <param name="parent">The second stage.</param>
/// <param name="iotlb">What each IOTLB entry holds at first.</param>
public sealed class NestedHwptState(uint hwptId, ITranslationRoot? parent, uint iotlb)
    : IFlowParticipant,
        ITranslationRoot
{
    private readonly MockWords _iotlb = new(iotlb);

    /// <inheritdoc/>
    public uint HwptId { get; } = hwptId;

    /// <summary>The second stage.</summary>
    public ITranslationRoot? Parent { get; } = parent;

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
                var lines = new StateLines(describe.WithText);
                lines.Add($"iotlb {_iotlb}");
                return lines.ToDescription();
            case CheckState:
                return new StateChecked(0, []);
            default:
                throw new InvariantBrokenException($"a nested HWPT is not asked for {request.GetType().Name}");
        }
    }
}
