using Iommufd.Core.Context;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>One question to one participant.</summary>
public sealed class FlowAsk(Participant to, FlowRequest request)
{
    /// <summary>Who is asked.</summary>
    public Participant To { get; } = to;

    /// <summary>What is asked.</summary>
    public FlowRequest Request { get; } = request;

    /// <summary>The answer; null until it is there.</summary>
    public FlowResponse? Response { get; internal set; }

    /// <summary>The step number it was sent under.</summary>
    internal int Step { get; set; } = -1;
}

/// <summary>What a flow waits for: answers (one or several asked at the same time), or a lock.</summary>
public sealed class FlowWait
{
    // Nearly every wait is for one answer: that one needs no list.
    private readonly FlowAsk? _only;
    private readonly IReadOnlyList<FlowAsk>? _several;

    private FlowWait(FlowAsk? only, IReadOnlyList<FlowAsk>? several, FlowLock? flowLock, bool exclusive)
    {
        _only = only;
        _several = several;
        Lock = flowLock;
        Exclusive = exclusive;
        Outstanding = AskCount;
    }

    /// <summary>Number of questions; 0 for a lock.</summary>
    public int AskCount => _only is null ? _several?.Count ?? 0 : 1;

    /// <summary>A question, by its place from 0.</summary>
    public FlowAsk Ask(int index) => _only ?? _several![index];

    /// <summary>The answer to the only question.</summary>
    public FlowResponse Response => Ask(0).Response!;

    /// <summary>The lock wanted, or null.</summary>
    internal FlowLock? Lock { get; }

    /// <summary>How the lock is wanted.</summary>
    internal bool Exclusive { get; }

    /// <summary>Answers still missing.</summary>
    internal int Outstanding { get; set; }

    /// <summary>Waits for one answer.</summary>
    public static FlowWait For(ParticipantKind kind, uint id, FlowRequest request) =>
        new(new FlowAsk(new Participant(kind, id), request), null, null, false);

    /// <summary>Waits for several answers; the questions go out together.</summary>
    public static FlowWait ForAll(IReadOnlyList<FlowAsk> asks) => new(null, asks, null, false);

    /// <summary>Waits for a lock.</summary>
    public static FlowWait ForLock(FlowLock flowLock, bool exclusive) => new(null, null, flowLock, exclusive);

    /// <summary>The answer to the only question, as what it is.</summary>
    public T As<T>()
        where T : FlowResponse => (T)Response;
}
