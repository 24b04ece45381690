using System.Buffers.Binary;
using System.Text;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>
/// An index in a file: a header, the streams, then for each stream its rows and deaths as 32-bit numbers, lowest byte first. It is
/// a cache: one that is missing, older than its journal, or damaged is made anew.
/// </summary>
internal static class JournalIndexFile
{
    private const ulong Magic = 0x31_58_44_49_44_46_4f_49; // IOFDIDX1

    // Grows when EventLifetimes changes its mind, or the file its form.
    private const int Rules = 2;

    // Of a stream: number, events, row of the close, digest of the close.
    private const int HeadSize = 20;

    /// <summary>Where the index of a journal is.</summary>
    public static string PathFor(string journal) => journal + ".index";

    /// <summary>Reads an index; null when there is none that belongs to the journal.</summary>
    public static JournalIndex? TryRead(string path, JournalIdentity identity)
    {
        try
        {
            return File.Exists(path) ? Parse(File.ReadAllBytes(path), identity) : null;
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>Writes an index; in vain where nothing can be written.</summary>
    public static void TryWrite(string path, JournalIndex index)
    {
        var unfinished = path + ".new";
        try
        {
            using (var stream = File.Create(unfinished))
            {
                Write(stream, index);
            }

            File.Move(unfinished, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A journal in a folder that is read-only is indexed again the next time.
        }
    }

    private static void Write(Stream stream, JournalIndex index)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(Magic);
        writer.Write(Rules);
        writer.Write(EventTypes.Version);
        writer.Write(index.Identity.LastRow);
        writer.Write(index.Identity.Ends);
        writer.Write(index.FinishedClients);
        writer.Write(index.RunRows.Count);
        foreach (var row in index.RunRows)
        {
            writer.Write(row);
        }

        writer.Write(index.Streams.Count);
        foreach (var one in index.Streams)
        {
            writer.Write(one.Number);
            writer.Write(one.Rows.Length);
            writer.Write(one.ClosedAt ?? 0);
            writer.Write(one.ClosedWith);
        }

        foreach (var one in index.Streams)
        {
            writer.Write(one.RowBytes.Span);
            writer.Write(one.DeathBytes.Span);
        }
    }

    private static JournalIndex? Parse(byte[] bytes, JournalIdentity identity)
    {
        using var stream = new MemoryStream(bytes);
        using var reader = new BinaryReader(stream);
        if (
            reader.ReadUInt64() != Magic
            || reader.ReadInt32() != Rules
            || reader.ReadInt32() != EventTypes.Version
            || new JournalIdentity(reader.ReadInt64(), reader.ReadUInt64()) != identity
        )
        {
            return null;
        }

        var finishedClients = reader.ReadInt32();
        var runRows = new uint[reader.ReadInt32()];
        for (var i = 0; i < runRows.Length; i++)
        {
            runRows[i] = reader.ReadUInt32();
        }

        var streams = new IndexedStream[reader.ReadInt32()];
        var head = (int)stream.Position;
        var at = checked(head + (streams.Length * HeadSize));
        for (var i = 0; i < streams.Length; i++, head += HeadSize)
        {
            var fields = bytes.AsSpan(head, HeadSize);
            var events = BinaryPrimitives.ReadInt32LittleEndian(fields[4..]);
            var closedAt = BinaryPrimitives.ReadUInt32LittleEndian(fields[8..]);
            streams[i] = new IndexedStream(
                BinaryPrimitives.ReadInt32LittleEndian(fields),
                Take(bytes, ref at, events),
                Take(bytes, ref at, events),
                closedAt == 0 ? null : closedAt,
                BinaryPrimitives.ReadUInt64LittleEndian(fields[12..])
            );
        }

        return at == bytes.Length ? new JournalIndex(identity, streams, runRows, finishedClients) : null;
    }

    // A view, not a copy: of a long journal only the streams that are open at the point asked for are looked at.
    private static ReadOnlyMemory<byte> Take(ReadOnlyMemory<byte> bytes, ref int at, int count)
    {
        var length = checked(count * sizeof(uint));
        var view = bytes.Slice(at, length);
        at += length;
        return view;
    }
}
