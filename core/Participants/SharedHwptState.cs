using Iommufd.Core.Dma;
using Iommufd.Core.Flows;
using Iommufd.Core.Sharing;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>
/// The participant behind a HWPT of a shared table: which devices use it, and what they reserve. Entries are the business of the memory
/// that the table belongs to.
/// </summary>
/// <param name="hwptId">The HWPT.</param>
/// <param name="table">The table.</param>
public sealed class SharedHwptState(uint hwptId, SharedTable table) : IFlowParticipant, IDmaRoot
{
    /// <inheritdoc/>
    public uint HwptId { get; } = hwptId;

    /// <inheritdoc/>
    public DmaTranslation Translation { get; } = new(table.Table, hwptId);

    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request)
    {
        switch (request)
        {
            case LinkDevice link:
                table.Link(link.Device);
                return FlowResponse.Done;
            case UnlinkDevice unlink:
                table.Unlink(unlink.Device);
                return FlowResponse.Done;
            case ReserveRanges reserve:
                var errno = table.Reserve(reserve.Owner, reserve.Ranges);
                return errno == Errno.OK ? FlowResponse.Done : FlowResponse.Fail(errno);
            case ReleaseRanges release:
                table.Unreserve(release.Owner);
                return FlowResponse.Done;
            case DescribeState describe:
                var lines = new StateLines(describe.WithText);
                lines.Add($"shared {table.Table.Format}");
                return lines.ToDescription();
            case CheckState:
                return new StateChecked(0, []);
            default:
                throw new InvariantBrokenException($"a shared HWPT is not asked for {request.GetType().Name}");
        }
    }
}
