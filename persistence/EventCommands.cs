using Iommufd.Core.Context;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>What has to be done to a context to apply an event: commands, the ids they get, the frames they pin.</summary>
internal static class EventCommands
{
    /// <summary>The commands of an event; more than one only for an unmap of several areas.</summary>
    public static (IReadOnlyList<IoctlCommand> Commands, uint[] Ids, ulong[] Pinned) Of(
        ContextEvent change,
        HostMachine machine
    )
    {
        switch (change)
        {
            case IoasAllocated e:
                return ([new IoasAlloc()], [e.IoasId], []);
            case AreasCopied e:
                return ([Copy(e)], [], e.Pinned);
            case LargePagesSet e:
                return ([HugePages(e)], [], []);
            case AccountingModeSet e:
                return ([new Option { Op = OptionOp.Set, Val64 = e.ChargeProcess ? 1ul : 0 }], [], []);
            case RangeReserved e:
                return (
                    [
                        new TestAddReserved
                        {
                            IoasId = e.IoasId,
                            Start = e.First,
                            Length = unchecked(e.Last - e.First + 1),
                        },
                    ],
                    [],
                    []
                );
            case AllowedReplaced e:
                return ([new SetAllowedRanges(e.IoasId, e.Ranges)], [], []);
            case ObjectDestroyed e:
                return ([new Destroy { Id = e.ObjectId }], [], []);
            default:
                return OfDevice(change, machine);
        }
    }

    private static (IReadOnlyList<IoctlCommand> Commands, uint[] Ids, ulong[] Pinned) OfDevice(
        ContextEvent change,
        HostMachine machine
    )
    {
        switch (change)
        {
            case HwptAllocated e:
                return (
                    [new AllocatePagingHwpt(e.DeviceId, e.IoasId, (HwptAllocFlags)e.Flags, e.TableType)],
                    [e.HwptId],
                    e.Pinned
                );
            case DeviceBound e:
                AddDevice(machine, e);
                return ([new BindDevice(e.Name)], [e.DeviceId], []);
            case DeviceUnbound e:
                return ([new UnbindDevice(e.DeviceId)], [], []);
            case DeviceAttached e:
                return ([new AttachDevice(e.DeviceId, e.PtId, e.Pasid)], [e.HwptId], e.Pinned);
            case DeviceReplaced e:
                return ([new ReplaceDevice(e.DeviceId, e.PtId, e.Pasid)], [e.HwptId], e.Pinned);
            case DeviceDetached e:
                return ([new DetachDevice(e.DeviceId, e.Pasid)], [], []);
            case MockDeviceMade e:
                return (
                    [new TestMockDomainFlags { PtId = e.PtId, DevFlags = (MockDeviceFlags)e.Flags }],
                    [e.StdevId, e.DeviceId, e.HwptId],
                    e.Pinned
                );
            default:
                return OfAccess(change);
        }
    }

    private static (IReadOnlyList<IoctlCommand> Commands, uint[] Ids, ulong[] Pinned) OfAccess(ContextEvent change) =>
        change switch
        {
            AccessCreated e => ([new CreateAccess(e.IoasId, e.Pins)], [e.AccessId], []),
            AccessMoved e => ([new ReplaceAccessIoas(e.AccessId, e.IoasId)], [], []),
            AccessPinned e => ([new PinAccessPages(e.AccessId, e.Iova, e.Length, e.Write, e.PinId)], [], e.Pinned),
            AccessUnpinned e => ([new UnpinAccessPages(e.AccessId, e.PinId)], [], []),
            AccessDestroyed e => ([new DestroyAccess(e.AccessId)], [], []),
            _ => ObjectEventCommands.TryOf(change)
                ?? throw new JournalFormatException($"no way is known to apply {change.GetType().Name}"),
        };

    private static IoasCopy Copy(AreasCopied e) =>
        new()
        {
            Flags = (IoasMapFlags)e.Flags | IoasMapFlags.FixedIova,
            DstIoasId = e.DstIoasId,
            SrcIoasId = e.SrcIoasId,
            Length = e.Length,
            DstIova = e.DstIova,
            SrcIova = e.SrcIova,
        };

    private static Option HugePages(LargePagesSet e) =>
        new()
        {
            OptionId = OptionId.HugePages,
            Op = OptionOp.Set,
            ObjectId = e.IoasId,
            Val64 = e.Enabled ? 1ul : 0,
        };

    private static void AddDevice(HostMachine machine, DeviceBound e)
    {
        var reserved = new List<IovaRange>();
        for (var i = 7; i + 1 < e.Traits.Length; i += 2)
        {
            reserved.Add(new IovaRange(e.Traits[i], e.Traits[i + 1]));
        }

        machine.RemoveDevice(e.Name);
        machine.AddDevice(
            new DeviceTraits(
                e.Name,
                (int)(uint)e.Traits[0],
                new IommuTraits(
                    (int)(uint)e.Traits[1],
                    (IoPageTableFormat)(int)e.Traits[2],
                    new IovaRange(e.Traits[3], e.Traits[4])
                ),
                reserved,
                e.Traits[5] != 0,
                (uint)e.Traits[6]
            )
        );
    }
}
