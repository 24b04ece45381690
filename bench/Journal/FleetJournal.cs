using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Host;
using Iommufd.Persistence;

namespace Iommufd.Bench.Journal;

/// <summary>The journal of many VMs with devices, made by the sequential model one VM after the other.</summary>
internal static class FleetJournal
{
    private const int Devices = 8;
    private const int Areas = 8;
    private const ulong Memory = 0x10_0000_0000;
    private const ulong AreaLength = 2ul << 20;

    /// <summary>Writes it.</summary>
    /// <param name="path">The file, which is not there yet.</param>
    /// <param name="contexts">How many VMs.</param>
    public static void Write(string path, int contexts)
    {
        using var journal = JournalWriter.Create(path);
        for (var number = 1; number <= contexts; number++)
        {
            var stream = FormattableString.Invariant($"iommufd-{number}");
            foreach (var change in Vm(number))
            {
                journal.Append(stream, change);
            }
        }

        journal.Complete();
    }

    private static List<ContextEvent> Vm(int number)
    {
        var machine = new HostMachine();
        machine.AddIommu(new IommuSpec(0, "amd-v1", new IovaRange(0, (1ul << 48) - 1)));
        var caller = machine.StartProcess(new ProcessSpec("vm"));
        caller.Memory.Map(
            Memory,
            Areas * AreaLength,
            MemoryKind.Huge2M,
            MemoryProtection.Read | MemoryProtection.Write,
            populate: false,
            out _
        );
        var context = new SequentialContext(machine, number);
        List<ContextEvent> events =
        [
            new ContextOpened(EventTypes.Version, number, caller.ProcessId),
            new ProcessSeen(caller.ProcessId, ulong.MaxValue, CapIpcLock: true, CapSysResource: true),
        ];
        var ioas = ((IoasAlloc)Ok(context.Execute(caller, new IoasAlloc()))).OutIoasId;
        for (var area = 0ul; area < Areas; area++)
        {
            Ok(context.Execute(caller, Map(ioas, area)));
        }

        for (var device = 0; device < Devices; device++)
        {
            var name = FormattableString.Invariant($"vf-{number}-{device}");
            machine.AddDevice(new DeviceSpec(name, device, 0, [new IovaRange(0xfee0_0000, 0xfeef_ffff)]));
            Ok(context.Execute(caller, new BindDevice(name)));
        }

        foreach (var device in context.Core.Objects.Live.OfType<DeviceObject>().ToList())
        {
            Ok(context.Execute(caller, new AttachDevice(device.Id, ioas)));
        }

        for (var area = 0ul; area < Areas; area += 2)
        {
            var map = Map(ioas, area);
            Ok(
                context.Execute(
                    caller,
                    new IoasUnmap
                    {
                        IoasId = ioas,
                        Iova = map.Iova,
                        Length = map.Length,
                    }
                )
            );
            Ok(context.Execute(caller, map));
        }

        events.AddRange(context.Events);
        var state = (DescribeContextFlow)context.Run(new DescribeContextFlow(context.Core, caller, withText: false));
        events.Add(new DigestRecorded(state.Digest));
        events.Add(new ContextClosed(context.Close(caller)));
        return events;
    }

    private static IoasMap Map(uint ioas, ulong area) =>
        new()
        {
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            IoasId = ioas,
            UserVa = Memory + (area * AreaLength),
            Length = AreaLength,
            Iova = 0x1_0000_0000 + (area * AreaLength),
        };

    private static IoctlCommand Ok(IoctlResult result) =>
        result.IsOk
            ? result.WriteBack!
            : throw new InvalidOperationException($"a command of the benchmark's VM ended with {result.Errno}");
}
