using Akka.Actor;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

/// <summary>/user/machine/iommu-N: an IOMMU unit. It says what it is; translation itself is the page tables' and devices' business.</summary>
public sealed class IommuActor(IommuSpec spec) : UntypedActor
{
    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case QueryIommu:
                Sender.Tell(spec);
                break;
            default:
                Unhandled(message);
                break;
        }
    }
}

/// <summary>Client → IOMMU unit: what are you? Answered by <see cref="IommuSpec"/>.</summary>
public sealed record QueryIommu;
