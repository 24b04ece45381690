using System.Globalization;
using System.Text;
using Iommufd.Messages;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>
/// Writes down every reply at the moment when it leaves: the stream, the last event that the reply may show, a hash over all payloads
/// of the stream up to it, the request's tag, the errno. Whoever finds a line can ask the journal for exactly these events: nothing
/// acknowledged may be missing. Lines are handed to the operating system one by one, so they outlive the process. Thread-safe.
/// </summary>
public sealed class ReplyLog : IJournalWitness, IDisposable
{
    /// <summary>The hash over no payloads.</summary>
    public const ulong EmptyChain = 14695981039346656037;

    private readonly Lock _gate = new();
    private readonly FileStream _file;
    private readonly Dictionary<int, Stream> _streams = [];

    /// <summary>Appends to a file; a pipe will do.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public ReplyLog(string path)
    {
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        if (_file.CanSeek)
        {
            _file.Seek(0, SeekOrigin.End);
        }
    }

    /// <summary>The hash over one payload more.</summary>
    public static ulong Chain(ulong before, ReadOnlySpan<byte> payload)
    {
        foreach (var part in payload)
        {
            before = unchecked((before ^ part) * 1099511628211);
        }

        // The end of a payload counts: two that change places or melt into one are another hash.
        return unchecked((before ^ (uint)payload.Length ^ 0x1_0000_0000) * 1099511628211);
    }

    /// <inheritdoc/>
    public void Recorded(int context, long sequence, ContextEvent change)
    {
        var payload = EventPayload.ToBytes(change);
        lock (_gate)
        {
            if (!_streams.TryGetValue(context, out var stream))
            {
                _streams[context] = stream = new Stream();
            }

            stream.Last = Chain(stream.Last, payload);
            stream.Open.Enqueue((sequence, stream.Last));
        }
    }

    /// <inheritdoc/>
    public void Replied(int context, long sequence, long tag, Errno errno)
    {
        lock (_gate)
        {
            if (!_streams.TryGetValue(context, out var stream))
            {
                return;
            }

            // Replies leave in the order of what they wait for.
            while (stream.Open.TryPeek(out var next) && next.Sequence <= sequence)
            {
                stream.Durable = stream.Open.Dequeue().Chain;
            }

            var line = string.Create(
                CultureInfo.InvariantCulture,
                $"iommufd-{context} {sequence} {stream.Durable:x16} {tag} {errno}\n"
            );
            _file.Write(Encoding.ASCII.GetBytes(line));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private sealed class Stream
    {
        public Queue<(long Sequence, ulong Chain)> Open { get; } = new();

        public ulong Last { get; set; } = EmptyChain;

        public ulong Durable { get; set; } = EmptyChain;
    }
}
