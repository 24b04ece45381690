using Iommufd.Scenarios.Language;

namespace Iommufd.Scenarios.Runner;

/// <summary>Door → run: begin.</summary>
internal sealed record StartRun;

/// <summary>Door → run → clients: no new steps; finish what is under way, close, end.</summary>
internal sealed record StopRun(string Reason);

/// <summary>Run → client: begin.</summary>
internal sealed record StartClient;

/// <summary>Client → itself: a fiber goes on, after a pause or to let others in.</summary>
internal sealed record ResumeFiber(long FiberId);

/// <summary>Client → run: a fiber has come to a barrier. Answered by <see cref="BarrierOpen"/> when enough have.</summary>
internal sealed record AtBarrier(string Meeting, long Parties, long FiberId);

/// <summary>Run → client: the barrier is open.</summary>
internal sealed record BarrierOpen(long FiberId);

/// <summary>Run → client: send nothing new until <see cref="ReleaseClient"/>. Answered by <see cref="ClientHeld"/> when nothing is under way.</summary>
internal sealed record HoldClient;

/// <summary>Client → run: nothing of this client is under way, and nothing will be until it is released.</summary>
internal sealed record ClientHeld;

/// <summary>Run → client: go on.</summary>
internal sealed record ReleaseClient;

/// <summary>Client → run: time to check the invariants.</summary>
internal sealed record CheckDue;

/// <summary>Client → run: the client has ended and its context is closed.</summary>
/// <param name="Leaked">Objects that closing could not destroy.</param>
/// <param name="Died">Whether a fault killed it: barriers wait for it in vain.</param>
internal sealed record ClientEnded(int Leaked, bool Died);

/// <summary>Client → run: the scenario asks for something that cannot be computed; the run ends.</summary>
internal sealed record ScenarioBroken(SourcePosition At, string Message);

/// <summary>A step that did not end as it must.</summary>
/// <param name="At">The step in the scenario.</param>
/// <param name="Client">Who ran it.</param>
/// <param name="Step">What it was.</param>
/// <param name="Expected">How it should have ended.</param>
/// <param name="Actual">How it ended.</param>
public sealed record FailedExpectation(SourcePosition? At, string Client, string Step, string Expected, string Actual);
