using Akka.Actor;
using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Participants;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

/// <summary>
/// Everything of a context that must outlive a restart of its actor: the core, messages not finished, who its participants are, and
/// what waits for the journal. Only the context's actor touches it.
/// </summary>
public sealed class ContextRoom
{
    /// <summary>Makes the room of a new context.</summary>
    public ContextRoom(
        int number,
        HostMachine machine,
        HostOptions options,
        DeviceDirectory devices,
        IActorRef machineActor,
        uint openedBy
    )
    {
        Number = number;
        Machine = machine;
        Options = options;
        Watchers = new RoomWatchers(this);
        Devices = devices;
        MachineActor = machineActor;
        OpenedBy = openedBy;
        Core = new ContextCore(number, machine, DetachedHost.Instance);
        Core.Engine.Faults = options.Faults;
    }

    /// <summary>The context's number.</summary>
    public int Number { get; }

    /// <summary>The machine.</summary>
    public HostMachine Machine { get; }

    /// <summary>How the host is run.</summary>
    public HostOptions Options { get; }

    /// <summary>What looks on while its participants work.</summary>
    internal RoomWatchers Watchers { get; }

    /// <summary>The physical devices.</summary>
    public DeviceDirectory Devices { get; }

    /// <summary>The machine's actor.</summary>
    public IActorRef MachineActor { get; }

    /// <summary>The process that opened it.</summary>
    public uint OpenedBy { get; }

    /// <summary>Whether it was opened as VFIO's container: locked memory is charged to the process from the start.</summary>
    public bool AsContainer { get; init; }

    /// <summary>Objects, groups, running flows.</summary>
    public ContextCore Core { get; }

    /// <summary>Messages that were received and not handled to the end; the first may have been begun.</summary>
    internal Queue<(object Message, IActorRef Sender)> Inbox { get; } = new();

    /// <summary>Commands held back while a check waits for the running ones to end.</summary>
    internal Queue<(object Message, IActorRef Sender)> Held { get; } = new();

    /// <summary>Checks, digests and the close, which run alone.</summary>
    internal Queue<(object Message, IActorRef Sender)> Alone { get; } = new();

    /// <summary>The participants' actors.</summary>
    internal ParticipantTable Children { get; } = new();

    /// <summary>Processes that the journal knows, as it knows them.</summary>
    internal SortedDictionary<uint, ProcessSeen> SeenProcesses { get; } = [];

    /// <summary>The calls of each process.</summary>
    internal SortedDictionary<int, CallLine> Calls { get; } = [];

    /// <summary>The line of <see cref="Calls"/> that was used last.</summary>
    internal (int Process, CallLine Line) LastCalls { get; set; }

    /// <summary>The process that called last, as the journal knows it.</summary>
    internal ProcessSeen? LastSeen { get; set; }

    /// <summary>The journal's actor; null without one.</summary>
    internal IActorRef? Journal { get; set; }

    /// <summary>Events given to the journal that are not durable yet, by sequence number.</summary>
    internal Queue<(long Sequence, ContextEvent Event)> Unwritten { get; } = new();

    /// <summary>Flows whose result waits for an event to be durable.</summary>
    internal Queue<(long Sequence, Flow Flow)> Outbox { get; } = new();

    /// <summary>Sequence number of the last event.</summary>
    internal long LastSequence { get; set; }

    /// <summary>Sequence number of the last durable event.</summary>
    internal long DurableSequence { get; set; }

    /// <summary>Whether a command that runs alone is running.</summary>
    internal bool RunsAlone { get; set; }

    /// <summary>Whether the last descriptor was closed, and whatever else held it open.</summary>
    internal bool Closing { get; set; }

    /// <summary>Who closed the last descriptor while VFIO devices held it open; null where that is not so.</summary>
    internal IActorRef? ClosedBy { get; set; }

    /// <summary>Crashed flows that a check has reported.</summary>
    internal int ReportedCrashes { get; set; }

    /// <summary>The digest taken when the context was closed.</summary>
    internal ulong FinalDigest { get; set; }

    // Stands in until the actor has started, and between two of its lives; nothing is sent then.
    private sealed class DetachedHost : IParticipantHost
    {
        public static readonly DetachedHost Instance = new();

        public void Open(Participant participant, IFlowParticipant state) => throw Detached();

        public void Close(Participant participant) => throw Detached();

        public void Send(Participant to, FlowStep step) => throw Detached();

        public void Committed(ContextEvent change) => throw Detached();

        public void Completed(Flow flow) => throw Detached();

        private static InvalidOperationException Detached() => new("the context's actor has not started");
    }
}
