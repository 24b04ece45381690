using Akka.Actor;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;
using Xunit;

namespace Iommufd.Actors.Tests;

/// <summary>
/// Any actor of a flow may die at any step: the client gets its answer or an errno, no area stays half mapped, pins balance.
/// Each case runs a sequence once to count the steps, then again for each step, dying there.
/// </summary>
public sealed class CrashTests : HostFixture
{
    private const ulong Iova = 0x100000;

    public static TheoryData<string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool>();
            foreach (var flow in new[] { "map", "unmap", "attach", "replace", "detach", "pin" })
            {
                cases.Add(flow, false);
                cases.Add(flow, true);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_participant_that_dies_once_at_any_step_costs_nothing(string flow, bool afterTheStep)
    {
        var hook = new CrashHook();
        Start(hook);
        var steps = RunCounted(flow, hook);
        Assert.True(steps > 0);
        for (var at = 1; at <= steps; at++)
        {
            hook.Arm(at, afterTheStep, times: 1);
            var errno = Run(flow);
            FlushMemory();
            Assert.True(hook.Fired, $"step {at} of {steps} was not reached");
            Assert.Equal(Errno.OK, errno);
            hook.Disarm();
            Check();
            CleanUp();
        }

        CloseAndCheck();
    }

    [Theory]
    [InlineData("map")]
    [InlineData("unmap")]
    [InlineData("attach")]
    public void A_participant_that_is_killed_between_two_steps_goes_on(string flow)
    {
        var hook = new CrashHook();
        Start(hook);
        var steps = RunCounted(flow, hook);
        for (var at = 1; at <= steps; at++)
        {
            hook.KillAt(at, participant => KillActorOf(participant));
            Assert.Equal(Errno.OK, Run(flow));
            FlushMemory();
            Assert.True(hook.Fired, $"step {at} of {steps} was not reached");
            hook.Disarm();
            Check();
            CleanUp();
        }

        CloseAndCheck();
    }

    [Theory]
    [InlineData("map")]
    [InlineData("unmap")]
    [InlineData("attach")]
    public void The_contexts_own_actor_dies_at_any_step_and_the_client_still_gets_its_answer(string flow)
    {
        var hook = new CrashHook();
        Start(hook);
        var steps = RunCounted(flow, hook);
        for (var at = 1; at <= steps; at++)
        {
            hook.KillAt(at, _ => Iommufd.Tell(new CrashContext()));
            Assert.Equal(Errno.OK, Run(flow));
            FlushMemory();
            Assert.True(hook.Fired, $"step {at} of {steps} was not reached");
            hook.Disarm();
            Check();
            CleanUp();
        }

        CloseAndCheck();
    }

    private uint Ioas { get; set; }

    private uint Other { get; set; }

    private uint Nic { get; set; }

    private uint Disk { get; set; }

    private uint Access { get; set; }

    private int RunCounted(string flow, CrashHook hook)
    {
        Ioas = AllocIoas();
        Other = AllocIoas();
        Nic = Bind("nic");
        Disk = Bind("disk");
        Access = Ok(new CreateAccess(Ioas, NeedsPinPages: true)).OutAccessId;
        Ok(new AttachDevice(Nic, Ioas));
        Assert.Equal(Errno.OK, Run(flow, hook.StartCounting));
        FlushMemory();
        var steps = hook.StopCounting();
        CleanUp();
        return steps;
    }

    /// <summary>Brings the context to where the flow begins, then runs the flow alone.</summary>
    private Errno Run(string flow, Action? beforeTheFlow = null)
    {
        var hookWas = Pause();
        if (flow != "map")
        {
            Ok(MapAt(Ioas, Iova));
        }

        if (flow is "replace" or "detach")
        {
            Ok(new AttachDevice(Disk, Ioas));
        }

        Resume(hookWas);
        beforeTheFlow?.Invoke();
        return flow switch
        {
            "map" => Call(MapAt(Ioas, Iova)).Errno,
            "unmap" => Call(Unmap(Ioas)).Errno,
            "attach" => AttachToNewHwpt(),
            "replace" => Call(new ReplaceDevice(Disk, Other)).Errno,
            "detach" => Call(new DetachDevice(Disk)).Errno,
            "pin" => Call(new PinAccessPages(Access, Iova, 0x2000, Write: true)).Errno,
            _ => throw new ArgumentException(flow, nameof(flow)),
        };
    }

    private Errno AttachToNewHwpt()
    {
        var made = Call(new HwptAlloc { DevId = Disk, PtId = Ioas });
        return made.Errno != Errno.OK
            ? made.Errno
            : Call(new AttachDevice(Disk, ((HwptAlloc)made.WriteBack!).OutHwptId)).Errno;
    }

    private void CleanUp()
    {
        Call(new DetachDevice(Disk));
        Call(Unmap(Ioas));
        Call(Unmap(Other));
    }

    private static IoasUnmap Unmap(uint ioas) =>
        new()
        {
            IoasId = ioas,
            Iova = 0,
            Length = ulong.MaxValue,
        };

    // What wants no answer may still be under way when the client has its own: the memory answers after it.
    private void FlushMemory()
    {
        Memory.Tell(new UnmapMemory(0, 0), TestActor);
        ExpectMsg<HostResult>();
    }

    // Told, not looked up: the hook runs inside the actor that is to die.
    private void KillActorOf(Participant participant)
    {
        if (participant.Kind == ParticipantKind.Memory)
        {
            Memory.Tell(Kill.Instance);
            return;
        }

        var name = $"{participant.Kind.ToString().ToLowerInvariant()}-{participant.Id}";
        Sys.ActorSelection($"/user/iommufd-1/{name}").Tell(Kill.Instance);
    }

    private CrashHook Pause()
    {
        var hook = (CrashHook)Host.Options.StepHook!;
        hook.Paused = true;
        return hook;
    }

    private static void Resume(CrashHook hook) => hook.Paused = false;
}
