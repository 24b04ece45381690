using System.Runtime.InteropServices;
using Iommufd.Messages;

namespace Iommufd.Core.Pages;

// Access pins: ranges of pages whose frames are in the store as long as a range covers them.
public sealed partial class PageSet
{
    /// <summary>
    /// An access pins pages: appends their frames, pins those that nothing covers yet, and copies those that only a
    /// domain has into the store. The exact same range again shares one record.
    /// </summary>
    /// <param name="first">Index of the first page.</param>
    /// <param name="last">Index of the last page.</param>
    /// <param name="runs">All frames in page order are appended, consecutive ones merged.</param>
    /// <param name="newlyPinned">The pages that this call pinned are appended.</param>
    /// <returns>EFAULT, EINVAL (file, dma-buf), ENOMEM (limit); then nothing has changed, neither have the lists.</returns>
    public Errno AccessAdd(ulong first, ulong last, List<PfnRun> runs, List<PinnedRun> newlyPinned)
    {
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentNullException.ThrowIfNull(newlyPinned);
        CheckRange(first, last);
        if (IsDmabuf)
        {
            return Errno.EINVAL;
        }

        int from = runs.Count;
        int at = _accesses.IndexOf(first, last);
        if (at >= 0)
        {
            _accesses.ValueOf(at)++;
            _store.Read(first, last, runs, from);
            return Errno.OK;
        }

        Errno result = GatherPinned(first, last, charge: true, runs, newlyPinned);
        if (result != Errno.OK)
        {
            return result;
        }

        // Into the store only now that nothing can fail.
        var frames = new RunCursor(CollectionsMarshal.AsSpan(runs)[from..]);
        for (ulong index = first; index <= last; )
        {
            if (TierAt(index, last, out ulong spanLast, out _) == Tier.Store)
            {
                frames.Skip(spanLast - index + 1);
            }
            else
            {
                _store.Insert(index, spanLast, ref frames);
            }

            index = spanLast + 1;
        }

        _accesses.Add(first, last, last, 1);
        return Errno.OK;
    }

    /// <summary>
    /// An access lets go of pages that it pinned with exactly this range. With the range's last user the pages leave the
    /// store, unless another range has them; those that no area covers are unpinned and their charge is given back.
    /// </summary>
    public void AccessRemove(ulong first, ulong last)
    {
        int at = _accesses.IndexOf(first, last);
        if (at < 0)
        {
            throw new InvalidOperationException($"no access has pinned pages {first}..{last} of page set {Number}");
        }

        if (--_accesses.ValueOf(at) > 0)
        {
            return;
        }

        _accesses.RemoveAt(at);
        List<PfnRun> runs = _scratchRuns ??= [];
        for (ulong index = first; index <= last; )
        {
            Tier tier = TierAt(index, last, out ulong spanLast, out _);
            if (tier == Tier.Source)
            {
                runs.Clear();
                _store.Read(index, spanLast, runs, 0);
                var frames = new RunCursor(CollectionsMarshal.AsSpan(runs));
                UnpinFrom(ref frames, spanLast - index + 1);
            }

            if (tier != Tier.Store)
            {
                _store.Remove(index, spanLast);
            }

            index = spanLast + 1;
        }

        runs.Clear();
        GiveBack();
    }
}
