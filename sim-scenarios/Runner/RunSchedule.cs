using System.Globalization;
using System.Text;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Runner;

/// <summary>A step of a run at which another actor than the one that has been ready longest takes its turn.</summary>
/// <param name="Step">The step, from 0.</param>
/// <param name="Waiting">How many that have been ready longer it passes, at least 1.</param>
/// <param name="Who">The actor's path; null where only the choice is meant.</param>
/// <param name="Before">The path of the one that has been ready longest.</param>
public sealed record ScheduleTurn(long Step, int Waiting, string? Who = null, string? Before = null);

/// <summary>
/// The order in which the actors of a seeded run take their turns, written down: who has been ready longest is next, but for
/// some turns. The key <c>schedule</c> of a scenario. Immutable.
/// </summary>
/// <param name="Turns">The exceptions, one a step at most.</param>
public sealed record RunSchedule(IReadOnlyList<ScheduleTurn> Turns)
{
    private static readonly NumberField Step = new("step", "The step of the run, from 0.")
    {
        IsRequired = true,
        Minimum = 0,
        Maximum = long.MaxValue,
    };

    private static readonly NumberField Waiting = new(
        "waiting",
        "How many that have been ready longer are passed; all of them when they are fewer."
    )
    {
        IsRequired = true,
        Minimum = 1,
        Maximum = int.MaxValue,
    };

    private static readonly ListField<FieldValues> TurnList = new(
        new ObjectField("turns", "Steps at which another runs.", Step, Waiting)
    );

    /// <summary>The key.</summary>
    public static ObjectField Field { get; } =
        new(
            "schedule",
            "The order in which a run with a seed takes its steps: who has been ready longest is next, but for some turns. Decided "
                + "by the seed when left out.",
            TurnList
        );

    /// <summary>Reads the key's values.</summary>
    internal static RunSchedule From(FieldValues values)
    {
        Scope nothing = Scope.Empty(new SeededRandom(0));
        return new RunSchedule(
            [
                .. (values.Get(TurnList) ?? [])
                    .Select(t => new ScheduleTurn(
                        (long)Step.Evaluate(t.Get(Step)!, nothing),
                        (int)Waiting.Evaluate(t.Get(Waiting)!, nothing)
                    ))
                    // The last of two about one step counts, as for any key that is set twice.
                    .GroupBy(t => t.Step)
                    .Select(g => g.Last()),
            ]
        );
    }

    /// <summary>The key as a scenario has it, with the actors' names as comments.</summary>
    public string ToText()
    {
        if (Turns.Count == 0)
        {
            return "# Who has been ready longest is next, always.\nschedule: {turns: []}\n";
        }

        var text = new StringBuilder("# Who has been ready longest is next, but for:\nschedule:\n  turns:\n");
        foreach (ScheduleTurn turn in Turns)
        {
            text.Append(CultureInfo.InvariantCulture, $"    - {{step: {turn.Step}, waiting: {turn.Waiting}}}");
            if (turn.Who is not null)
            {
                text.Append(CultureInfo.InvariantCulture, $" # {turn.Who} before {turn.Before}");
            }

            text.Append('\n');
        }

        return text.ToString();
    }
}
