using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>The participant behind a DEVICE: what its requests, with and without PASID, are translated through.</summary>
/// <param name="physicalDevice">The hardware's name on the machine.</param>
public sealed class DeviceState(string physicalDevice) : IFlowParticipant
{
    private readonly SortedDictionary<uint, ITranslationRoot> _translations = [];

    /// <summary>The hardware's name on the machine.</summary>
    public string PhysicalDevice { get; } = physicalDevice;

    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request)
    {
        switch (request)
        {
            case SwitchTranslation { Root: { } root } attach:
                _translations[attach.Pasid] = root;
                return FlowResponse.Done;
            case SwitchTranslation detach:
                _translations.Remove(detach.Pasid);
                return FlowResponse.Done;
            case DescribeState describe:
                return Describe(describe.WithText);
            case CheckState:
                return new StateChecked(0, []);
            default:
                throw new InvariantBrokenException($"a DEVICE is not asked for {request.GetType().Name}");
        }
    }

    private StateDescription Describe(bool withText)
    {
        var lines = new StateLines(withText);
        lines.Add($"device {PhysicalDevice}");
        foreach (var (pasid, root) in _translations)
        {
            lines.Add($"pasid {pasid} hwpt {root.HwptId}");
        }

        return lines.ToDescription();
    }
}
