using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Scenarios.Shrink;

public sealed partial class Shrinker
{
    private const string PlanName = "shrunk";

    // Schedules that all fail show that the schedule does not matter.
    private const ulong SchedulesThatTell = 3;

    // How far the places of faults are moved towards the beginning when steps before them are gone.
    private const int FaultShifts = 8;

    /// <summary>Runs a candidate: first as the best so far ran, then with its faults moved, then under other schedules.</summary>
    private async Task<bool> StillFailsAsync(ShrinkCase candidate)
    {
        string text = candidate.ToText();
        if (IsOver || !_tried.Add(KeyOf(text)) || Read(text) is not { } read)
        {
            return false;
        }

        foreach ((ulong seed, FaultPlan? faults) in Ways())
        {
            if (IsOver)
            {
                return false;
            }

            SeedRun run = _template with { Text = read, Seed = seed, Faults = faults };
            SeedOutcome outcome = await RunOneAsync(run).ConfigureAwait(false);
            if (_wanted.Matches(outcome))
            {
                // Faults that no longer struck are gone with it.
                FaultPlan? struck = faults is null ? null : FaultPlan.Exactly(PlanName, outcome.Strikes);
                (_best, _outcome, _template) = (candidate, outcome, run with { Faults = struck });
                return true;
            }
        }

        return false;
    }

    private IEnumerable<(ulong Seed, FaultPlan? Faults)> Ways()
    {
        yield return (_template.Seed, _template.Faults);
        if (_template.Faults is { Rules.Count: > 0 } plan)
        {
            for (ulong by = 1; by <= FaultShifts && plan.Rules.Any(r => r.Nth[0] > by); by++)
            {
                yield return (_template.Seed, Shifted(plan, by));
            }
        }

        for (ulong seed = 1; seed <= (ulong)_otherSeeds; seed++)
        {
            if (seed != _template.Seed)
            {
                yield return (seed, _template.Faults);
            }
        }
    }

    private static FaultPlan Shifted(FaultPlan plan, ulong by) =>
        plan with
        {
            Rules = [.. plan.Rules.Select(r => r with { Nth = [r.Nth[0] > by ? r.Nth[0] - by : r.Nth[0]] })],
        };

    // The same text under another plan is another candidate.
    private string KeyOf(string text) =>
        _template.Faults is { } plan
            ? $"{string.Join(' ', plan.Rules.Select(r => $"{r.Points[0].Name}:{r.Nth[0]}"))}\n{text}"
            : text;

    private async Task<SeedOutcome> RunOneAsync(SeedRun run)
    {
        _runs++;
        return await _run(run, CancellationToken.None).ConfigureAwait(false);
    }

    private static ScenarioText? Read(string text)
    {
        try
        {
            return ScenarioText.Read($"{PlanName}.yaml", text);
        }
        catch (ScenarioInvalidException)
        {
            // A step was taken out whose name another one uses.
            return null;
        }
    }

    private async Task<bool> IsAlwaysThereAsync()
    {
        for (ulong seed = 1; seed <= SchedulesThatTell; seed++)
        {
            if (!_wanted.Matches(await RunOneAsync(_template with { Seed = seed }).ConfigureAwait(false)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>How often the result fails when nothing but the schedule changes.</summary>
    private async Task<(int Failing, int Tried)> CountAsync()
    {
        int failing = 0;
        int tried = 0;
        for (ulong seed = 1; seed <= (ulong)_limits.FinalSeeds && !_stop.IsCancellationRequested; seed++)
        {
            tried++;
            SeedOutcome outcome = await RunOneAsync(_template with { Seed = seed }).ConfigureAwait(false);
            failing += _wanted.Matches(outcome) ? 1 : 0;
        }

        return (failing, tried);
    }
}
