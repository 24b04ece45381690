using System.CommandLine;
using Iommufd.Cli.Output;
using Iommufd.Scenarios.Reports;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd merge</c>: the parts of a soak that ran on several machines become one result.</summary>
internal static class MergeCommand
{
    public static Command Create(Streams streams)
    {
        var folder = new Argument<string>("DIR")
        {
            Description = "A folder with the result of each part: *.json, written by soak --summary.",
        };
        var summary = new Option<string?>("--summary")
        {
            Description = "Writes the merged JSON object to a file as well, outside of DIR.",
            HelpName = "FILE.json",
        };
        var report = new Option<string?>("--report")
        {
            Description = "Writes a report: one HTML file without outside resources.",
            HelpName = "FILE.html",
        };
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("merge", "Puts the results of the parts of a soak together.")
        {
            folder,
            summary,
            report,
            output,
        };
        command.SetAction(
            (parsed, _) =>
                RunAsync(
                    parsed.GetRequiredValue(folder),
                    parsed.GetValue(summary),
                    parsed.GetValue(report),
                    ScenarioOptions.IsJson(parsed.GetValue(output)),
                    streams
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(
        string folder,
        string? summary,
        string? report,
        bool isJson,
        Streams streams
    )
    {
        SoakPart merged;
        IReadOnlyList<SoakPart> parts;
        try
        {
            parts = await ReadAsync(folder).ConfigureAwait(false);
            merged = SoakMerge.Merge(parts);
        }
        catch (SoakMergeException wrong)
        {
            throw new BadInputException(wrong.Part, wrong.Message);
        }

        foreach (SoakShard missing in SoakMerge.Missing(parts))
        {
            await streams.Error.WriteLineAsync($"part {missing} is missing").ConfigureAwait(false);
        }

        string json = streams.Format(SoakJson.Of(merged.Subject, merged.Outcome));
        await SoakCommand.WriteAsync(summary, json).ConfigureAwait(false);
        await SoakCommand.WriteAsync(report, SoakHtml.Of(merged.Subject, merged.Outcome)).ConfigureAwait(false);
        if (isJson)
        {
            await streams.Out.WriteLineAsync(json).ConfigureAwait(false);
        }
        else
        {
            SoakText.Write(merged.Subject, merged.Outcome, streams);
        }

        return merged.Outcome.Totals.Failures.Count > 0 ? ExitCode.CheckFailed
            : merged.Outcome.IsComplete ? ExitCode.Success
            : ExitCode.CutShort;
    }

    private static async Task<IReadOnlyList<SoakPart>> ReadAsync(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new BadInputException(folder, "there is no such folder");
        }

        var parts = new List<SoakPart>();
        foreach (string file in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            try
            {
                parts.Add(SoakMerge.Read(file, await File.ReadAllTextAsync(file).ConfigureAwait(false)));
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
            {
                throw new BadInputException(file, $"cannot be read: {unreadable.Message}");
            }
        }

        return parts.Count > 0 ? parts : throw new BadInputException(folder, "no results (*.json) in it");
    }
}
