using Iommufd.Actors.Protocol;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

/// <summary>What a process does with its own memory by CPU. Called by the memory's actor.</summary>
internal static class MemoryWork
{
    /// <summary>Does what a message asks for; null for another message.</summary>
    public static object? Answer(ProcessMemory memory, object message) =>
        message switch
        {
            WriteMemory write => new HostResult(Write(memory, write)),
            ReadMemory read => Read(memory, read),
            CountBytes count => Count(memory, count),
            CopyMemory copy => Copy(memory, copy),
            CompareMemory compare => Compare(memory, compare),
            MapFileMemory map => MapFile(memory, map),
            EditGuestTable edit => Edit(memory, edit),
            _ => null,
        };

    private static Errno Write(ProcessMemory memory, WriteMemory write)
    {
        if (write.Data.Length == 0)
        {
            return Errno.OK;
        }

        for (var done = 0ul; done < write.Length; done += (ulong)write.Data.Length)
        {
            var count = (int)Math.Min((ulong)write.Data.Length, write.Length - done);
            if (!memory.TryWrite(unchecked(write.Address + done), write.Data.AsSpan(0, count)))
            {
                return Errno.EFAULT;
            }
        }

        return Errno.OK;
    }

    private static MemoryRead Read(ProcessMemory memory, ReadMemory read)
    {
        var data = new byte[read.Length];
        return new MemoryRead(memory.TryRead(read.Address, data) ? Errno.OK : Errno.EFAULT, data);
    }

    private static BytesCounted Count(ProcessMemory memory, CountBytes asked)
    {
        Span<byte> piece = stackalloc byte[(int)HostPage.Size];
        var found = 0ul;
        var first = -1;
        for (var done = 0ul; done < asked.Length; done += (ulong)piece.Length)
        {
            var read = piece[..(int)Math.Min((ulong)piece.Length, asked.Length - done)];
            if (!memory.TryRead(unchecked(asked.Address + done), read))
            {
                return new BytesCounted(Errno.EFAULT, -1, 0);
            }

            first = done == 0 ? read[0] : first;
            found += (ulong)read.Count(asked.Byte);
        }

        return new BytesCounted(Errno.OK, first, found);
    }

    private static MemoryCounted Copy(ProcessMemory memory, CopyMemory copy)
    {
        var page = new byte[HostPage.Size];
        var copied = 0ul;
        for (var done = 0ul; done < copy.Length; done += HostPage.Size)
        {
            var bit = done / copy.PageSize;
            if (copy.Bitmap is { } bitmap && (bitmap[bit >> 3] & (1 << (int)(bit & 7))) == 0)
            {
                continue;
            }

            if (!memory.TryRead(copy.From + done, page) || !memory.TryWrite(copy.To + done, page))
            {
                return new MemoryCounted(Errno.EFAULT, copied);
            }

            copied++;
        }

        return new MemoryCounted(Errno.OK, copied);
    }

    private static MemoryCounted Compare(ProcessMemory memory, CompareMemory compare)
    {
        var one = new byte[HostPage.Size];
        var other = new byte[HostPage.Size];
        var different = 0ul;
        for (var done = 0ul; done < compare.Length; done += HostPage.Size)
        {
            var count = (int)Math.Min(HostPage.Size, compare.Length - done);
            if (
                !memory.TryRead(compare.First + done, one.AsSpan(0, count))
                || !memory.TryRead(compare.Second + done, other.AsSpan(0, count))
            )
            {
                return new MemoryCounted(Errno.EFAULT, different);
            }

            different += one.AsSpan(0, count).SequenceEqual(other.AsSpan(0, count)) ? 0ul : 1;
        }

        return new MemoryCounted(Errno.OK, different);
    }

    private static MemoryMapped MapFile(ProcessMemory memory, MapFileMemory map)
    {
        var errno = memory.MapFile(map.Address, map.Length, map.File, map.Offset, map.Protection, out var at);
        return new MemoryMapped(errno, at);
    }

    private static GuestTableEdited Edit(ProcessMemory memory, EditGuestTable edit)
    {
        var unmapped = 0ul;
        var errno = edit.Kind switch
        {
            GuestTableEdit.Start => edit.Table.TryStart(memory),
            GuestTableEdit.Map => edit.Table.Map(memory, edit.Iova, edit.GuestPhysical, edit.Length, edit.Permissions),
            GuestTableEdit.Unmap => edit.Table.Unmap(memory, edit.Iova, edit.Length, out unmapped),
            _ => edit.Table.SetSpace(memory, (uint)edit.Length, edit.GuestPhysical),
        };
        return new GuestTableEdited(errno, edit.Table.Root, unmapped, edit.Table.TablePages);
    }
}
