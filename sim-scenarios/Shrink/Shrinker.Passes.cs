using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Sections;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Scenarios.Shrink;

public sealed partial class Shrinker
{
    // Keys of which a small value is easier to read, and the values that are tried.
    private static readonly Dictionary<string, string[]> SmallValues = new(StringComparer.Ordinal)
    {
        ["count"] = ["1", "16"],
        ["size"] = ["4K", "64K"],
        ["length"] = ["4K"],
        ["offset"] = ["0"],
        ["block"] = ["64"],
    };

    // Too long to be taken apart: its parameters are made smaller first, each as small as it can be.
    private async Task ShortenAsync()
    {
        if (_outcome.Result.Operations <= _limits.MaxSteps)
        {
            return;
        }

        foreach (Parameter parameter in _template.Text.Parameters.Where(p => p.Number is not null))
        {
            foreach (string value in (string[])["1", "2", "4", "8", "16", "64"])
            {
                if (await IsShorterAsync(parameter.Name, value).ConfigureAwait(false))
                {
                    break;
                }
            }

            if (_outcome.Result.Operations <= _limits.MaxSteps / 8)
            {
                return;
            }
        }
    }

    private async Task<bool> IsShorterAsync(string parameter, string value)
    {
        var settings = _template.Settings.Where(s => s.Key != parameter).ToList();
        settings.Add(KeyValuePair.Create(parameter, value));
        for (ulong seed = 0; seed <= 2 && !IsOver; seed++)
        {
            SeedRun run = _template with { Settings = settings, Seed = seed == 0 ? _template.Seed : seed };
            SeedOutcome outcome;
            try
            {
                outcome = await RunOneAsync(run).ConfigureAwait(false);
            }
            catch (ScenarioInvalidException)
            {
                // Smaller than the parameter's own limit.
                return false;
            }

            if (_wanted.Matches(outcome) && outcome.Result.Operations <= _outcome.Result.Operations)
            {
                (_template, _outcome) = (run, outcome);
                return true;
            }
        }

        return false;
    }

    private async Task DropFaultsAsync()
    {
        for (int size = _template.Faults?.Rules.Count ?? 0; size >= 1; size /= 2)
        {
            for (int at = 0; at < _template.Faults!.Rules.Count && !IsOver; )
            {
                FaultRule[] left = [.. _template.Faults.Rules.Where((_, i) => i < at || i >= at + size)];
                SeedRun run = _template with
                {
                    Text = Read(_best.ToText())!,
                    Faults = _template.Faults with { Rules = left },
                };
                SeedOutcome outcome = await RunOneAsync(run).ConfigureAwait(false);
                if (_wanted.Matches(outcome))
                {
                    (_template, _outcome) = (run, outcome);
                }
                else
                {
                    at += size;
                }
            }
        }

        if (_template.Faults is { Rules.Count: 0 })
        {
            _template = _template with { Faults = null };
        }
    }

    // Whole clients, then whole branches.
    private async Task DropGroupsAsync()
    {
        for (int client = _best.Clients.Count - 1; client >= 0 && _best.Clients.Count > 1; client--)
        {
            await DropAsync(_best.Steps.Where(s => s.Client == client).Select(s => s.Step)).ConfigureAwait(false);
        }

        var ways = _best
            .Steps.SelectMany(s => Prefixes(s).Select(p => (s.Client, Way: p)))
            .DistinctBy(w => $"{w.Client}/{string.Join('.', w.Way)}")
            .ToArray();
        CaseStep[][] groups =
        [
            .. ways.Select(w =>
                _best.Steps.Where(s => s.Client == w.Client && IsIn(s, w.Way)).Select(s => s.Step).ToArray()
            ),
        ];
        foreach (CaseStep[] group in groups)
        {
            await DropAsync(group).ConfigureAwait(false);
        }
    }

    private static IEnumerable<int[]> Prefixes(PlacedStep step)
    {
        for (int length = 2; length <= step.Way.Count; length += 2)
        {
            yield return [.. step.Way.Take(length)];
        }
    }

    private static bool IsIn(PlacedStep step, int[] way) => step.Way.Take(way.Length).SequenceEqual(way);

    // Chunks of steps, smaller and smaller; from the end, because what comes after the failure is not needed for it.
    private async Task DropStepsAsync(Action<int>? progress)
    {
        for (int size = Math.Max(1, _best.Steps.Count / 2); size >= 1; size /= 2)
        {
            for (int end = _best.Steps.Count; end > 0 && !IsOver; )
            {
                int from = Math.Max(0, end - size);
                int before = _best.Steps.Count;
                await DropAsync(_best.Steps.Skip(from).Take(end - from).Select(s => s.Step)).ConfigureAwait(false);
                end = Math.Min(from, _best.Steps.Count);
                if (_best.Steps.Count < before)
                {
                    progress?.Invoke(_best.Steps.Count);
                }
            }
        }
    }

    /// <summary>Takes steps out, with those that use what they make; true when the rest still fails.</summary>
    private async Task<bool> DropAsync(IEnumerable<CaseStep> steps)
    {
        var there = new HashSet<CaseStep>(_best.Steps.Select(s => s.Step));
        var gone = new HashSet<CaseStep>(steps.Where(there.Contains));
        if (gone.Count == 0 || gone.Count == _best.Steps.Count)
        {
            return false;
        }

        AddUsers(gone);
        return gone.Count < _best.Steps.Count && await StillFailsAsync(_best.Without(gone)).ConfigureAwait(false);
    }

    private void AddUsers(HashSet<CaseStep> gone)
    {
        var open = new Queue<PlacedStep>(_best.Steps.Where(s => gone.Contains(s.Step)));
        while (open.TryDequeue(out PlacedStep? step))
        {
            if (step.Step.Given is not { } name)
            {
                continue;
            }

            PlacedStep[] others = [.. _best.Steps.Where(s => s.Client == step.Client && !gone.Contains(s.Step))];
            if (others.Any(s => string.Equals(s.Step.Given, name, StringComparison.Ordinal)))
            {
                continue;
            }

            foreach (PlacedStep user in others.Where(s => s.Step.Uses(name)))
            {
                gone.Add(user.Step);
                open.Enqueue(user);
            }
        }
    }

    private async Task FlattenAsync()
    {
        for (int client = 0; client < _best.Clients.Count; client++)
        {
            if (_best.Flatten(client) is { } flat)
            {
                await StillFailsAsync(flat).ConfigureAwait(false);
            }
        }
    }

    // What makes a case easier to read without making it shorter.
    private async Task SimplifyAsync()
    {
        for (int key = 0; _best.WithoutKey(key) is { } less && !IsOver; )
        {
            key += await StillFailsAsync(less).ConfigureAwait(false) ? 0 : 1;
        }

        for (int i = 0; i < _best.Steps.Count && !IsOver; i++)
        {
            foreach (Func<TreeNode, TreeNode?> change in Simplifications())
            {
                CaseStep step = _best.Steps[i].Step;
                if (change(step.Node) is { } simpler)
                {
                    await StillFailsAsync(_best.Replace(step, simpler)).ConfigureAwait(false);
                }
            }
        }
    }

    private static IEnumerable<Func<TreeNode, TreeNode?>> Simplifications()
    {
        yield return WithoutExpectation;
        foreach ((string key, string[] values) in SmallValues)
        {
            foreach (string value in values)
            {
                yield return node => WithValue(node, key, value);
            }
        }
    }

    private static TreeMapping? WithoutExpectation(TreeNode node) =>
        node is TreeMapping { Entries.Count: 2 } mapping ? TreeWriter.Mapping(mapping.Entries[0]) : null;

    private static TreeMapping? WithValue(TreeNode node, string key, string value)
    {
        if (node is not TreeMapping mapping || mapping.Entries[0].Value is not TreeMapping keys)
        {
            return null;
        }

        if (keys.Find(key) is not TreeScalar old || string.Equals(old.Text, value, StringComparison.Ordinal))
        {
            return null;
        }

        TreeEntry[] changed =
        [
            .. keys.Entries.Select(e =>
                string.Equals(e.Key.Text, key, StringComparison.Ordinal)
                    ? new TreeEntry(e.Key, TreeWriter.Scalar(value))
                    : e
            ),
        ];
        return TreeWriter.Mapping(
            [new TreeEntry(mapping.Entries[0].Key, TreeWriter.Mapping(changed)), .. mapping.Entries.Skip(1)]
        );
    }
}
