using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// The bytes of one 4 KiB frame: none for zeros, an array that all frames share while every byte is the same, else an array of its
/// own. Memory that was filled with one byte costs a pointer a page. Safe from any thread.
/// </summary>
/// <remarks>
/// A shared array is never written. An array of its own stays the frame's until the frame is free, so a writer that has
/// found it writes to what readers see; only zeros and shared arrays are replaced, by compare-and-swap.
/// </remarks>
internal static class FrameBytes
{
    private static readonly byte[]?[] Uniform = new byte[]?[256];

    /// <summary>An array that may be written; what the frame held is in it.</summary>
    public static byte[] Own(ref byte[]? frame)
    {
        while (true)
        {
            byte[]? there = Volatile.Read(ref frame);
            if (there is not null && !IsShared(there))
            {
                return there;
            }

            byte[] own = there is null ? new byte[HostPage.Size] : there.AsSpan().ToArray();
            if (Interlocked.CompareExchange(ref frame, own, there) == there)
            {
                return own;
            }
        }
    }

    /// <summary>Writes a whole frame if its bytes are all the same and the frame has no array of its own; else does nothing.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="source">4,096 bytes.</param>
    public static bool TryFill(ref byte[]? frame, ReadOnlySpan<byte> source)
    {
        byte[]? there = Volatile.Read(ref frame);
        if ((there is not null && !IsShared(there)) || source.ContainsAnyExcept(source[0]))
        {
            return false;
        }

        return Interlocked.CompareExchange(ref frame, Shared(source[0]), there) == there;
    }

    // The first byte says which one it would be: an array of a frame's own that begins the same is another object.
    private static bool IsShared(byte[] there) => ReferenceEquals(there, Volatile.Read(ref Uniform[there[0]]));

    private static byte[]? Shared(byte value)
    {
        if (value == 0)
        {
            return null;
        }

        if (Volatile.Read(ref Uniform[value]) is { } made)
        {
            return made;
        }

        byte[] filled = new byte[HostPage.Size];
        filled.AsSpan().Fill(value);
        return Interlocked.CompareExchange(ref Uniform[value], filled, null) ?? filled;
    }
}
