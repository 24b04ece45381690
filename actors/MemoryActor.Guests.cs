using Akka.Actor;
using Iommufd.Core.Context;
using Iommufd.Core.Sharing;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

// Virtual machines whose tables devices share. Before a page goes, its entries go from the tables, then from every device's IOTLB; only
// when all devices have confirmed is the memory changed, and answered (docs/decisions/0006-kvm-shared-table.md).
public sealed partial class MemoryActor
{
    private bool OnGuest(object message)
    {
        switch (message)
        {
            case MakeGuest make:
                Sender.Tell(Make(make.Format));
                return true;
            case AddGuestMemory add:
                var slot = new GuestSlot(add.Guest, add.Address, add.Length, add.Writable);
                Sender.Tell(new HostResult(Guest(add.Fd)?.AddSlot(slot) ?? Errno.EBADF));
                return true;
            case RemoveGuestMemory remove:
                Remove(remove);
                return true;
            case TouchGuest touch:
                var filled = Guest(touch.Fd)?.Fill(touch.Guest, touch.Length, touch.Write);
                Sender.Tell(new HostResult(filled ?? Errno.EBADF));
                return true;
            case SharedForgotten forgotten:
                Confirm(forgotten);
                return true;
            default:
                return false;
        }
    }

    private GuestMade Make(string format)
    {
        if (!HostMachine.TryParseFormat(format, out var known))
        {
            return new GuestMade(Errno.EINVAL, -1);
        }

        var fd = descriptors.Reserve(Memory.RlimitOpenFiles);
        if (fd == DescriptorTable.None)
        {
            return new GuestMade(Errno.EMFILE, fd);
        }

        var table = new SharedTable(Memory, known);
        guests.Tables.Add(table);
        descriptors.Install(fd, new GuestDescriptor(table));
        return new GuestMade(Errno.OK, fd);
    }

    // Only a machine of this process: another one's memory is changed elsewhere.
    private SharedTable? Guest(int fd) =>
        (descriptors.Find(fd) as GuestDescriptor)?.Table is { } table && guests.Tables.Contains(table) ? table : null;

    private void Remove(RemoveGuestMemory remove)
    {
        if (Guest(remove.Fd) is not { } table)
        {
            Sender.Tell(new HostResult(Errno.EBADF));
            return;
        }

        if (table.BeginRemove(remove.Guest) is not { } begun)
        {
            Sender.Tell(new HostResult(Errno.ENOENT));
            return;
        }

        AfterDevicesForgot([(table, begun)], () => new HostResult(Errno.OK));
    }

    // What is mapped at a fixed place takes the place of what was there.
    private void Replace(MapMemory map, Func<object> work)
    {
        if (map.Address is { } address)
        {
            Change(address, map.Length, work);
        }
        else
        {
            Sender.Tell(work());
        }
    }

    private void Change(ulong address, ulong length, Func<object> work)
    {
        var begun = new List<(SharedTable, TableInvalidation)>();
        if (length > 0)
        {
            var last = length - 1 > ulong.MaxValue - address ? ulong.MaxValue : address + (length - 1);
            foreach (var table in guests.Tables)
            {
                var first = address & ~HostPage.OffsetMask;
                begun.AddRange(table.Begin(first, last | HostPage.OffsetMask).Select(b => (table, b)));
            }
        }

        AfterDevicesForgot(begun, work);
    }

    private void AfterDevicesForgot(
        IReadOnlyList<(SharedTable Table, TableInvalidation Begun)> begun,
        Func<object> work
    )
    {
        var ticket = ++guests.LastTicket;
        var pending = new PendingChange(begun, new SortedSet<string>(StringComparer.Ordinal), work, Sender);
        guests.Pending.Add(ticket, pending);
        var linked = begun.SelectMany(b => b.Table.Devices.Select(name => (Device: name, b.Begun.Range)));
        foreach (var group in linked.GroupBy(l => l.Device, l => l.Range, StringComparer.Ordinal))
        {
            if (devices.Find(group.Key) is { } device)
            {
                pending.Waiting.Add(group.Key);
                device.Tell(new ForgetShared(group.Key, [.. group], ticket), Self);
            }
        }

        FinishIfForgotten(ticket, pending);
    }

    private void Confirm(SharedForgotten forgotten)
    {
        if (guests.Pending.TryGetValue(forgotten.Ticket, out var pending))
        {
            pending.Waiting.Remove(forgotten.Device);
            FinishIfForgotten(forgotten.Ticket, pending);
        }
    }

    private void FinishIfForgotten(long ticket, PendingChange pending)
    {
        if (pending.Waiting.Count > 0)
        {
            return;
        }

        guests.Pending.Remove(ticket);
        foreach (var (table, begun) in pending.Begun)
        {
            table.Forgotten(begun);
        }

        var answer = pending.Work();
        foreach (var (table, begun) in pending.Begun)
        {
            table.End(begun);
        }

        pending.ReplyTo.Tell(answer);
    }
}
