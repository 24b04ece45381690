using Iommufd.Scenarios.Runner;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Scenarios.Shrink;

public sealed partial class Shrinker
{
    private RunSchedule? _schedule;
    private int _turnsBefore;

    /// <summary>
    /// Looks for the order of the steps that is nearest to "who has been ready longest is next" and under which the case fails:
    /// delta debugging over the turns that are out of that order. False when it was cut short.
    /// </summary>
    private async Task<bool> ReduceScheduleAsync()
    {
        int last = _runs + _limits.ScheduleRuns;
        bool isOver() => _stop.IsCancellationRequested || _runs >= last;
        var recorded = new List<ScheduleTurn>();
        await RunOneAsync(_template with { Turns = recorded }).ConfigureAwait(false);
        _turnsBefore = recorded.Count;
        if (await FailsInOrderAsync([]).ConfigureAwait(false))
        {
            return true;
        }

        if (isOver() || !await FailsInOrderAsync(recorded).ConfigureAwait(false))
        {
            return false;
        }

        // From the end: what comes after the failure is not needed for it.
        List<ScheduleTurn> left = recorded;
        for (int size = Math.Max(1, left.Count / 2); size >= 1 && !isOver(); size /= 2)
        {
            for (int end = left.Count; end > 0 && !isOver(); )
            {
                int from = Math.Max(0, end - size);
                ScheduleTurn[] fewer = [.. left.Take(from), .. left.Skip(end)];
                if (await FailsInOrderAsync(fewer).ConfigureAwait(false))
                {
                    left = [.. fewer];
                }

                end = Math.Min(from, left.Count);
            }
        }

        return !isOver();
    }

    // Keeps the schedule when the case fails under it, with the names that the turns have there.
    private async Task<bool> FailsInOrderAsync(IReadOnlyList<ScheduleTurn> turns)
    {
        var named = new List<ScheduleTurn>();
        string text = _best.ToText() + new RunSchedule(turns).ToText();
        SeedRun run = _template with { Text = Read(text)!, Turns = named };
        SeedOutcome outcome = await RunOneAsync(run).ConfigureAwait(false);
        if (!_wanted.Matches(outcome))
        {
            return false;
        }

        var names = named.ToDictionary(t => t.Step);
        _schedule = new RunSchedule([.. turns.Select(t => names.GetValueOrDefault(t.Step, t))]);
        _outcome = outcome;
        return true;
    }
}
