using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Sections;
using Iommufd.Scenarios.Language.Vocabulary;
using Iommufd.Scenarios.Steps;

namespace Iommufd.Scenarios;

/// <summary>A scenario that can run: read, checked, its parameters set. Immutable.</summary>
/// <param name="Name">Short name.</param>
/// <param name="File">The file as the user named it.</param>
/// <param name="Title">One line for people.</param>
/// <param name="Source">The text, to be kept with the journal.</param>
/// <param name="Seed">Decides every random choice.</param>
/// <param name="Parameters">The parameters' values.</param>
/// <param name="Machine">Units and devices.</param>
/// <param name="Clients">The clients' kinds.</param>
/// <param name="Expect">What must hold at the end.</param>
/// <param name="Deadline">When the run is cut short; null for never.</param>
/// <param name="CheckEvery">Operations between checks of the invariants; null for checks at the end only.</param>
public sealed record Scenario(
    string Name,
    string File,
    string Title,
    string Source,
    ulong Seed,
    Scope Parameters,
    MachinePlan Machine,
    IReadOnlyList<ClientPlan> Clients,
    FieldValues Expect,
    TimeSpan? Deadline,
    long? CheckEvery
)
{
    /// <summary>How it failed when it was saved by <c>shrink</c>; null for a scenario that a person wrote.</summary>
    public Shrink.ExpectedFailure? Failure { get; init; }

    /// <summary>The order of a seeded run's steps; null where the seed decides it.</summary>
    public Runner.RunSchedule? Schedule { get; init; }

    /// <summary>What <c>--set</c> said: names and values as written.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; init; } = [];

    /// <summary>How many clients there are.</summary>
    public long ClientCount => Clients.Sum(c => c.Count);
}

/// <summary>Clients of one kind.</summary>
/// <param name="Count">How many.</param>
/// <param name="AtOnce">How many run at the same time.</param>
/// <param name="Name">Their name.</param>
/// <param name="Values">Their keys.</param>
/// <param name="Steps">What each does.</param>
public sealed record ClientPlan(long Count, long AtOnce, Template Name, FieldValues Values, IReadOnlyList<Step> Steps)
{
    /// <summary>Makes a plan of what was read.</summary>
    /// <exception cref="EvaluationException">A key cannot be computed from the parameters.</exception>
    internal static ClientPlan From(FieldValues values, Scope parameters)
    {
        long count = Number(ClientKeys.Count, 1);
        return new ClientPlan(
            count,
            Number(ClientKeys.AtOnce, Math.Max(1, count)),
            values.Get(ClientKeys.Name)!,
            values,
            values.Get(ClientKeys.Steps)!
        );

        long Number(NumberField field, long otherwise) =>
            values.Get(field) is { } e ? (long)Int128.Min(field.Evaluate(e, parameters), long.MaxValue) : otherwise;
    }

    /// <summary>The names that the client with a number sees.</summary>
    public Scope ScopeOf(long number, Scope parameters, SeededRandom random)
    {
        Scope own = parameters.Drawing(random);
        return Values.Get(ClientKeys.Index) is { } index ? own.With(index, number) : own;
    }

    /// <summary>The process of the client that sees these names.</summary>
    /// <exception cref="EvaluationException">A key cannot be computed.</exception>
    public Messages.Host.ProcessSpec Process(Scope scope) =>
        new(
            Name.Render(scope),
            Values.Get(ClientKeys.Memlock) is { } limit
                ? (ulong)ClientKeys.Memlock.Evaluate(limit, scope)
                : ulong.MaxValue,
            Values.Get(ClientKeys.IpcLock) is not { } ipc || ipc.Evaluate(scope) != 0,
            Values.Get(ClientKeys.SysResource) is not { } sys || sys.Evaluate(scope) != 0,
            Values.Get(LimitKeys.OpenFiles) is { } files
                ? (ulong)LimitKeys.OpenFiles.Evaluate(files, scope)
                : ulong.MaxValue
        );
}
