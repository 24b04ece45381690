using System.Buffers.Binary;
using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

public partial class DmaEngine
{
    /// <summary>Transfers in one hold of the gate: an invalidation waits for no more than these.</summary>
    private const int TransfersPerBatch = 32;

    private const ulong StoreBytes = 512;

    private DmaTraffic _traffic;

    /// <summary>Runs traffic; faults and violations are counted, never thrown.</summary>
    /// <param name="pattern">The traffic.</param>
    /// <param name="transfers">Number of blocks.</param>
    /// <returns>What this call did.</returns>
    public DmaReport Run(in DmaPattern pattern, int transfers)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pattern.BlockBytes);
        DmaReport before = Totals;
        for (int done = 0; done < transfers; done += TransfersPerBatch)
        {
            RunBatch(pattern, Math.Min(TransfersPerBatch, transfers - done));
        }

        return Totals - before;
    }

    private void RunBatch(in DmaPattern pattern, int transfers)
    {
        lock (Iotlb.Gate)
        {
            Space space = SpaceOf(pattern.Pasid);
            // An oracle or a guest's memory may throw; a section left open would hold back every reclamation of the process.
            using TableReclamation.ReadSection section = TableReclamation.Enter();
            if (IsPlain(space, pattern))
            {
                RunPlain(space, pattern, transfers);
                return;
            }

            for (int i = 0; i < transfers; i++)
            {
                Transfer(space, pattern);
            }
        }
    }

    private void Transfer(in Space space, in DmaPattern pattern)
    {
        DmaBlock block = NextBlock(pattern);
        ulong iova = block.Iova;
        ulong last = iova + (block.Bytes - 1);
        // Nothing is attached: every page size is as good.
        ulong offsetMask = space.Table is null ? HostPage.OffsetMask : space.StepMask;
        while (true)
        {
            // A block is translated page by page, of the smallest size that the table can have.
            if (!Translate(space, pattern.Pasid, iova, block.Access, out ulong physical))
            {
                CountRefusal();
                return;
            }

            ulong pageLast = iova | offsetMask;
            if (pattern.Data != DmaData.None && block.Access == IoptePermissions.Write)
            {
                Store(pattern, physical, Math.Min(pageLast, last) - iova + 1);
            }

            if (pageLast >= last)
            {
                _bytes += block.Bytes;
                return;
            }

            iova = pageLast + 1;
        }
    }

    private DmaBlock NextBlock(in DmaPattern pattern)
    {
        _transfers++;
        return _traffic.Next(pattern);
    }

    /// <summary>Writes data behind a translation of this batch; the page is marked dirty already.</summary>
    private void Store(in DmaPattern pattern, ulong physical, ulong bytes)
    {
        if (_memory is null)
        {
            throw new InvalidOperationException("a DMA engine without memory writes no data");
        }

        Span<byte> data = stackalloc byte[(int)Math.Min(bytes, StoreBytes)];
        if (pattern.Data == DmaData.Fill)
        {
            data.Fill(pattern.Fill);
        }
        else
        {
            Span<byte> stamp = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(stamp, _transfers);
            data = data[..Math.Min(data.Length, stamp.Length)];
            stamp[..data.Length].CopyTo(data);
            bytes = (ulong)data.Length;
        }

        for (ulong done = 0; done < bytes; done += (ulong)data.Length)
        {
            ulong at = physical + done;
            _memory.Write(
                Pfn.Containing(at),
                (int)(at & HostPage.OffsetMask),
                data[..(int)Math.Min((ulong)data.Length, bytes - done)]
            );
        }
    }
}
