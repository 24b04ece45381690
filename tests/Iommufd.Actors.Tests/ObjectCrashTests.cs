using System.Text.RegularExpressions;
using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Actors.Tests;

/// <summary>
/// Any participant may die before or after any step of the flows around nesting, faults, virtual IOMMUs, files and dirty pages, and the
/// context's own actor at any of them: the client gets the same answer, and the state is the same, as if nobody had died. Each run
/// has a context of its own.
/// </summary>
public sealed partial class ObjectCrashTests : HostFixture
{
    private const ulong Iova = 0x0100_0000;
    private const ulong Scratch = Buffer + 0x8_0000;

    private enum Death
    {
        BeforeTheStep,
        AfterTheStep,
        OfTheContext,
    }

    public static TheoryData<string> Names => [.. Scenes.Keys.Order(StringComparer.Ordinal)];

    // What sets the scene, and gives the command during which somebody dies.
    private static Dictionary<string, Func<ObjectCrashTests, IoctlCommand>> Scenes { get; } =
        new(StringComparer.Ordinal)
        {
            ["hwpt with a fault queue"] = t => t.FaultHwpt(),
            ["page fault"] = t => t.Fault(),
            ["fault read"] = t => t.After(t.Fault(), new ReadFaultQueue(t._fault, Scratch, 400)),
            ["fault answer"] = t => t.Respond(),
            ["faults dropped by a replace"] = t => t.After(t.Fault(), t.ReplaceBy(t._ioas)),
            ["nested attach"] = t => t.ReplaceBy(t.NestedBehindViommu()),
            ["vdevice"] = t => t.Vdevice(t.Viommu()),
            ["vdevice destroy"] = t => new Destroy { Id = t.Ok(t.Vdevice(t.Viommu())).OutVdeviceId },
            ["device with a vdevice destroyed"] = t => t.After(t.Vdevice(t.Viommu()), new Destroy { Id = t._stdev }),
            ["veventq"] = t => t.Veventq(),
            ["veventq destroy"] = t => t.ClosedVeventq(),
            ["event"] = t => t.Event(),
            ["event read"] = t => t.After(t.Event(), new ReadVeventq(t._veventq, Scratch, 100)),
            ["hardware queue"] = t => t.HwQueue(),
            ["hardware queue destroy"] = t => new Destroy { Id = t.Ok(t.HwQueue()).OutHwQueueId },
            ["pasid attach"] = t => t.AttachPasid(),
            ["pasid replace"] = t => t.ReplacePasid(),
            ["pasid detach"] = t => t.After(t.AttachPasid(), new TestPasidDetach { StdevId = t._stdev, Pasid = 5 }),
            ["nested invalidation"] = t => t.Invalidate(t.Ok(t.Nested(t.Parent())).OutHwptId, 8, 0, 1),
            ["vIOMMU invalidation"] = t => t.InvalidateViommu(),
            ["dirty tracking"] = t => new HwptSetDirtyTracking { HwptId = t.Tracking(on: false), Flags = 1 },
            ["dirty marks"] = t => t.MarkDirty(),
            ["dirty read"] = t => t.After(t.MarkDirty(), t.ReadDirty()),
            ["file"] = t => t.MapFile(),
            ["process change"] = t => t.After(t.MapFile(), new IoasChangeProcess()),
            ["dma-buf revoked"] = t => t.Revoke(),
            ["copy"] = t => t.Copy(),
            ["cut and unmap"] = t => t.CutAndUnmap(),
            ["access moves"] = t => t.MoveAccess(),
            ["access ends"] = t => t.After(t.Pin(), new DestroyAccess(t._access)),
            ["unmap under a pin"] = t => t.After(t.Pin(), t.UnmapAll()),
            ["entry policy"] = t => t.Policy(),
            ["entries split"] = t => new ResizeEntries(t.Tracking(on: false), Iova, 0x4000, 0x1000, Merge: false),
            ["shared table attach"] = t => t.AttachShared(),
            ["vfio attach"] = t => t.VfioAttach(),
            ["vfio replace"] = t => t.After(t.VfioAttach(), t.VfioAttachTo(t.AllocIoas())),
            ["vfio pasid"] = t => t.VfioPasid(),
            ["vfio detach"] = t =>
                t.After(t.VfioAttach(), new VfioDeviceDetachIommufdPt { Descriptor = t._cdev, ArgSz = 8 }),
            ["vfio close"] = t => t.After(t.VfioPasid(), new UnbindVfioDevice(t._idev)),
            ["hwpt destroy"] = t => new Destroy { Id = t.Tracking(on: true) },
            ["ioas destroy"] = t => t.LoneIoas(),
        };

    [Theory]
    [MemberData(nameof(Names))]
    public void Whoever_dies_in_it_the_command_ends_as_if_nobody_had(string name)
    {
        var hook = new CrashHook();
        Start(hook);
        var (expected, steps) = Play(name, hook, hook.StartCounting);
        Assert.True(steps > 0, "the command asks nobody anything");
        for (var at = 1; at <= steps; at++)
        {
            foreach (var death in Enum.GetValues<Death>())
            {
                var step = at;
                var (seen, _) = Play(name, hook, () => Arm(hook, step, death));
                Assert.True(expected == seen, $"{death} {at} of {steps}: {seen}\nbut was\n{expected}");
            }
        }
    }

    private void Arm(CrashHook hook, int step, Death death)
    {
        if (death == Death.OfTheContext)
        {
            hook.KillAt(step, _ => Iommufd.Tell(new CrashContext()));
        }
        else
        {
            hook.Arm(step, death == Death.AfterTheStep, times: 1);
        }
    }

    // The whole outcome as text: result, state, pins.
    private (string Outcome, int Steps) Play(string name, CrashHook hook, Action begin)
    {
        hook.Disarm();
        hook.Paused = true;
        Reopen();
        var command = Scenes[name](this);
        hook.Paused = false;
        begin();
        var result = Call(command);
        Memory.Tell(new UnmapMemory(0, 0), TestActor);
        ExpectMsg<HostResult>();
        var steps = hook.StopCounting();
        hook.Paused = true;
        Assert.Equal(Errno.OK, result.Errno);
        Iommufd.Tell(new QueryDigest(WithText: true), TestActor);
        var state = string.Join('\n', ExpectMsg<StateDigest>().Lines);
        var outcome = $"{result.ReturnValue} {result.WriteBack}\npins {Host.State.Physical.TotalPins}\n{state}";
        CloseCdev();
        CloseAndCheck();
        return (Anonymous(outcome), steps);
    }

    // Frames and descriptors are numbered as they come in the text: files and queues of the runs before are there still.
    private static string Anonymous(string outcome)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        return Number()
            .Replace(
                ContextNumber().Replace(outcome, "mock-"),
                match =>
                {
                    numbers.TryAdd(match.Value, numbers.Count);
                    return $"#{numbers[match.Value]}";
                }
            );
    }

    // Mock devices are named after their context.
    [GeneratedRegex(@"mock-\d+-")]
    private static partial Regex ContextNumber();

    [GeneratedRegex(@"pfn:[0-9a-f]+|(Fd|Descriptor|Iommufd) = \d+")]
    private static partial Regex Number();
}
