using Akka.Actor;
using Iommufd.Core.Sharing;
using Iommufd.Messages;

namespace Iommufd.Actors;

/// <summary>
/// A process's virtual machines, and the changes of its memory that wait for devices to forget. Outlives the memory's actor, which
/// alone touches it.
/// </summary>
public sealed class GuestBook
{
    /// <summary>The tables that devices may share.</summary>
    internal List<SharedTable> Tables { get; } = [];

    /// <summary>Changes under way, by number.</summary>
    internal SortedDictionary<long, PendingChange> Pending { get; } = [];

    /// <summary>The number of the last change that had to wait.</summary>
    internal long LastTicket { get; set; }
}

/// <summary>A change of memory that waits until no device has an entry to it any more.</summary>
/// <param name="Begun">The invalidations of each table.</param>
/// <param name="Waiting">Devices that have not confirmed, by name.</param>
/// <param name="Work">The change itself, and the answer.</param>
/// <param name="ReplyTo">Who wants the answer.</param>
internal sealed record PendingChange(
    IReadOnlyList<(SharedTable Table, TableInvalidation Begun)> Begun,
    SortedSet<string> Waiting,
    Func<object> Work,
    IActorRef ReplyTo
);

/// <summary>Memory → device: forget guest addresses, whatever the PASID, then say so.</summary>
/// <param name="Device">The device.</param>
/// <param name="Ranges">The addresses.</param>
/// <param name="Ticket">For the answer.</param>
internal sealed record ForgetShared(string Device, IReadOnlyList<IovaRange> Ranges, long Ticket);

/// <summary>Device → memory: forgotten, and no DMA that used the old entries is under way.</summary>
/// <param name="Ticket">From the request.</param>
/// <param name="Device">The device.</param>
internal sealed record SharedForgotten(long Ticket, string Device);
