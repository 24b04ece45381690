// Flows: a context runs every command as a flow, a sequence of steps. Each step asks one participant (an IOAS, a HWPT,
// a device, an access, a process's memory) to do one thing to its own state, and waits for the answer. A participant
// handles one request at a time; what may overlap is decided by the context's flow locks, which stand for the kernel's.
// Read FlowEnvelope, then IoasRequests, MemoryRequests, HwptRequests, DeviceRequests, AccessRequests.
namespace Iommufd.Messages.Flows;

/// <summary>What a flow asks of a participant.</summary>
public abstract record FlowRequest;

/// <summary>A participant's answer. A participant that cannot do what was asked says so with an errno and has changed nothing.</summary>
/// <param name="Errno">OK or the reason.</param>
public record FlowResponse(Errno Errno)
{
    /// <summary>Done, nothing to tell.</summary>
    public static readonly FlowResponse Done = new(Errno.OK);

    /// <summary>Refused.</summary>
    public static FlowResponse Fail(Errno errno) => new(errno);
}

/// <summary>
/// Context → participant. Steps of one context reach a participant in the order sent, and are done in that order even if the
/// participant's actor is restarted in between; each is answered by one <see cref="FlowReply"/> where an answer is wanted.
/// </summary>
/// <param name="Context">The context's number: a memory serves several.</param>
/// <param name="Flow">The flow; unique in its context.</param>
/// <param name="Step">The step's number inside the flow.</param>
/// <param name="Request">What is asked.</param>
/// <param name="WantsReply">Whether an answer is wanted.</param>
public sealed record FlowStep(int Context, ulong Flow, int Step, FlowRequest Request, bool WantsReply);

/// <summary>Participant → context: the answer to one <see cref="FlowStep"/>.</summary>
/// <param name="Flow">From the step.</param>
/// <param name="Step">From the step.</param>
/// <param name="Response">The answer.</param>
public sealed record FlowReply(ulong Flow, int Step, FlowResponse Response);

/// <summary>The kinds of participant.</summary>
public enum ParticipantKind
{
    /// <summary>An IOAS: its IOVA map.</summary>
    Ioas,

    /// <summary>A paging HWPT: its page table.</summary>
    Hwpt,

    /// <summary>A DEVICE: its translations.</summary>
    Device,

    /// <summary>An ACCESS: its pins.</summary>
    Access,

    /// <summary>A process's memory.</summary>
    Memory,

    /// <summary>A nested HWPT: its IOTLB.</summary>
    NestedHwpt,

    /// <summary>A FAULT: its queue and the faults that wait for a response.</summary>
    Fault,

    /// <summary>A vIOMMU: its virtual devices, event queues and hardware queues by number.</summary>
    Viommu,

    /// <summary>A vDEVICE.</summary>
    Vdevice,

    /// <summary>A VEVENTQ: its events.</summary>
    Veventq,

    /// <summary>A HW_QUEUE.</summary>
    HwQueue,

    /// <summary>Another context of the machine, by its number.</summary>
    Context,
}

/// <summary>Names a participant inside a context.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Id">Object id, or the process id for <see cref="ParticipantKind.Memory"/>.</param>
public readonly record struct Participant(ParticipantKind Kind, uint Id);
