using System.CommandLine;
using System.Globalization;
using Iommufd.Cli.Output;
using Iommufd.Messages.Events;
using Iommufd.Persistence;
using Iommufd.Scenarios.Conformance;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd export</c>: a journal as text.</summary>
internal static class ExportCommand
{
    public static Command Create(Streams streams)
    {
        var journal = new Argument<string>("JOURNAL") { Description = "A journal that a run wrote." };
        var format = new Option<string>("--format")
        {
            Description =
                "jsonl: an event a line with its fields. csv: for spreadsheets. trace: the calls of one context, which conform plays.",
            DefaultValueFactory = _ => "jsonl",
        };
        format.AcceptOnlyFromAmong("jsonl", "csv", "trace");
        var context = new Option<int?>("--context")
        {
            Description = "With --format trace: the context iommufd-N; needed when there are several.",
            HelpName = "N",
        };
        var file = new Option<string?>("--out")
        {
            Description = "Where it goes; standard output without.",
            HelpName = "FILE",
        };
        var command = new Command("export", "Writes a journal as text.") { journal, format, file };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(journal),
                string.Equals(parsed.GetValue(format), "csv", StringComparison.Ordinal)
                    ? JournalTextFormat.Csv
                    : JournalTextFormat.JsonLines,
                parsed.GetValue(file),
                streams
            )
        );
        return command;
    }

    private static int Run(string journal, JournalTextFormat format, string? file, Streams streams)
    {
        JournalPlace.Read(
            journal,
            () =>
            {
                using JournalRows rows = JournalRows.Open(journal);
                return file is null
                    ? JournalText.Write(rows, format, streams.Out)
                    : ToFile(rows, format, file, streams);
            }
        );
        return ExitCode.Success;
    }

    // What is there already stays as it is until the export is complete.
    private static long ToFile(JournalRows rows, JournalTextFormat format, string file, Streams streams)
    {
        string unfinished = file + ".unfinished";
        long count;
        try
        {
            using (var output = new StreamWriter(unfinished, append: false, new UTF8Encoding(false)))
            {
                count = JournalText.Write(rows, format, output);
            }

            File.Move(unfinished, file, overwrite: true);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(file, $"cannot be written: {unwritable.Message}");
        }
        catch (JournalFormatException)
        {
            File.Delete(unfinished);
            throw;
        }

        streams.Error.WriteLine($"{file}: {Figures.Count(count)} events");
        return count;
    }
}
