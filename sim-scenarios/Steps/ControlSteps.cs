using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

// The steps that order other steps. The client's actor runs them (ClientActor.Control.cs).

/// <summary><c>repeat</c>: steps again and again.</summary>
public sealed class RepeatStep : StepKind
{
    /// <summary>How often.</summary>
    public static readonly NumberField Times = new("times", "How many turns.") { IsRequired = true };

    /// <summary>The name of the turn's number.</summary>
    public static readonly IndexField Index = new("index", "A name for the number of the turn, from 0.");

    /// <summary>What is repeated.</summary>
    public static readonly StepsField Body = new("steps", "The steps of one turn.") { IsRequired = true };

    /// <inheritdoc/>
    public override string Name => "repeat";

    /// <inheritdoc/>
    public override string Summary => "Runs steps a number of times, one turn after another.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Times, Index, Body];
}

/// <summary><c>leave</c>: ends a loop early.</summary>
public sealed class LeaveStep : StepKind
{
    /// <summary>The condition.</summary>
    public static readonly FlagField Condition = new("when", "The condition: an expression; always when left out.")
    {
        Minimum = Int128.MinValue,
        Maximum = Int128.MaxValue,
    };

    /// <inheritdoc/>
    public override string Name => "leave";

    /// <inheritdoc/>
    public override string Summary =>
        "Leaves the innermost 'repeat' around it; outside of one, ends the branch or the client.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Condition];

    /// <inheritdoc/>
    public override Field Shorthand => Condition;
}

/// <summary><c>parallel</c>: branches at the same time.</summary>
public sealed class ParallelStep : StepKind
{
    /// <summary>How many branches run <see cref="Body"/>.</summary>
    public static readonly NumberField Count = new("count", "How many branches run the steps.")
    {
        Maximum = 10_000_000,
    };

    /// <summary>The name of the branch's number.</summary>
    public static readonly IndexField Index = new("index", "A name for the number of the branch, from 0.");

    /// <summary>What each of <see cref="Count"/> branches runs.</summary>
    public static readonly StepsField Body = new("steps", "The steps of each branch.");

    /// <summary>Branches that differ.</summary>
    public static readonly ListField<IReadOnlyList<Step>> Branches = new(
        new StepsField("branches", "A list of lists of steps: one branch each.")
    );

    /// <inheritdoc/>
    public override string Name => "parallel";

    /// <inheritdoc/>
    public override string Summary => "Runs branches at the same time and goes on when all have ended.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Count, Index, Body, Branches];

    /// <inheritdoc/>
    public override Field Shorthand => Branches;

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [Count, Body], [Branches]);
}

/// <summary><c>choose</c>: one of several, at random.</summary>
public sealed class ChooseStep : StepKind
{
    /// <summary>How likely one way is.</summary>
    public static readonly NumberField Weight = new("weight", "How likely, relative to the others; 1 when left out.");

    /// <summary>What the way does.</summary>
    public static readonly StepsField Body = new("steps", "The steps.") { IsRequired = true };

    /// <summary>The ways.</summary>
    public static readonly ListField<FieldValues> Ways = new(
        new ObjectField("ways", "A list of ways, each with steps and a weight.", Weight, Body)
    )
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "choose";

    /// <inheritdoc/>
    public override string Summary => "Runs one of several lists of steps, drawn at random from the run's seed.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Ways];

    /// <inheritdoc/>
    public override Field Shorthand => Ways;
}

/// <summary><c>if</c>: steps under a condition.</summary>
public sealed class IfStep : StepKind
{
    /// <summary>The condition.</summary>
    public static readonly FlagField Condition = new("that", "The condition: an expression; 0 is false.")
    {
        Minimum = Int128.MinValue,
        Maximum = Int128.MaxValue,
        IsRequired = true,
    };

    /// <summary>When it holds.</summary>
    public static readonly StepsField Then = new("then", "The steps when it holds.") { IsRequired = true };

    /// <summary>When it does not.</summary>
    public static readonly StepsField Else = new("else", "The steps when it does not.");

    /// <inheritdoc/>
    public override string Name => "if";

    /// <inheritdoc/>
    public override string Summary => "Runs steps when a condition holds.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Condition, Then, Else];
}

/// <summary><c>let</c>: names for numbers.</summary>
public sealed class LetStep : StepKind
{
    /// <summary>The names.</summary>
    public static readonly LetField Bindings = new("let", "Names and their values.") { IsRequired = true };

    /// <inheritdoc/>
    public override string Name => "let";

    /// <inheritdoc/>
    public override string Summary => "Gives names to numbers for the steps that follow in the same list.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [];

    /// <inheritdoc/>
    public override Field Shorthand => Bindings;
}

/// <summary><c>barrier</c>: waits for the others.</summary>
public sealed class BarrierStep : StepKind
{
    /// <summary>The meeting's name.</summary>
    public static readonly PlainNameField Meeting = new("name", "Where they meet; a name for the whole scenario.")
    {
        IsRequired = true,
    };

    /// <summary>How many meet.</summary>
    public static readonly NumberField Parties = new("parties", "How many branches or clients meet there.")
    {
        Minimum = 1,
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "barrier";

    /// <inheritdoc/>
    public override string Summary => "Waits until so many branches or clients have come to the same barrier.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Meeting, Parties];
}

/// <summary><c>pause</c>: lets time pass.</summary>
public sealed class PauseStep : StepKind
{
    /// <summary>How long.</summary>
    public static readonly DurationField Time = new("time", "How long: 5ms, 1s. Virtual time under --seed.")
    {
        IsRequired = true,
        Maximum = 3_600_000_000_000,
    };

    /// <inheritdoc/>
    public override string Name => "pause";

    /// <inheritdoc/>
    public override string Summary => "Lets time pass.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Time];

    /// <inheritdoc/>
    public override Field Shorthand => Time;
}
