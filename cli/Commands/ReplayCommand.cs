using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Iommufd.Cli.Output;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd replay</c>: restores the state from a journal.</summary>
internal static class ReplayCommand
{
    private const int LinesShown = 40;

    public static Command Create(Streams streams)
    {
        var journal = new Argument<string>("JOURNAL") { Description = "A journal that a run wrote." };
        var to = new Option<long?>("--to") { Description = "Stops after this event of the file.", HelpName = "SEQ" };
        var verify = new Option<bool>("--verify")
        {
            Description = "Compares every digest that was recorded on the way; a difference is exit code 1.",
        };
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("replay", "Restores the state from a journal and prints its digest.")
        {
            journal,
            to,
            verify,
            output,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(journal),
                parsed.GetValue(to),
                parsed.GetValue(verify),
                ScenarioOptions.IsJson(parsed.GetValue(output)),
                streams
            )
        );
        return command;
    }

    private static int Run(string file, long? to, bool verify, bool isJson, Streams streams)
    {
        RestoredJournal replay = RestoredJournal.Of(file, to);
        int verified = verify ? replay.Contexts.Sum(c => c.DigestsVerified) : 0;
        var mismatches = new List<(int Context, long Event, ulong Recorded, ulong Found)>();
        foreach (Persistence.ReplayedContext context in replay.Contexts)
        {
            mismatches.AddRange(context.Mismatches.Select(m => (context.Number, m.Event, m.Recorded, m.Found)));
        }

        if (verify && to is null && replay.Run?.Finished is { } finished)
        {
            VerifyEnd(finished.Digest, replay, ref verified, mismatches);
        }

        double perSecond = replay.Events / Math.Max(1e-9, replay.Elapsed.TotalSeconds);
        if (isJson)
        {
            streams.WriteJson(
                new JsonObject
                {
                    ["events"] = replay.Events,
                    ["state"] = new JsonObject { ["digest"] = replay.Digest },
                    ["verified"] = verified,
                    ["mismatches"] = new JsonArray(
                        [
                            .. (verify ? mismatches : []).Select(m => new JsonObject
                            {
                                ["context"] = m.Context,
                                ["event"] = m.Event,
                                ["recorded"] = $"{m.Recorded:x16}",
                                ["found"] = $"{m.Found:x16}",
                            }),
                        ]
                    ),
                    ["suspects"] = new JsonArray([.. Suspects(replay, verify).Select(l => JsonValue.Create(l))]),
                    ["eventsPerSecond"] = Math.Round(perSecond, 1),
                    ["contexts"] = replay.Contexts.Count,
                    ["run"] = RunOrigin.Json(replay.Run),
                }
            );
        }
        else
        {
            RunOrigin.Write(replay.Run, streams.Out);
            streams.Out.WriteLine(
                $"{Figures.Count(replay.Events)} events of {Figures.Count(replay.Contexts.Count)} contexts, {Figures.Count(perSecond)}/s"
            );
            streams.Out.WriteLine($"state digest {replay.Digest}");
            if (verify)
            {
                streams.Out.WriteLine(
                    $"{Figures.Count(verified)} recorded digests found again, {mismatches.Count} not"
                );
                foreach ((int context, long number, ulong recorded, ulong found) in mismatches)
                {
                    string where = context == 0 ? "the run's end" : $"context {context}, event {number}";
                    streams.Out.WriteLine($"{where}: recorded {recorded:x16}, found {found:x16}");
                }

                WriteSuspects(Suspects(replay, verify), streams.Out);
            }
        }

        return verify && mismatches.Count > 0 ? ExitCode.CheckFailed : ExitCode.Success;
    }

    // Of the first context with a digest that differs.
    private static IReadOnlyList<string> Suspects(RestoredJournal replay, bool verify) =>
        verify ? replay.Contexts.FirstOrDefault(c => c.Suspects.Count > 0)?.Suspects ?? [] : [];

    private static void WriteSuspects(IReadOnlyList<string> lines, TextWriter output)
    {
        if (lines.Count == 0)
        {
            return;
        }

        output.WriteLine(
            "what was touched since the last digest that was found again, as it is at the first that was not:"
        );
        foreach (string line in lines.Take(LinesShown))
        {
            output.WriteLine($"  {line}");
        }

        if (lines.Count > LinesShown)
        {
            output.WriteLine($"  … and {Figures.Count(lines.Count - LinesShown)} more lines (--output json has all)");
        }
    }

    // What the run printed at its end: the digest over all contexts. As a mismatch it is of context 0, which does not exist.
    private static void VerifyEnd(
        ulong recorded,
        RestoredJournal replay,
        ref int verified,
        List<(int Context, long Event, ulong Recorded, ulong Found)> mismatches
    )
    {
        ulong found = ulong.Parse(replay.Digest, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (found == recorded)
        {
            verified++;
        }
        else
        {
            mismatches.Add((0, 0, recorded, found));
        }
    }
}
