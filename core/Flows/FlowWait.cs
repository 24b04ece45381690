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
    private FlowWait(IReadOnlyList<FlowAsk> asks, FlowLock? flowLock, bool exclusive)
    {
        Asks = asks;
        Lock = flowLock;
        Exclusive = exclusive;
        Outstanding = asks.Count;
    }

    /// <summary>The questions; empty for a lock.</summary>
    public IReadOnlyList<FlowAsk> Asks { get; }

    /// <summary>The answer to the only question.</summary>
    public FlowResponse Response => Asks[0].Response!;

    /// <summary>The lock wanted, or null.</summary>
    internal FlowLock? Lock { get; }

    /// <summary>How the lock is wanted.</summary>
    internal bool Exclusive { get; }

    /// <summary>Answers still missing.</summary>
    internal int Outstanding { get; set; }

    /// <summary>Waits for one answer.</summary>
    public static FlowWait For(ParticipantKind kind, uint id, FlowRequest request) =>
        new([new FlowAsk(new Participant(kind, id), request)], null, false);

    /// <summary>Waits for several answers; the questions go out together.</summary>
    public static FlowWait ForAll(IReadOnlyList<FlowAsk> asks) => new(asks, null, false);

    /// <summary>Waits for a lock.</summary>
    public static FlowWait ForLock(FlowLock flowLock, bool exclusive) => new([], flowLock, exclusive);

    /// <summary>The answer to the only question, as what it is.</summary>
    public T As<T>()
        where T : FlowResponse => (T)Response;
}
