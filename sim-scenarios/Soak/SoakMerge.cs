using System.Text.Json;
using System.Text.Json.Nodes;
using Iommufd.Scenarios.Faults;

namespace Iommufd.Scenarios.Soak;

/// <summary>The result of one part of a soak.</summary>
/// <param name="Source">Where it was read, for messages.</param>
/// <param name="Subject">What the soak is about, and which part it is.</param>
/// <param name="Outcome">How the part ended.</param>
public sealed record SoakPart(string Source, SoakSubject Subject, SoakOutcome Outcome);

/// <summary>
/// Puts the parts of a soak together. The result is the same as that of the soak in one piece, times apart, in whatever order the parts
/// are given and however the soak was split.
/// </summary>
public static class SoakMerge
{
    /// <summary>Reads the JSON object that <c>iommufd soak --output json</c> or <c>--summary</c> writes.</summary>
    /// <exception cref="SoakMergeException">It is no such object.</exception>
    public static SoakPart Read(string source, string text)
    {
        try
        {
            JsonObject part =
                JsonNode.Parse(text) as JsonObject ?? throw new SoakMergeException(source, "is not a soak's result");
            if (part["coverage"] is not JsonObject || part["runs"] is null)
            {
                throw new SoakMergeException(source, "is not a soak's result: it has no runs and coverage");
            }

            string shard = part["shard"]?.GetValue<string>() ?? "0/1";
            var subject = new SoakSubject
            {
                Scenarios = Texts(part["scenarios"]),
                Seeds = part["seeds"]?.GetValue<string>(),
                Faults = part["faults"]?.GetValue<string>(),
                Settings = Texts(part["set"]),
                Shard = SoakShard.TryParse(shard, out SoakShard parsed)
                    ? parsed
                    : throw new SoakMergeException(source, $"'{shard}' is not a part I/N"),
            };
            var elapsed = TimeSpan.FromSeconds(part["durationSeconds"]!.GetValue<double>());
            SoakTotals totals = Totals(part);
            return new SoakPart(
                source,
                subject,
                new SoakOutcome(totals, totals.Runs, elapsed, part["complete"]!.GetValue<bool>())
            );
        }
        catch (Exception wrong)
            when (wrong
                    is JsonException
                        or InvalidOperationException
                        or FormatException
                        or NullReferenceException
                        or OverflowException
            )
        {
            throw new SoakMergeException(source, $"is not a soak's result: {wrong.Message}");
        }
    }

    /// <summary>Puts parts together; the whole is complete when every part is there and complete.</summary>
    /// <param name="parts">At least one, each part of the soak at most once.</param>
    /// <exception cref="SoakMergeException">They are not parts of one soak, or one is there twice.</exception>
    public static SoakPart Merge(IReadOnlyList<SoakPart> parts)
    {
        ArgumentOutOfRangeException.ThrowIfZero(parts.Count);
        SoakPart first = parts[0];
        var seen = new SortedDictionary<int, string>();
        SoakTotals totals = SoakTotals.None;
        TimeSpan elapsed = TimeSpan.Zero;
        bool complete = true;
        foreach (SoakPart part in parts)
        {
            if (part.Subject.Whole != first.Subject.Whole)
            {
                throw new SoakMergeException(
                    part.Source,
                    $"is of another soak ({part.Subject.Whole}) than {first.Source} ({first.Subject.Whole})"
                );
            }

            if (!seen.TryAdd(part.Subject.Shard.Index, part.Source))
            {
                throw new SoakMergeException(
                    part.Source,
                    $"is part {part.Subject.Shard}, and so is {seen[part.Subject.Shard.Index]}"
                );
            }

            totals = totals.Plus(part.Outcome.Totals);
            elapsed = part.Outcome.Elapsed > elapsed ? part.Outcome.Elapsed : elapsed;
            complete &= part.Outcome.IsComplete;
        }

        complete &= seen.Count == first.Subject.Shard.Count;
        return new SoakPart(
            "the merged soak",
            first.Subject with
            {
                Shard = SoakShard.Whole,
            },
            new SoakOutcome(totals, totals.Runs, elapsed, complete)
        );
    }

    /// <summary>The parts of a soak that are missing.</summary>
    public static IReadOnlyList<SoakShard> Missing(IReadOnlyList<SoakPart> parts)
    {
        int count = parts.Count == 0 ? 0 : parts[0].Subject.Shard.Count;
        var there = parts.Select(p => p.Subject.Shard.Index).ToHashSet();
        return [.. Enumerable.Range(0, count).Where(i => !there.Contains(i)).Select(i => new SoakShard(i, count))];
    }

    private static SoakTotals Totals(JsonObject part) =>
        new()
        {
            Runs = part["runs"]!.GetValue<long>(),
            Operations = part["operations"]!.GetValue<long>(),
            InvariantsChecked = part["invariantsChecked"]!.GetValue<long>(),
            Failures =
            [
                .. part["failures"]!
                    .AsArray()
                    .Select(f => new SeedFailure(
                        f!["seed"]!.GetValue<ulong>(),
                        f["scenario"]!.GetValue<string>(),
                        f["faults"]?.GetValue<string>(),
                        f["check"]!.GetValue<string>(),
                        f["what"]!.GetValue<string>(),
                        f["replay"]!.GetValue<string>()
                    )),
            ],
            Coverage =
            [
                .. part["coverage"]!
                    .AsObject()
                    .SelectMany(point =>
                        point
                            .Value!.AsObject()
                            .Select(cell => new FaultCoverage(
                                point.Key,
                                cell.Key,
                                cell.Value![0]!.GetValue<long>(),
                                cell.Value[1]!.GetValue<long>()
                            ))
                    ),
            ],
            Sometimes = Sometimes(part["sometimes"]!.AsObject()),
        };

    // A sight that was never seen stands in the JSON with 0 and is not in the totals.
    private static SortedDictionary<string, long> Sometimes(JsonObject written)
    {
        var seen = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach ((string name, JsonNode? count) in written)
        {
            if (count!.GetValue<long>() is > 0 and var times)
            {
                seen.Add(name, times);
            }
        }

        return seen;
    }

    private static string[] Texts(JsonNode? names) =>
        names is null ? [] : [.. names.AsArray().Select(n => n!.GetValue<string>())];
}

/// <summary>Results that cannot be put together.</summary>
/// <param name="source">The result that does not fit.</param>
/// <param name="message">Why.</param>
public sealed class SoakMergeException(string source, string message) : Exception(message)
{
    /// <summary>The result that does not fit.</summary>
    public string Part { get; } = source;
}
