using System.Diagnostics;
using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Bench.Flow;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Bench.Scale;

/// <summary>
/// Whether a device costs the same in a small fleet and in a large one: processor time and live memory of binding and attaching it,
/// through actors, from a thousand devices to a million; and what a MAP costs as its IOAS grows.
/// </summary>
public static class ScaleBenchmarks
{
    private const string Area = "scale";
    private const int DevicesOfAContext = 100;
    private const int Smallest = 1_000;
    private const double WantedPerSecond = 50_000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    // The smaller a fleet, the more often: so that each size is measured over the same number of devices, as far as time allows.
    private static readonly (int Devices, int Rounds)[] Sizes =
    [
        (Smallest, 30),
        (10_000, 10),
        (100_000, 3),
        (1_000_000, 1),
    ];

    /// <summary>Runs all of them: some minutes.</summary>
    public static IEnumerable<BenchRow> Run()
    {
        // The code is compiled, and compiled again, before anything is measured.
        for (var i = 0; i < 20; i++)
        {
            Fleet(Smallest);
        }

        FleetCost? least = null;
        foreach (var (devices, rounds) in Sizes)
        {
            var cost = Enumerable.Range(0, rounds).Select(_ => Fleet(devices)).MinBy(c => c.ProcessorNanoseconds)!;
            least ??= cost;
            yield return Row(devices, "processor time", "ns", cost.ProcessorNanoseconds, least.ProcessorNanoseconds);
            yield return Row(devices, "live memory", "bytes", cost.Bytes, least.Bytes);
            yield return Rate(devices, "attached", cost.UpPerSecond);
            yield return Rate(devices, "closed", cost.DownPerSecond);
        }

        foreach (var row in FlowBenchmarks.GrowingIoas())
        {
            yield return row with
            {
                Area = Area,
            };
        }
    }

    private static BenchRow Row(int devices, string what, string unit, double value, double least) =>
        new(
            Area,
            FormattableString.Invariant($"bind and attach {devices} devices, {what} a device"),
            unit,
            Math.Round(value),
            FormattableString.Invariant($"the same of {Smallest} devices"),
            Math.Round(least),
            Math.Round(value / least, 2)
        );

    private static BenchRow Rate(int devices, string what, double perSecond) =>
        new(
            Area,
            FormattableString.Invariant($"{devices} devices {what}"),
            "devices/s",
            Math.Round(perSecond),
            "50,000 a second",
            WantedPerSecond,
            Math.Round(perSecond / WantedPerSecond, 2)
        );

    private static FleetCost Fleet(int devices)
    {
        using var system = ActorSystem.Create("scale", "akka { loglevel = WARNING }");
        var bytes = GC.GetTotalMemory(forceFullCollection: true);
        var processor = Environment.CpuUsage.TotalTime;
        var host = SimulatedHost.Start(system, new HostOptions());
        host.State.AddIommu(new IommuSpec(0, "amd-v1", IovaRange.All));
        IovaRange[] reserved = [new(0xfee0_0000, 0xfeef_ffff)];
        var made = Collect(system, devices, out var observer);
        for (var i = 0; i < devices; i++)
        {
            host.Machine.Tell(new AddDevice(new DeviceSpec(ScaleClient.DeviceName(i), i, 0, reserved)), observer);
        }

        Wait(made);
        var clients = devices / DevicesOfAContext;
        var up = Collect(system, clients, out observer);
        var desk = system.ActorOf(Props.Create(() => new ScaleDesk()));
        desk.Tell(observer, ActorRefs.NoSender);
        var clock = Stopwatch.StartNew();
        var actors = new IActorRef[clients];
        for (var i = 0; i < clients; i++)
        {
            var plan = new ScaleClientPlan(host.Machine, i * DevicesOfAContext, DevicesOfAContext);
            actors[i] = system.ActorOf(Props.Create(() => new ScaleClient(plan, desk)));
        }

        Wait(up);
        var upSeconds = clock.Elapsed.TotalSeconds;
        var used = Environment.CpuUsage.TotalTime - processor;
        bytes = GC.GetTotalMemory(forceFullCollection: true) - bytes;

        var down = Collect(system, clients, out observer);
        desk.Tell(observer, ActorRefs.NoSender);
        clock.Restart();
        foreach (var client in actors)
        {
            client.Tell(new CloseScaleClient(), ActorRefs.NoSender);
        }

        var leaked = Wait(down);
        var downSeconds = clock.Elapsed.TotalSeconds;
        Wait(system.Terminate().ContinueWith(_ => 0, TaskScheduler.Default));
        return leaked == 0
            ? new FleetCost(
                used.TotalNanoseconds / devices,
                (double)bytes / devices,
                devices / upSeconds,
                devices / downSeconds
            )
            : throw new InvalidOperationException($"closing left {leaked} objects");
    }

    private static Task<int> Collect(ActorSystem system, int expected, out IActorRef observer)
    {
        var done = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        observer = system.ActorOf(Props.Create(() => new ScaleObserver(expected, done)));
        return done.Task;
    }

    private static int Wait(Task<int> task) =>
        ((IAsyncResult)task).AsyncWaitHandle.WaitOne(Limit)
            ? task.GetAwaiter().GetResult()
            : throw new TimeoutException($"The fleet did not get there within {Limit}.");

    private sealed record FleetCost(
        double ProcessorNanoseconds,
        double Bytes,
        double UpPerSecond,
        double DownPerSecond
    );
}
