using Iommufd.Messages;

namespace Iommufd.Core.Pages;

// Access reads and writes. Three ways: through the caller's own mappings; through one page pinned for the moment; and
// the slow one, through the tiers, which reaches pinned pages even after their process or mapping is gone.
public sealed partial class PageSet
{
    /// <summary>Runs that the slow way collects before it copies: 64 KiB of work memory at 12 bytes a run.</summary>
    private const int RunsPerBatch = 65536 / 12;

    /// <summary>Copies bytes out of or into the pages. Nothing is charged; pages that are pinned for it are let go.</summary>
    /// <param name="startByte">Where, counted from <see cref="BaseAddress"/>.</param>
    /// <param name="data">The bytes.</param>
    /// <param name="write">Whether they are written to the pages; else read.</param>
    /// <param name="forceSlowPath">Never through the caller's mappings (a test flag).</param>
    /// <param name="caller">The process that asks.</param>
    /// <returns>
    /// EPERM for writing what is not writable; EINVAL for dma-bufs, and for files that cannot be pinned there; EFAULT.
    /// Bytes that were copied before a fault stay copied.
    /// </returns>
    public Errno Copy(ulong startByte, Span<byte> data, bool write, bool forceSlowPath, ProcessMemory caller)
    {
        ulong lastByte = startByte + (ulong)data.Length - 1;
        if (data.Length == 0 || lastByte < startByte || lastByte >> HostPage.Shift >= PageCount)
        {
            throw new ArgumentOutOfRangeException(nameof(startByte), startByte, "outside of the page set");
        }

        if (write && !Writable)
        {
            return Errno.EPERM;
        }

        if (IsDmabuf)
        {
            return Errno.EINVAL;
        }

        if (IsFile || Owner.Exited)
        {
            return CopySlowly(startByte, data, write);
        }

        ulong address = BaseAddress + startByte;
        if (ReferenceEquals(caller, Owner) && !forceSlowPath)
        {
            bool copied = write ? Owner.TryWrite(address, data) : Owner.TryRead(address, data);
            return copied ? Errno.OK : Errno.EFAULT;
        }

        return startByte >> HostPage.Shift == lastByte >> HostPage.Shift
            ? CopyInPage(address, data, write)
            : CopySlowly(startByte, data, write);
    }

    private Errno CopyInPage(ulong address, Span<byte> data, bool write)
    {
        Errno result = Owner.PinPage(address, write, out Pfn pfn);
        if (result == Errno.OK)
        {
            CopyFrames(new PfnRun(pfn, 1), (int)(address & HostPage.OffsetMask), data, write);
            _physical!.Unpin(pfn);
        }

        return result;
    }

    private Errno CopySlowly(ulong startByte, Span<byte> data, bool write)
    {
        ulong index = startByte >> HostPage.Shift;
        ulong last = (startByte + (ulong)data.Length - 1) >> HostPage.Shift;
        int inPage = (int)(startByte & HostPage.OffsetMask);
        List<PfnRun> runs = _scratchRuns ??= [];
        List<PinnedRun> pinned = [];
        Errno result = Errno.OK;
        while (index <= last && result == Errno.OK)
        {
            // A page is a run at most, so a batch of pages never has more runs than it may.
            ulong batchLast = Math.Min(last, index + RunsPerBatch - 1);
            result = Gather(index, batchLast, runs, 0, pinned, 0);
            if (result == Errno.OK)
            {
                foreach (PfnRun run in runs)
                {
                    ulong bytes = (run.Count << HostPage.Shift) - (ulong)inPage;
                    int count = (int)Math.Min((ulong)data.Length, bytes);
                    CopyFrames(run, inPage, data[..count], write);
                    data = data[count..];
                    inPage = 0;
                }
            }

            UnpinListed(pinned, 0);
            runs.Clear();
            index = batchLast + 1;
        }

        return result;
    }

    private void CopyFrames(PfnRun run, int offset, Span<byte> data, bool write)
    {
        if (write)
        {
            _physical!.Write(run.First, offset, data);
        }
        else
        {
            _physical!.Read(run.First, offset, data);
        }
    }
}
