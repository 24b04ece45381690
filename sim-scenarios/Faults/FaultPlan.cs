using Iommufd.Core.Faults;
using Iommufd.Messages.Flows;

namespace Iommufd.Scenarios.Faults;

/// <summary>
/// Which faults a run meets. A plan and a seed decide together: the same seed, scenario and plan give the same strikes. Immutable.
/// </summary>
/// <param name="Name">What <c>--faults</c> takes: a shipped plan's name or a file.</param>
/// <param name="Title">One line for people.</param>
/// <param name="Rules">Each is asked on its own; a fault strikes when any of them wants it.</param>
public sealed record FaultPlan(string Name, string Title, IReadOnlyList<FaultRule> Rules)
{
    /// <summary>A plan in which nothing fails; points that are reached are counted all the same.</summary>
    public static FaultPlan Nothing { get; } = new("nothing", "Nothing fails; points reached are counted", []);

    /// <summary>A plan that fails the n-th point that one operation of the run reaches.</summary>
    /// <param name="operation">The operation's number in the run, from 1.</param>
    /// <param name="nth">The number of the point that it reaches, from 1.</param>
    /// <param name="points">The points that count.</param>
    public static FaultPlan Nth(long operation, ulong nth, IReadOnlyList<FaultPoint> points) =>
        new(
            FormattableString.Invariant($"nth:{operation}:{nth}"),
            FormattableString.Invariant($"Point {nth} of operation {operation} fails"),
            [new FaultRule(points) { Window = (operation, operation), Nth = [nth] }]
        );

    /// <summary>A plan that repeats strikes of another run, each by its point and the number of times it had been reached.</summary>
    public static FaultPlan Exactly(string name, IEnumerable<FaultStrike> strikes) =>
        new(name, "Repeats recorded strikes", [.. strikes.Select(s => new FaultRule([s.Point]) { Nth = [s.Reached] })]);
}

/// <summary>When faults strike: every condition that is set must hold.</summary>
/// <param name="Points">The points that it is about; their questions are counted together.</param>
public sealed record FaultRule(IReadOnlyList<FaultPoint> Points)
{
    /// <summary>How likely each question is answered with a fault, 0 to 1; 1 when only other conditions decide.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>Which of the rule's questions, from 1; empty for all.</summary>
    public IReadOnlyList<ulong> Nth { get; init; } = [];

    /// <summary>First and last operation of the run, by number from 1; null for the whole run.</summary>
    public (long First, long Last)? Window { get; init; }

    /// <summary>Words of operations: <see cref="OperationWords"/>; empty for all.</summary>
    public IReadOnlyList<string> Operations { get; init; } = [];

    /// <summary>Numbers of contexts; empty for all.</summary>
    public IReadOnlyList<int> Contexts { get; init; } = [];

    /// <summary>Kinds of participants; empty for all.</summary>
    public IReadOnlyList<ParticipantKind> Objects { get; init; } = [];

    /// <summary>Names of devices, <c>*</c> for any rest; empty for all.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>Questions answered with a fault once one was, that one included.</summary>
    public int Burst { get; init; } = 1;

    /// <summary>Strikes in all; the rule rests afterwards.</summary>
    public long AtMost { get; init; } = long.MaxValue;
}

/// <summary>A fault that struck.</summary>
/// <param name="Point">The point.</param>
/// <param name="Reached">How many times the point had been reached in the run, this one included.</param>
/// <param name="Operation">The operation in progress.</param>
/// <param name="OperationNumber">Its number in the run; 0 for what belongs to no operation.</param>
/// <param name="Context">The context; 0 for hardware.</param>
public sealed record FaultStrike(FaultPoint Point, ulong Reached, string Operation, long OperationNumber, int Context);
