// A shrinker in four files: this one (what is tried and in which order), .Passes (the single reductions), .Schedule (the order of
// the steps), .Probe (whether a candidate still fails).
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Runner;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Scenarios.Shrink;

/// <summary>How far a shrinker goes.</summary>
public sealed record ShrinkLimits
{
    /// <summary>Runs in all.</summary>
    public int MaxRuns { get; init; } = 4000;

    /// <summary>Other schedules that are tried for a candidate that does not fail under the present seed.</summary>
    public int OtherSeeds { get; init; } = 6;

    /// <summary>Steps of the longest run that is taken apart step by step; a longer one is first made shorter.</summary>
    public int MaxSteps { get; init; } = 2000;

    /// <summary>Runs for the order of the steps, behind the others.</summary>
    public int ScheduleRuns { get; init; } = 600;

    /// <summary>Schedules under which the result is run in the end, to say how often it fails.</summary>
    public int FinalSeeds { get; init; } = 20;
}

/// <summary>What a shrinker made of a failing run.</summary>
/// <param name="Text">The scenario.</param>
/// <param name="Seed">A seed under which it fails.</param>
/// <param name="Faults">The faults that it needs, each by how often its point was reached; null for none.</param>
/// <param name="Failure">How it fails.</param>
/// <param name="What">What was found.</param>
/// <param name="StepsBefore">Steps of the run that it was made of.</param>
/// <param name="StepsAfter">Steps that are left.</param>
/// <param name="Runs">Runs that it took.</param>
/// <param name="FailingSeeds">Of <paramref name="TriedSeeds"/> schedules of the result, how many fail in this way.</param>
/// <param name="TriedSeeds">Schedules of the result that were tried.</param>
/// <param name="Schedule">The order of the steps under which it fails; null where it could not be written down: its seed decides it.</param>
/// <param name="TurnsBefore">Turns out of order of the schedule that the result failed under first.</param>
/// <param name="IsWhole">False when it was cut short: less may be possible.</param>
public sealed record ShrinkResult(
    string Text,
    ulong Seed,
    FaultPlan? Faults,
    FailureSignature Failure,
    string What,
    int StepsBefore,
    int StepsAfter,
    int Runs,
    int FailingSeeds,
    int TriedSeeds,
    RunSchedule? Schedule,
    int TurnsBefore,
    bool IsWhole
);

/// <summary>
/// Reduces a failing run to a small one that fails in the same way: fewer clients, branches, steps, faults and keys, and a schedule
/// under which it does. Delta debugging over the steps as they ran, not as they were written, so that nothing else changes when one is
/// taken out. Deterministic unless it is cut short. Used once.
/// </summary>
public sealed partial class Shrinker
{
    private readonly ShrinkLimits _limits;
    private readonly Func<SeedRun, CancellationToken, Task<SeedOutcome>> _run;
    private readonly CancellationToken _stop;
    private readonly HashSet<string> _tried = new(StringComparer.Ordinal);
    private SeedRun _template;
    private FailureSignature _wanted = null!;
    private ShrinkCase _best = null!;
    private SeedOutcome _outcome = null!;
    private int _runs;
    private int _otherSeeds;

    /// <summary>Makes a shrinker of one run.</summary>
    /// <param name="failing">The run.</param>
    /// <param name="limits">How far to go.</param>
    /// <param name="run">Runs one seed; null for <see cref="SeedRunner.RunAsync"/>.</param>
    /// <param name="stop">Cuts the search short: the best case so far is the result.</param>
    public Shrinker(
        SeedRun failing,
        ShrinkLimits limits,
        Func<SeedRun, CancellationToken, Task<SeedOutcome>>? run = null,
        CancellationToken stop = default
    )
    {
        ArgumentNullException.ThrowIfNull(failing);
        ArgumentNullException.ThrowIfNull(limits);
        (_template, _limits, _run, _stop) = (failing, limits, run ?? SeedRunner.RunAsync, stop);
    }

    private bool IsOver => _runs >= _limits.MaxRuns || _stop.IsCancellationRequested;

    /// <summary>Reduces the run; null when it does not fail.</summary>
    /// <param name="progress">Told how many steps are left, now and then.</param>
    /// <exception cref="NotSupportedException">The run cannot be taken apart; the message says why.</exception>
    public async Task<ShrinkResult?> ShrinkAsync(Action<int>? progress = null)
    {
        SeedOutcome first = await RunOneAsync(_template).ConfigureAwait(false);
        if (FailureSignature.Of(first) is not { } wanted)
        {
            return null;
        }

        (_wanted, _outcome, _otherSeeds) = (wanted, first, _limits.OtherSeeds);
        await ShortenAsync().ConfigureAwait(false);
        int before = await TakeApartAsync().ConfigureAwait(false);
        if (await IsAlwaysThereAsync().ConfigureAwait(false))
        {
            // The schedule does not matter: a candidate that does not fail under one does not under others.
            _otherSeeds = 0;
        }

        progress?.Invoke(_best.Steps.Count);
        int left;
        do
        {
            left = _best.Steps.Count;
            await DropFaultsAsync().ConfigureAwait(false);
            await DropGroupsAsync().ConfigureAwait(false);
            await DropStepsAsync(progress).ConfigureAwait(false);
            await FlattenAsync().ConfigureAwait(false);
        } while (_best.Steps.Count < left && !IsOver);

        await SimplifyAsync().ConfigureAwait(false);
        bool isWhole = !IsOver;
        (int failing, int tried) = await CountAsync().ConfigureAwait(false);
        isWhole &= await ReduceScheduleAsync().ConfigureAwait(false);
        return new ShrinkResult(
            Annotated(),
            _template.Seed,
            _template.Faults,
            _wanted,
            _outcome.Result.Failure!.What,
            before,
            _best.Steps.Count,
            _runs,
            failing,
            tried,
            _schedule,
            _turnsBefore,
            isWhole
        );
    }

    // The run as it happened, step by step, as a scenario of its own.
    private async Task<int> TakeApartAsync()
    {
        var trace = new RunTrace(_limits.MaxSteps);
        SeedOutcome traced = await RunOneAsync(_template with { Trace = trace }).ConfigureAwait(false);
        if (trace.Missing is { } missing || !_wanted.Matches(traced))
        {
            throw new NotSupportedException(
                $"the run cannot be written down as single steps: {trace.Missing ?? "it does not fail the same way twice"}"
            );
        }

        Scenario scenario = _template.Text.Bind(_template.Settings, _template.Seed);
        ShrinkCase whole = ShrinkCase.Of(scenario, trace);
        _best = whole;
        if (_template.Faults is not null)
        {
            _template = _template with { Faults = FaultPlan.Exactly(PlanName, traced.Strikes) };
        }

        _template = _template with { Settings = [] };
        if (!await StillFailsAsync(whole).ConfigureAwait(false))
        {
            throw new NotSupportedException(
                "the run written down as single steps does not fail the same way: the failure depends on something that its "
                    + "steps do not show"
            );
        }

        return whole.Steps.Count;
    }

    // The scenario with what it is expected to do: to fail.
    private string Annotated()
    {
        string what = _outcome.Result.Failure!.What.ReplaceLineEndings(" ");
        string text = _best.Titled($"Fails: {_wanted.Check}").ToText() + _schedule?.ToText();
        return text + ExpectedFailure.ToText(_wanted.ToString(), what, _template.Seed);
    }
}
