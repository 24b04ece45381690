using System.Diagnostics;
using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Bench.Journal;
using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Iommufd.Persistence;

namespace Iommufd.Bench.Flow;

/// <summary>
/// The product's own path: ioctls through clients, contexts, participants and the journal; the cost of a MAP as an IOAS grows; a large
/// MAP to many domains; DMA with its IOTLB and checks. Peers are limits measured in the same run.
/// </summary>
public static class FlowBenchmarks
{
    private const int Contexts = 64;
    private const int InFlight = 8;
    private const MemoryProtection Protection = MemoryProtection.Read | MemoryProtection.Write;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Runs all of them: about a minute.</summary>
    public static IEnumerable<BenchRow> Run()
    {
        var folder = Directory.CreateDirectory(
            Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), Path.GetRandomFileName())
        );
        try
        {
            var plain = PlainInserts.EventsPerSecond(Path.Combine(folder.FullName, "plain.db"), 300_000, 1_000, 1);
            yield return MapUnmap(folder, "no domain, no journal", domain: false, Durability.Memory, plain);
            yield return MapUnmap(folder, "no domain, group journal", domain: false, Durability.Group, plain);
            yield return MapUnmap(folder, "one domain, no journal", domain: true, Durability.Memory, plain);
            yield return MapUnmap(folder, "one domain, group journal", domain: true, Durability.Group, plain);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        foreach (var row in GrowingIoas())
        {
            yield return row;
        }

        yield return LargeMap();
        yield return Dma();
    }

    private static BenchRow MapUnmap(
        DirectoryInfo folder,
        string name,
        bool domain,
        Durability durability,
        double plainInserts
    )
    {
        const int Pairs = 2_000;
        var hocon =
            "akka { loglevel = WARNING }\n"
            + JournalSettings.ToHocon(Path.Combine(folder.FullName, name + ".db"), durability);
        using var system = ActorSystem.Create("bench", hocon);
        var host = SimulatedHost.Start(system, new HostOptions { Journal = durability != Durability.Memory });
        host.State.AddIommu(new IommuSpec(0, "amd-v1", IovaRange.All));
        var clients = new IActorRef[Contexts];
        var done = Collect(system, out var observer);
        for (var i = 0; i < Contexts; i++)
        {
            var device = FormattableString.Invariant($"dev-{i}");
            host.Machine.Tell(new AddDevice(new DeviceSpec(device, i, 0, [])));
            var plan = new FlowClientPlan(host.Machine, domain ? device : null, InFlight);
            var reports = observer;
            clients[i] = system.ActorOf(Props.Create(() => new FlowClient(plan, reports)));
        }

        Wait(done);
        Round(system, clients, Pairs / 4);
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < 3; round++)
        {
            Round(system, clients, Pairs);
        }

        var perSecond = Contexts * Pairs * 3 * 2 / clock.Elapsed.TotalSeconds;
        Wait(system.Terminate());
        return new BenchRow(
            "flow",
            $"MAP and UNMAP of 4K, 64 contexts, {name}",
            "ioctls/s",
            Math.Round(perSecond),
            "plain prepared inserts, same run",
            Math.Round(plainInserts),
            Math.Round(perSecond / plainInserts, 2)
        );
    }

    private static void Round(ActorSystem system, IActorRef[] clients, int pairs)
    {
        var done = Collect(system, out var observer);
        foreach (var client in clients)
        {
            client.Tell(new DoPairs(pairs), observer);
        }

        Wait(done);
    }

    private static Task<bool> Collect(ActorSystem system, out IActorRef observer)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        observer = system.ActorOf(Props.Create(() => new FlowObserver(Contexts, done)));
        return done.Task;
    }

    // The rules alone, without actors: what a MAP and an UNMAP cost when the IOAS has so many areas already.
    internal static IEnumerable<BenchRow> GrowingIoas()
    {
        var machine = new HostMachine();
        var caller = machine.StartProcess(new ProcessSpec("bench"));
        var context = new SequentialContext(machine, 1);
        Do(context, caller, new IoasAlloc());
        caller.Memory.Map(null, HostPage.Size, MemoryKind.Anonymous, Protection, populate: false, out var memory);
        double least = 0;
        ulong areas = 0;
        foreach (var size in new ulong[] { 1_000, 10_000, 100_000, 1_000_000 })
        {
            for (; areas < size; areas++)
            {
                Do(context, caller, Map(memory, (16ul << 20) + (areas * 2 * HostPage.Size)));
                context.Events.Clear();
            }

            var nanoseconds = PairCost(context, caller, memory, areas);
            least = least == 0 ? nanoseconds : least;
            yield return new BenchRow(
                "flow",
                FormattableString.Invariant($"MAP and UNMAP in an IOAS of {size} areas, a pair"),
                "ns",
                Math.Round(nanoseconds),
                "the same at 1000 areas",
                Math.Round(least),
                Math.Round(nanoseconds / least, 2)
            );
        }
    }

    private static double PairCost(SequentialContext context, Caller caller, ulong memory, ulong areas)
    {
        const int Pairs = 20_000;
        var best = double.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var at = 0ul;
            var clock = Stopwatch.StartNew();
            for (var i = 0; i < Pairs; i++)
            {
                // Between two areas somewhere: a step that has no factor in common with any number of areas used here.
                at = (at + 7_368_787) % areas;
                var iova = (16ul << 20) + (((at * 2) + 1) * HostPage.Size);
                Do(context, caller, Map(memory, iova));
                Do(
                    context,
                    caller,
                    new IoasUnmap
                    {
                        IoasId = 1,
                        Iova = iova,
                        Length = HostPage.Size,
                    }
                );
            }

            best = Math.Min(best, clock.Elapsed.TotalNanoseconds / Pairs);
            context.Events.Clear();
        }

        return best;
    }

    private static BenchRow LargeMap()
    {
        const ulong Tebibyte = 1ul << 40;
        const int Domains = 8;
        var machine = new HostMachine();
        machine.AddIommu(new IommuSpec(0, "amd-v1", IovaRange.All));
        machine.AddDevice(new DeviceSpec("dev", 0, 0, []));
        var caller = machine.StartProcess(new ProcessSpec("bench"));
        var context = new SequentialContext(machine, 1);
        Do(context, caller, new IoasAlloc());
        var device = (BindDevice)Do(context, caller, new BindDevice("dev")).WriteBack!;
        for (var i = 0; i < Domains; i++)
        {
            Do(context, caller, new HwptAlloc { DevId = device.OutDeviceId, PtId = 1 });
        }

        var mapped = caller.Memory.Map(null, Tebibyte, MemoryKind.Huge2M, Protection, populate: true, out var memory);
        if (mapped != Errno.OK)
        {
            throw new InvalidOperationException($"a tebibyte of memory is not to be had: {mapped}");
        }

        var best = double.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            var map = new IoasMap
            {
                IoasId = 1,
                Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
                UserVa = memory,
                Length = Tebibyte,
                Iova = Tebibyte,
            };
            var clock = Stopwatch.StartNew();
            Do(context, caller, map);
            best = Math.Min(best, clock.Elapsed.TotalMilliseconds);
            Do(
                context,
                caller,
                new IoasUnmap
                {
                    IoasId = 1,
                    Iova = Tebibyte,
                    Length = Tebibyte,
                }
            );
        }

        return new BenchRow(
            "flow",
            "MAP 1 TiB of 2M pages to 8 domains",
            "ms",
            Math.Round(best),
            "a second",
            1000,
            best / 1000
        );
    }

    private static BenchRow Dma()
    {
        const int Transfers = 1 << 20;
        var machine = new HostMachine();
        var pages = 4096ul;
        using var table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        for (ulong page = 0; page < pages; page++)
        {
            var pfn = machine.Physical.AllocatePage();
            machine.Physical.Pin(pfn);
            table.Map(page * HostPage.Size, pfn.Address, HostPage.Size, IoptePermissions.Read | IoptePermissions.Write);
        }

        var engine = new DmaEngine(new Iotlb(IotlbGeometry.Default), 1, machine.PinOracle);
        engine.Attach(table);
        var ring = new DmaPattern(DmaPatternKind.Ring, new IovaRange(0, (pages * HostPage.Size) - 1), 2048);
        var best = double.MaxValue;
        for (var round = 0; round < 7; round++)
        {
            var clock = Stopwatch.StartNew();
            var report = engine.Run(ring, Transfers);
            best = Math.Min(best, clock.Elapsed.TotalSeconds / report.Translations);
        }

        if (engine.Totals.Faults > 0 || engine.Totals.Violations > 0)
        {
            throw new InvalidOperationException("the benchmark's DMA faulted");
        }

        return new BenchRow(
            "flow",
            "DMA translations of a ring of 2 KiB blocks over 16 MiB, IOTLB and checks on, one core",
            "1/s",
            Math.Round(1 / best),
            "50 million a second",
            50_000_000,
            Math.Round(1 / best / 50_000_000, 2)
        );
    }

    private static IoasMap Map(ulong memory, ulong iova) =>
        new()
        {
            IoasId = 1,
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            UserVa = memory,
            Length = HostPage.Size,
            Iova = iova,
        };

    private static IoctlResult Do(SequentialContext context, Caller caller, IoctlCommand command)
    {
        var result = context.Execute(caller, command);
        return result.IsOk
            ? result
            : throw new InvalidOperationException(
                $"the benchmark's {command.GetType().Name} ended with {result.Errno}"
            );
    }

    private static void Wait(Task task)
    {
        if (!((IAsyncResult)task).AsyncWaitHandle.WaitOne(Limit))
        {
            throw new TimeoutException($"The flows did not finish within {Limit}.");
        }
    }
}
