using System.CommandLine;
using System.Text.Json.Nodes;
using Iommufd.Cli.Output;
using Iommufd.Messages.Events;
using Iommufd.Persistence;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd diff</c>: the first event at which two journals differ, and the state difference there.</summary>
internal static class DiffCommand
{
    public static Command Create(Streams streams)
    {
        var first = new Argument<string>("JOURNAL") { Description = "One journal." };
        var second = new Argument<string>("OTHER") { Description = "The other." };
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("diff", "Finds the first event at which two journals differ.")
        {
            first,
            second,
            output,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(first),
                parsed.GetRequiredValue(second),
                ScenarioOptions.IsJson(parsed.GetValue(output)),
                streams
            )
        );
        return command;
    }

    private static int Run(string first, string second, bool isJson, Streams streams)
    {
        using JournalFile one = JournalPlace.ForReading(first);
        using JournalFile other = JournalPlace.ForReading(second);
        Difference? found = null;
        try
        {
            foreach (string stream in one.Streams().Union(other.Streams()))
            {
                found = Compare(stream, one.Read(stream), other.Read(stream));
                if (found is not null)
                {
                    break;
                }
            }
        }
        catch (JournalFormatException wrong)
        {
            throw JournalPlace.Refused(first, wrong);
        }

        if (isJson)
        {
            streams.WriteJson(Json(found));
        }
        else
        {
            WriteText(found, streams.Out);
        }

        return found is null ? ExitCode.Success : ExitCode.CheckFailed;
    }

    // Both contexts are restored on the way, so that the states just after the difference can be shown.
    private static Difference? Compare(
        string stream,
        IEnumerable<JournaledEvent> ours,
        IEnumerable<JournaledEvent> theirs
    )
    {
        var left = new ReplayedContext(JournalReplay.NumberOf(stream));
        var right = new ReplayedContext(left.Number);
        using IEnumerator<JournaledEvent> a = ours.GetEnumerator();
        using IEnumerator<JournaledEvent> b = theirs.GetEnumerator();
        for (long number = 1; ; number++)
        {
            ContextEvent? mine = a.MoveNext() ? a.Current.Event : null;
            ContextEvent? other = b.MoveNext() ? b.Current.Event : null;
            if (mine is null && other is null)
            {
                return null;
            }

            Apply(left, mine);
            Apply(right, other);
            if (
                mine is null
                || other is null
                || !EventPayload.ToBytes(mine).AsSpan().SequenceEqual(EventPayload.ToBytes(other))
            )
            {
                return new Difference(
                    stream,
                    number,
                    mine?.ToString() ?? "nothing",
                    other?.ToString() ?? "nothing",
                    [.. Lines(left).Except(Lines(right))],
                    [.. Lines(right).Except(Lines(left))]
                );
            }
        }
    }

    private static void Apply(ReplayedContext context, ContextEvent? change)
    {
        if (change is not null)
        {
            context.Apply(change);
        }
    }

    private static IReadOnlyList<string> Lines(ReplayedContext context) =>
        context.Applied == 0 || context.ClosedWith is not null ? [] : context.Describe(withText: true).Lines;

    private static JsonObject Json(Difference? found) =>
        new()
        {
            ["equal"] = found is null,
            ["first"] = found is null
                ? null
                : new JsonObject
                {
                    ["stream"] = found.Stream,
                    ["event"] = found.Event,
                    ["ours"] = found.Ours,
                    ["theirs"] = found.Theirs,
                    ["onlyInOurs"] = new JsonArray([.. found.OnlyInOurs.Select(l => JsonValue.Create(l))]),
                    ["onlyInTheirs"] = new JsonArray([.. found.OnlyInTheirs.Select(l => JsonValue.Create(l))]),
                },
        };

    private static void WriteText(Difference? found, TextWriter output)
    {
        if (found is null)
        {
            output.WriteLine("the same events");
            return;
        }

        output.WriteLine($"{found.Stream}, event {found.Event}:");
        output.WriteLine($"- {found.Ours}");
        output.WriteLine($"+ {found.Theirs}");
        output.WriteLine("the state after it:");
        foreach (string line in found.OnlyInOurs)
        {
            output.WriteLine($"- {line}");
        }

        foreach (string line in found.OnlyInTheirs)
        {
            output.WriteLine($"+ {line}");
        }
    }

    private sealed record Difference(
        string Stream,
        long Event,
        string Ours,
        string Theirs,
        IReadOnlyList<string> OnlyInOurs,
        IReadOnlyList<string> OnlyInTheirs
    );
}
