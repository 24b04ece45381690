using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>The participant behind a DEVICE: what its requests, with and without PASID, are translated through.</summary>
/// <param name="physicalDevice">The hardware's name on the machine.</param>
/// <param name="isMock">Whether it is one of the selftest's mock devices.</param>
public sealed class DeviceState(string physicalDevice, bool isMock) : IFlowParticipant
{
    /// <summary>The PASID whose switches a mock device refuses every second time.</summary>
    public const uint ReservedPasid = 1024;

    private const uint InitialCache = 0xbad_dad;
    private static readonly MockWords Untouched = new(InitialCache);
    private static readonly VirtualId NoVirtualId = new(0, 0);

    // Most devices translate their own requests only, and are nobody's vDEVICE.
    private ITranslationRoot? _own;
    private Rarities? _rarities = isMock ? new() { Cache = new(InitialCache) } : null;
    private bool _refusesReservedPasid;

    private MockWords Cache => _rarities?.Cache ?? Untouched;

    private VirtualId VirtualId => _rarities?.VirtualId ?? NoVirtualId;

    /// <summary>The hardware's name on the machine.</summary>
    public string PhysicalDevice { get; } = physicalDevice;

    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request)
    {
        switch (request)
        {
            case SwitchTranslation change:
                return Switch(change);
            case AcceptReservedPasid:
                _refusesReservedPasid = false;
                return FlowResponse.Done;
            case QueryVirtualId:
                return VirtualId;
            case ForgetTranslations or RespondToPageRequest:
                // The hardware's business.
                return FlowResponse.Done;
            case ZeroWords zero:
                Invariant.Holds(isMock, "only the selftest's devices have words to invalidate");
                Cache.Zero(zero.Mask);
                return FlowResponse.Done;
            case CheckWord check:
                return Cache.Check(check);
            case DescribeState describe:
                return Describe(describe.WithText);
            case CheckState:
                return new StateChecked(0, []);
            default:
                throw new InvariantBrokenException($"a DEVICE is not asked for {request.GetType().Name}");
        }
    }

    private FlowResponse Switch(SwitchTranslation change)
    {
        if (isMock && change.Pasid == ReservedPasid)
        {
            var refuse = _refusesReservedPasid && change.Root is not null;
            _refusesReservedPasid = change.Root is not null && !refuse;
            if (refuse)
            {
                return FlowResponse.Fail(Errno.ENOMEM);
            }
        }

        if (change.Pasid == 0)
        {
            _own = change.Root;
        }
        else if (change.Root is null)
        {
            _rarities?.Pasids.Remove(change.Pasid);
        }
        else
        {
            (_rarities ??= new()).Pasids[change.Pasid] = change.Root;
        }

        // Between HWPTs of one vIOMMU the number is kept, though the vDEVICE may be another one by now.
        if (change.Pasid == 0 && change.ViommuId != VirtualId.ViommuId)
        {
            (_rarities ??= new()).VirtualId = new VirtualId(change.ViommuId, change.VirtId);
        }

        return FlowResponse.Done;
    }

    private StateDescription Describe(bool withText)
    {
        var lines = new StateLines(withText);
        lines.Add($"device {PhysicalDevice}");
        if (_own is not null)
        {
            lines.Add($"pasid 0 hwpt {_own.HwptId}");
        }

        foreach (var (pasid, root) in _rarities?.Pasids ?? [])
        {
            lines.Add($"pasid {pasid} hwpt {root.HwptId}");
        }

        lines.Add($"viommu {VirtualId.ViommuId} as 0x{VirtualId.VirtId:x} refuses {_refusesReservedPasid}");
        lines.Add($"cache {Cache}");

        return lines.ToDescription();
    }

    private sealed class Rarities
    {
        public SortedDictionary<uint, ITranslationRoot> Pasids { get; } = [];

        public MockWords Cache { get; init; } = Untouched;

        public VirtualId VirtualId { get; set; } = NoVirtualId;
    }
}
