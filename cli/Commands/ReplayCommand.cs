using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Iommufd.Cli.Output;
using Iommufd.Persistence;
using Iommufd.Scenarios.Runner;

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
        command.SetAction(
            (parsed, stop) =>
                RunAsync(
                    parsed.GetRequiredValue(journal),
                    parsed.GetValue(to),
                    parsed.GetValue(verify),
                    ScenarioOptions.IsJson(parsed.GetValue(output)),
                    streams,
                    stop
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(
        string file,
        long? to,
        bool verify,
        bool isJson,
        Streams streams,
        CancellationToken stop
    )
    {
        RestoredJournal replay = RestoredJournal.Of(file, to);
        int verified = verify ? replay.Contexts.Sum(c => c.DigestsVerified) : 0;
        var mismatches = new List<(int Context, long Event, ulong Recorded, ulong Found)>();
        foreach (ReplayedContext context in replay.Contexts)
        {
            mismatches.AddRange(context.Mismatches.Select(m => (context.Number, m.Event, m.Recorded, m.Found)));
        }

        if (verify && to is null && replay.Run?.Finished is { } finished)
        {
            VerifyEnd(finished.Digest, replay, ref verified, mismatches);
        }

        WhatChanged? changed =
            verify && mismatches.Count > 0
                ? await WhatChangedAsync(file, mismatches, stop).ConfigureAwait(false)
                : null;
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
                    ["changed"] = changed?.Json(),
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

                if (changed is null)
                {
                    WriteSuspects(Suspects(replay, verify), streams.Out);
                }
                else
                {
                    changed.Write(streams.Out);
                }
            }
        }

        return verify && mismatches.Count > 0 ? ExitCode.CheckFailed : ExitCode.Success;
    }

    // A run with a seed is executed again: the first event that comes differently is the one that was changed, and the state with it
    // as it was is compared with the state as the journal has it.
    private static async Task<WhatChanged?> WhatChangedAsync(
        string file,
        List<(int Context, long Event, ulong Recorded, ulong Found)> mismatches,
        CancellationToken stop
    )
    {
        RunResumption? resumption = JournalPlace.Using(file, j => j.ReadRun() is null ? null : RunResumption.Of(j));
        if (resumption is not { Run.IsRepeatable: true } || !ActorRuntime.CanRepeat)
        {
            return null;
        }

        ReexecutionReport report = await RunReexecution.RunAsync(file, resumption, stop).ConfigureAwait(false);
        if (report.First is not { } first)
        {
            return null;
        }

        IReadOnlyList<ObjectDifference>? objects = null;
        foreach ((int context, long number, ulong recorded, ulong found) in mismatches)
        {
            objects ??=
                context == 0
                    ? null
                    : JournalPlace.Using(
                        file,
                        j => ChangedEvent.Objects(j, first, new DigestMismatch(context, number, recorded, found))
                    );
        }

        return new WhatChanged(first, objects);
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

/// <summary>The event of a journal that is not what the run made, and what that changed.</summary>
/// <param name="Event">As the journal has it, and as the run makes it when it is executed again.</param>
/// <param name="Objects">The objects that differ at the first digest that does; null when the event is not all that was changed.</param>
internal sealed record WhatChanged(EventDifference Event, IReadOnlyList<ObjectDifference>? Objects)
{
    public JsonObject Json() =>
        new()
        {
            ["stream"] = Event.Stream,
            ["event"] = Event.SequenceNr,
            ["recorded"] = EventText.Of(Event.Recorded),
            ["executed"] = EventText.Of(Event.Found),
            ["objects"] = Objects is null
                ? null
                : new JsonArray(
                    [
                        .. Objects.Select(o => new JsonObject
                        {
                            ["object"] = o.Name,
                            ["journal"] = Lines(o.OnlyInOurs),
                            ["run"] = Lines(o.OnlyInTheirs),
                        }),
                    ]
                ),
        };

    public void Write(TextWriter output)
    {
        output.WriteLine($"the run, executed again, differs first in event {Event.SequenceNr} of {Event.Stream}:");
        output.WriteLine($"- {EventText.Of(Event.Recorded)}");
        output.WriteLine($"+ {EventText.Of(Event.Found)}");
        if (Objects is null)
        {
            output.WriteLine("with it put right the digest is another one still: more than that event was changed");
            return;
        }

        output.WriteLine("because of it these objects differ, as the journal has them (-) and as they were (+):");
        foreach (ObjectDifference one in Objects)
        {
            output.WriteLine($"  {one.Name}");
            foreach (string line in one.OnlyInOurs)
            {
                output.WriteLine($"  - {line}");
            }

            foreach (string line in one.OnlyInTheirs)
            {
                output.WriteLine($"  + {line}");
            }
        }
    }

    private static JsonArray Lines(IReadOnlyList<string> lines) => new([.. lines.Select(l => JsonValue.Create(l))]);
}
