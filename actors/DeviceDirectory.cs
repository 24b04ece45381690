using Akka.Actor;
using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

/// <summary>
/// Where the physical devices are: HWPTs and DEVICEs talk to them directly, so that the machine is no bottleneck. Thread-safe.
/// </summary>
/// <param name="machine">The machine, which holds the index.</param>
public sealed class DeviceDirectory(HostMachine machine)
{
    /// <summary>A device's actor, which lives on when the device is pulled out; null where there never was one.</summary>
    public IActorRef? Find(string name) => (IActorRef?)machine.HardwareOf(name);

    /// <summary>A device has appeared.</summary>
    internal void Add(string name, IActorRef device) => machine.SetHardware(name, device);
}

/// <summary>HWPT → device: forget what a range of a page table gave, then count yourself off the round. May come twice.</summary>
/// <param name="HwptId">Whose table.</param>
/// <param name="Range">Addresses that the table translates.</param>
/// <param name="Round">Counts the devices that still have to confirm.</param>
/// <param name="Place">The device's place in the round.</param>
/// <param name="Step">The step that it belongs to.</param>
internal sealed record InvalidateTable(uint HwptId, IovaRange Range, InvalidationRound Round, int Place, FlowStep Step);

/// <summary>DEVICE → physical device: forget what your IOTLB holds of a nested HWPT, then tell somebody something.</summary>
/// <param name="Pasid">The address space; null for all.</param>
/// <param name="Ranges">Addresses as the guest knows them.</param>
/// <param name="ReplyTo">Who is told.</param>
/// <param name="Answer">What is told.</param>
internal sealed record ForgetNested(uint? Pasid, IReadOnlyList<IovaRange> Ranges, IActorRef ReplyTo, FlowReply Answer);

/// <summary>DEVICE → physical device: the response to a page request.</summary>
/// <param name="GroupId">The request's group.</param>
/// <param name="Success">Whether to try again.</param>
internal sealed record PageResponse(uint GroupId, bool Success);

/// <summary>
/// One invalidation on its way to several devices: the last to confirm sends the answer. Shared between actors; only the counter
/// and the marks change. A device that confirms twice counts once.
/// </summary>
internal sealed class InvalidationRound(int devices, IActorRef replyTo, FlowReply answer)
{
    private readonly int[] _confirmed = new int[devices];
    private int _left = devices;

    public bool IsOver => Volatile.Read(ref _left) == 0;

    public bool HasConfirmed(int place) => Volatile.Read(ref _confirmed[place]) != 0;

    // Interlocked: the last device to count off is one only, and it sees everything the others did before they counted.
    public void Confirm(int place)
    {
        if (Interlocked.Exchange(ref _confirmed[place], 1) == 0 && Interlocked.Decrement(ref _left) == 0)
        {
            replyTo.Tell(answer);
        }
    }
}

/// <summary>DEVICE → physical device: switch your translation, then tell somebody something.</summary>
/// <param name="Pasid">0 for its own requests.</param>
/// <param name="Root">The new translation, null to block.</param>
/// <param name="Owner">Who is told about faults from now on.</param>
/// <param name="ReplyTo">Who is told.</param>
/// <param name="Answer">What is told.</param>
internal sealed record SwitchDma(
    uint Pasid,
    ITranslationRoot? Root,
    DmaOwner Owner,
    IActorRef ReplyTo,
    FlowReply Answer
);
