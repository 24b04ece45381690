using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Iommufd.Cli.Output;
using Iommufd.Persistence;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd explain</c>: the story of an address or of an object.</summary>
internal static class ExplainCommand
{
    // A fleet of VMs has the same address in every context.
    private const int ContextsShown = 8;

    public static Command Create(Streams streams)
    {
        var journal = new Argument<string>("JOURNAL") { Description = "A journal that a run wrote." };
        var iova = new Option<string?>("--iova") { Description = "The story of this IOVA.", HelpName = "X" };
        var ioas = new Option<uint?>("--ioas") { Description = "With --iova: only in this IOAS.", HelpName = "ID" };
        var target = new Option<uint?>("--object") { Description = "The story of this object.", HelpName = "ID" };
        var context = new Option<int?>("--context") { Description = "Only in the context iommufd-N.", HelpName = "N" };
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("explain", "Tells what happened to an address or an object.")
        {
            journal,
            iova,
            ioas,
            target,
            context,
            output,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(journal),
                parsed.GetValue(iova),
                parsed.GetValue(ioas),
                parsed.GetValue(target),
                parsed.GetValue(context),
                ScenarioOptions.IsJson(parsed.GetValue(output)),
                streams
            )
        );
        return command;
    }

    private static int Run(
        string file,
        string? iova,
        uint? ioas,
        uint? target,
        int? context,
        bool isJson,
        Streams streams
    )
    {
        if (iova is null == target is null)
        {
            streams.Error.WriteLine("iommufd: error: explain tells of one thing: --iova X or --object ID");
            return ExitCode.BadInput;
        }

        ulong address = 0;
        if (iova is not null && !TryAddress(iova, out address))
        {
            streams.Error.WriteLine($"iommufd: error: --iova: '{iova}' is no address: a number like 0x1000 or 4096 is");
            return ExitCode.BadInput;
        }

        using JournalFile journal = JournalPlace.ForReading(file);
        IReadOnlyList<StoryChapter> chapters = JournalPlace.Read(
            file,
            () =>
                target is { } id
                    ? JournalStory.OfObject(journal, id, context)
                    : JournalStory.OfIova(journal, address, context, ioas)
        );
        string subject = target is { } known
            ? $"object {known}"
            : $"IOVA 0x{address:x}" + (ioas is { } one ? $" of IOAS {one}" : string.Empty);
        if (isJson)
        {
            streams.WriteJson(Json(subject, chapters));
        }
        else
        {
            WriteText(subject, chapters, streams.Out);
        }

        return ExitCode.Success;
    }

    private static bool TryAddress(string text, out ulong address) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out address)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out address);

    private static JsonObject Json(string subject, IReadOnlyList<StoryChapter> chapters) =>
        new()
        {
            ["subject"] = subject,
            ["contexts"] = new JsonArray(
                [
                    .. chapters.Select(c => new JsonObject
                    {
                        ["context"] = c.Context,
                        ["now"] = c.Now,
                        ["events"] = new JsonArray(
                            [
                                .. c.Lines.Select(l => new JsonObject
                                {
                                    ["event"] = l.SequenceNr,
                                    ["row"] = l.Row,
                                    ["type"] = l.Type,
                                    ["text"] = l.Text,
                                }),
                            ]
                        ),
                    }),
                ]
            ),
            ["limits"] = JournalStory.Limits,
        };

    private static void WriteText(string subject, IReadOnlyList<StoryChapter> chapters, TextWriter output)
    {
        if (chapters.Count == 0)
        {
            output.WriteLine($"{subject}: the journal has nothing about it");
            return;
        }

        foreach (StoryChapter chapter in chapters.Take(ContextsShown))
        {
            output.WriteLine($"{subject} in iommufd-{chapter.Context}");
            int width = $"{chapter.Lines[^1].SequenceNr}".Length;
            foreach (StoryLine line in chapter.Lines)
            {
                string number = line.SequenceNr.ToString(CultureInfo.InvariantCulture).PadLeft(width);
                output.WriteLine($"  event {number}  {line.Text}");
            }

            output.WriteLine($"  at the end: {chapter.Now}");
        }

        if (chapters.Count > ContextsShown)
        {
            output.WriteLine(
                $"… and in {Figures.Count(chapters.Count - ContextsShown)} more contexts; --context N chooses one"
            );
        }

        output.WriteLine(JournalStory.Limits);
    }
}
