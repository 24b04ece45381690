using Iommufd.Messages;

namespace Iommufd.Core.Sharing;

/// <summary>An invalidation of a shared table that has begun and not ended.</summary>
/// <param name="range">The guest addresses.</param>
public sealed class TableInvalidation(IovaRange range)
{
    /// <summary>The guest addresses: nothing is filled in there.</summary>
    public IovaRange Range { get; } = range;

    /// <summary>The frames that were behind them; devices may reach them until they have forgotten.</summary>
    internal List<Pfn> Frames { get; } = [];
}

/// <summary>A piece of a virtual machine's memory: guest addresses that stand for memory of the process.</summary>
/// <param name="Guest">The first guest address; page aligned.</param>
/// <param name="Address">The process's address of it; page aligned.</param>
/// <param name="Length">Bytes, whole pages, at least one.</param>
/// <param name="Writable">Whether the guest, and its devices, may write it.</param>
public sealed record GuestSlot(ulong Guest, ulong Address, ulong Length, bool Writable)
{
    /// <summary>The guest addresses.</summary>
    public IovaRange Range => new(Guest, Guest + (Length - 1));

    /// <summary>The guest addresses that stand for a part of a range of the process; null where there is none.</summary>
    /// <param name="first">First address of the process.</param>
    /// <param name="last">Last address of the process.</param>
    public IovaRange? GuestPartOf(ulong first, ulong last)
    {
        var from = Math.Max(first, Address);
        var to = Math.Min(last, Address + (Length - 1));
        return from > to ? null : new IovaRange(Guest + (from - Address), Guest + (to - Address));
    }
}
