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

    // Most devices translate their own requests only; what uses PASIDs has a table of them besides.
    private ITranslationRoot? _own;
    private SortedDictionary<uint, ITranslationRoot>? _pasids;
    private readonly MockWords _cache = isMock ? new(InitialCache) : Untouched;
    private bool _refusesReservedPasid;
    private VirtualId _virtualId = NoVirtualId;

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
                return _virtualId;
            case ForgetTranslations or RespondToPageRequest:
                // The hardware's business.
                return FlowResponse.Done;
            case ZeroWords zero:
                Invariant.Holds(isMock, "only the selftest's devices have words to invalidate");
                _cache.Zero(zero.Mask);
                return FlowResponse.Done;
            case CheckWord check:
                return _cache.Check(check);
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
            _pasids?.Remove(change.Pasid);
        }
        else
        {
            (_pasids ??= [])[change.Pasid] = change.Root;
        }

        // Between HWPTs of one vIOMMU the number is kept, though the vDEVICE may be another one by now.
        if (change.Pasid == 0 && change.ViommuId != _virtualId.ViommuId)
        {
            _virtualId = new VirtualId(change.ViommuId, change.VirtId);
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

        foreach (var (pasid, root) in _pasids ?? [])
        {
            lines.Add($"pasid {pasid} hwpt {root.HwptId}");
        }

        lines.Add($"viommu {_virtualId.ViommuId} as 0x{_virtualId.VirtId:x} refuses {_refusesReservedPasid}");
        lines.Add($"cache {_cache}");

        return lines.ToDescription();
    }
}
