namespace Iommufd.Messages.Flows;

/// <summary>Context → HWPT: the page sizes that its table offers.</summary>
public sealed record QueryPageSizes : FlowRequest
{
    /// <summary>The one instance.</summary>
    public static readonly QueryPageSizes Instance = new();
}

/// <summary>Page sizes.</summary>
/// <param name="Bits">Bit n stands for pages of 2^n bytes.</param>
public sealed record PageSizeBits(ulong Bits) : FlowResponse(Errno.OK);

/// <summary>Context → HWPT: an installed area is two areas from now on (VFIO cut); its IOPTEs stay as they are.</summary>
/// <param name="Whole">The area as it was installed.</param>
/// <param name="Left">Its left half.</param>
/// <param name="Right">Its right half.</param>
public sealed record SplitInstalled(AreaView Whole, AreaView Left, AreaView Right) : FlowRequest;

/// <summary>The halves are installed.</summary>
/// <param name="Left">Reads the left half's PFNs back.</param>
/// <param name="Right">Reads the right half's PFNs back.</param>
public sealed record InstalledSplit(IPfnSource Left, IPfnSource Right) : FlowResponse(Errno.OK);
