using System.Runtime.CompilerServices;
using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

// Most traffic by far moves no data and goes through one table. It does what Transfer does, block by block, in two loops: one makes the
// addresses, one translates them, each small enough to be kept in registers.
public partial class DmaEngine
{
    private bool IsPlain(in Space space, in DmaPattern pattern) =>
        pattern.Data == DmaData.None
        && _mappings is null
        && _pins is null or FramePins
        && space.Translation is { Guest: null };

    [SkipLocalsInit]
    private void RunPlain(in Space space, in DmaPattern pattern, int transfers)
    {
        Span<ulong> starts = stackalloc ulong[TransfersPerBatch];
        Span<IoptePermissions> accesses = stackalloc IoptePermissions[TransfersPerBatch];
        starts = starts[..transfers];
        accesses = accesses[..transfers];
        ulong bytes = DmaTraffic.BytesOf(pattern, out ulong lastStart);
        DmaTraffic traffic = _traffic;
        DmaPatternKind kind = pattern.Kind;
        ulong first = pattern.Window.First;
        int writePercent = pattern.WritePercent;
        for (int i = 0; i < starts.Length; i++)
        {
            starts[i] = first + traffic.NextOffset(kind, lastStart, bytes);
            accesses[i] = traffic.NextAccess(writePercent);
        }

        _traffic = traffic;
        ulong before = _transfers;
        Iotlb iotlb = Iotlb;
        var pins = _pins as FramePins;
        if (kind == DmaPatternKind.Random)
        {
            FetchAhead(space.Table!, pins, starts);
        }

        bool writesMark = space.WritesMark;
        ulong offsetMask = space.StepMask;
        uint pasid = pattern.Pasid;
        ulong hits = 0;
        ulong moved = 0;
        for (int i = 0; i < starts.Length; i++)
        {
            ulong iova = starts[i];
            ulong last = iova + (bytes - 1);
            IoptePermissions access = accesses[i];
            while (true)
            {
                IotlbResult found = iotlb.TryHit(pasid, iova, access, writesMark, out ulong physical);
                if (found == IotlbResult.Hit && (pins is null || pins.IsPinned(Pfn.Containing(physical))))
                {
                    hits++;
                }
                else if (!GoOn(found, before + (ulong)i + 1, space, pasid, iova, access))
                {
                    break;
                }

                ulong pageLast = iova | offsetMask;
                if (pageLast >= last)
                {
                    moved += bytes;
                    break;
                }

                iova = pageLast + 1;
            }
        }

        _transfers = before + (ulong)transfers;
        _translationCount += hits;
        _hits += hits;
        _bytes += moved;
    }

    // Random addresses miss every cache, one after the other: an item of the table, then the word that has its frame's pins. Asked for
    // together they are there when each block comes to them. What is read here is not used.
    [SkipLocalsInit]
    private static void FetchAhead(IoPageTable table, FramePins? pins, ReadOnlySpan<ulong> starts)
    {
        Span<ulong> physical = stackalloc ulong[TransfersPerBatch];
        physical = physical[..starts.Length];
        table.TranslateEach(starts, physical);
        pins?.Fetch(physical);
    }

    // What is reported carries the number of its transfer.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool GoOn(
        IotlbResult found,
        ulong transfer,
        in Space space,
        uint pasid,
        ulong iova,
        IoptePermissions access
    )
    {
        _transfers = transfer;
        if (found != IotlbResult.Miss)
        {
            if (Translate(space, pasid, iova, access, out _))
            {
                return true;
            }
        }
        else
        {
            _translationCount++;
            if (Walk(space, pasid, iova, access, out _))
            {
                return true;
            }
        }

        CountRefusal();
        return false;
    }
}
