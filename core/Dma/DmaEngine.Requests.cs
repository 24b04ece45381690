using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

/// <summary>One transfer.</summary>
/// <param name="Iova">First address.</param>
/// <param name="Bytes">Bytes, at least 1.</param>
/// <param name="Access">Read or write.</param>
public readonly record struct DmaBlock(ulong Iova, ulong Bytes, IoptePermissions Access);

/// <summary>A transfer that met pages that are not there; it is held until somebody maps them.</summary>
/// <param name="Block">The transfer.</param>
/// <param name="Pages">The pages missing, by the address of their first byte, ascending; at least one.</param>
public sealed record DmaMissing(DmaBlock Block, IReadOnlyList<ulong> Pages);

public partial class DmaEngine
{
    /// <summary>Pages that one page request group asks for at most; the rest is asked for when the transfer is tried again.</summary>
    private const int PagesPerGroup = 32;

    // Most devices never ask.
    private List<(ulong Physical, ulong Bytes)>? _pieces;

    /// <summary>
    /// Runs traffic as <see cref="Run"/> does, but a transfer that meets a missing page ends the call, uncounted: the caller asks for
    /// the page and comes back with the transfer, or gives it up by <see cref="GiveUp"/>. Missing permissions are faults here too.
    /// </summary>
    /// <param name="pattern">The traffic.</param>
    /// <param name="transfers">Number of blocks, the held one included.</param>
    /// <param name="held">A transfer that is tried again first; null for none.</param>
    /// <param name="missing">What is missing; null when all transfers are done.</param>
    /// <returns>What this call did.</returns>
    public DmaReport RunUntilMissing(in DmaPattern pattern, int transfers, DmaBlock? held, out DmaMissing? missing)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pattern.BlockBytes);
        DmaReport before = Totals;
        missing = null;
        for (int done = 0; done < transfers && missing is null; done++)
        {
            DmaBlock block = held ?? NextBlock(pattern);
            held = null;
            lock (Iotlb.Gate)
            {
                using TableReclamation.ReadSection section = TableReclamation.Enter();
                missing = TryTransfer(SpaceOf(pattern.Pasid), pattern, block);
            }
        }

        return Totals - before;
    }

    /// <summary>Counts a held transfer as faulted: nobody mapped what it needs.</summary>
    /// <returns>What this call did.</returns>
    public DmaReport GiveUp(DmaMissing missing, uint pasid)
    {
        DmaReport before = Totals;
        Count(new DmaFault(missing.Pages[0], missing.Block.Access, Present: false, pasid));
        return Totals - before;
    }

    private DmaMissing? TryTransfer(in Space space, in DmaPattern pattern, in DmaBlock block)
    {
        List<ulong>? pages = null;
        ulong iova = block.Iova;
        ulong last = iova + (block.Bytes - 1);
        ulong offsetMask = space.Table is null ? HostPage.OffsetMask : space.StepMask;
        List<(ulong Physical, ulong Bytes)> pieces = _pieces ??= [];
        pieces.Clear();
        while (true)
        {
            ulong pageLast = Math.Min(iova | offsetMask, last);
            if (Translate(space, pattern.Pasid, iova, block.Access, out ulong physical))
            {
                pieces.Add((physical, pageLast - iova + 1));
            }
            else if (_refused.Present)
            {
                CountRefusal();
                return null;
            }
            else
            {
                (pages ??= []).Add(iova & ~offsetMask);
            }

            if (pageLast == last || pages?.Count == PagesPerGroup)
            {
                break;
            }

            iova = pageLast + 1;
        }

        if (pages is not null)
        {
            return new DmaMissing(block, pages);
        }

        _bytes += block.Bytes;
        foreach ((ulong physical, ulong bytes) in pieces)
        {
            if (pattern.Data != DmaData.None && block.Access == IoptePermissions.Write)
            {
                Store(pattern, physical, bytes);
            }
        }

        return null;
    }
}
