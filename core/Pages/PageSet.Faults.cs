using Iommufd.Messages;

namespace Iommufd.Core.Pages;

// Injected faults: armed for one operation, off again after it.
public sealed partial class PageSet
{
    /// <summary>What fails in the operation that comes next; null for nothing.</summary>
    private ArmedFault? _fault;

    /// <summary>The next operation's pin of the page after so many fails.</summary>
    internal void FailPins(ulong pagesBefore, Errno errno) => _fault = new ArmedFault(true, pagesBefore, errno);

    /// <summary>The next operation's charge exceeds the limit.</summary>
    internal void FailCharge() => _fault = new ArmedFault(false, 0, Errno.ENOMEM);

    /// <summary>The operation is over.</summary>
    internal void Disarm() => _fault = null;

    private sealed record ArmedFault(bool FailsPins, ulong PagesBefore, Errno Errno);
}
