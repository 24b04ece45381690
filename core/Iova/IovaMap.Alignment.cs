using System.Numerics;
using Iommufd.Messages;

namespace Iommufd.Core.Iova;

// The alignment is the maximum of what each domain, each access and the HUGE_PAGES option ask for; 1 when none does.
public sealed partial class IovaMap
{
    private readonly Dictionary<uint, int> _domains = [];
    private readonly Dictionary<uint, int> _accesses = [];

    /// <summary>How many domains and accesses ask for each alignment, by its log2.</summary>
    private readonly int[] _contributions = new int[HostPage.Shift + 1];

    /// <summary>What IOVAs, lengths and page offsets of areas must be multiples of: a power of two, 1 to 4096.</summary>
    public ulong Alignment { get; private set; } = 1;

    /// <summary>Whether mappings are installed page by page (OPTION HUGE_PAGES 0), which also lets areas be cut.</summary>
    public bool LargePagesDisabled { get; private set; }

    /// <summary>Whether a value is a multiple of the current alignment: the rule for an area's page offset.</summary>
    public bool IsAligned(ulong value) => (value & (Alignment - 1)) == 0;

    /// <summary>A domain joins with its smallest page size, a power of two. The alignment never shrinks here.</summary>
    /// <returns>EINVAL when the page is larger than 4096 bytes; EADDRINUSE when an area does not comply.</returns>
    /// <exception cref="InvalidOperationException">The domain has joined already.</exception>
    public Errno AddDomainAlignment(uint hwpt, ulong smallestPage)
    {
        if (!BitOperations.IsPow2(smallestPage))
        {
            throw new ArgumentOutOfRangeException(nameof(smallestPage), smallestPage, "A page size is a power of two.");
        }

        return smallestPage > HostPage.Size
            ? Errno.EINVAL
            : AddContribution(_domains, hwpt, BitOperations.Log2(smallestPage));
    }

    /// <summary>A domain leaves; the alignment may shrink. Nothing happens when it has not joined.</summary>
    public void RemoveDomainAlignment(uint hwpt) => RemoveContribution(_domains, hwpt);

    /// <summary>An access joins; one that pins asks for 4096.</summary>
    /// <returns>EADDRINUSE when an area does not comply.</returns>
    /// <exception cref="InvalidOperationException">The access has joined already.</exception>
    public Errno AddAccessAlignment(uint access, bool pins) =>
        AddContribution(_accesses, access, pins ? HostPage.Shift : 0);

    /// <summary>An access leaves; the alignment may shrink. Nothing happens when it has not joined.</summary>
    public void RemoveAccessAlignment(uint access) => RemoveContribution(_accesses, access);

    /// <summary>OPTION HUGE_PAGES. Setting what is set already, and enabling, always work.</summary>
    /// <returns>
    /// When disabling: EINVAL with both a domain and an area; EADDRINUSE when an area is not aligned to 4096.
    /// </returns>
    public Errno SetLargePagesDisabled(bool disabled)
    {
        if (disabled == LargePagesDisabled)
        {
            return Errno.OK;
        }

        if (disabled && _domains.Count > 0 && AreaCount > 0)
        {
            return Errno.EINVAL;
        }

        if (disabled && !AreasComply(HostPage.Shift))
        {
            return Errno.EADDRINUSE;
        }

        LargePagesDisabled = disabled;
        Recalculate();
        return Errno.OK;
    }

    private static int AlignmentLog2(Area area) =>
        BitOperations.TrailingZeroCount(area.Range.First | area.Length | area.PageOffset | HostPage.Size);

    private Errno AddContribution(Dictionary<uint, int> contributors, uint id, int log2)
    {
        if (contributors.ContainsKey(id))
        {
            throw new InvalidOperationException($"{id} has joined this IOAS already.");
        }

        if (1UL << log2 > Alignment && !AreasComply(log2))
        {
            return Errno.EADDRINUSE;
        }

        contributors.Add(id, log2);
        _contributions[log2]++;
        Recalculate();
        return Errno.OK;
    }

    private void RemoveContribution(Dictionary<uint, int> contributors, uint id)
    {
        if (contributors.Remove(id, out int log2))
        {
            _contributions[log2]--;
            Recalculate();
        }
    }

    private bool AreasComply(int log2) => !_areasByAlignment.AsSpan(0, log2).ContainsAnyExcept(0);

    private void Recalculate()
    {
        int highest = LargePagesDisabled ? HostPage.Shift : _contributions.AsSpan().LastIndexOfAnyExcept(0);
        Alignment = 1UL << Math.Max(highest, 0);
    }
}
