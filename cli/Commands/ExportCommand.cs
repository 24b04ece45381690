using System.CommandLine;
using System.Text;
using Iommufd.Cli.Output;
using Iommufd.Messages.Events;
using Iommufd.Persistence;
using Iommufd.Scenarios.Conformance;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd export</c>: a journal as text.</summary>
internal static class ExportCommand
{
    private const int NumbersShown = 8;

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
        var command = new Command("export", "Writes a journal as text.") { journal, format, context, file };
        command.SetAction(
            (parsed, _) =>
                RunAsync(
                    parsed.GetRequiredValue(journal),
                    parsed.GetRequiredValue(format),
                    parsed.GetValue(context),
                    parsed.GetValue(file),
                    streams
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(string journal, string format, int? context, string? file, Streams streams)
    {
        Func<TextWriter, Task> write = string.Equals(format, "trace", StringComparison.Ordinal)
            ? Calls(journal, context)
            : output => WriteEventsAsync(journal, format, output);
        if (file is null)
        {
            await write(streams.Out).ConfigureAwait(false);
            return ExitCode.Success;
        }

        // What is there already stays as it is until the export is complete.
        string unfinished = file + ".unfinished";
        try
        {
            var output = new StreamWriter(unfinished, append: false, new UTF8Encoding(false));
            await using (output.ConfigureAwait(false))
            {
                await write(output).ConfigureAwait(false);
            }

            File.Move(unfinished, file, overwrite: true);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(file, $"cannot be written: {unwritable.Message}");
        }
        catch (BadInputException)
        {
            File.Delete(unfinished);
            throw;
        }

        return ExitCode.Success;
    }

    private static Task WriteEventsAsync(string journal, string format, TextWriter output)
    {
        JournalTextFormat chosen = string.Equals(format, "csv", StringComparison.Ordinal)
            ? JournalTextFormat.Csv
            : JournalTextFormat.JsonLines;
        // To memory first for standard output: of a damaged journal nothing is shown.
        using var whole = new StringWriter(System.Globalization.CultureInfo.InvariantCulture);
        TextWriter target = output is StreamWriter ? output : whole;
        JournalPlace.Read(
            journal,
            () =>
            {
                using JournalRows rows = JournalRows.Open(journal);
                return JournalText.Write(rows, chosen, target);
            }
        );
        return output.WriteAsync(whole.ToString());
    }

    private static Func<TextWriter, Task> Calls(string file, int? context)
    {
        (string stream, IReadOnlyList<ContextEvent> events) = JournalPlace.Read(file, () => EventsOf(file, context));
        return async output =>
        {
            try
            {
                string name = $"{Path.GetFileNameWithoutExtension(file)}-{stream}";
                await JournalTrace.WriteAsync(name, events, output).ConfigureAwait(false);
            }
            catch (TraceExportException unsaid)
            {
                throw new BadInputException(file, $"event {unsaid.Number} of {stream}: {unsaid.Message}");
            }
        };
    }

    private static (string Stream, IReadOnlyList<ContextEvent> Events) EventsOf(string file, int? context)
    {
        using JournalFile journal = JournalPlace.ForReading(file);
        IReadOnlyList<string> streams = journal.Streams();
        string[] chosen = context is { } number
            ? [.. streams.Where(s => JournalReplay.NumberOf(s) == number)]
            : [.. streams];
        if (chosen.Length != 1)
        {
            string numbers = string.Join(", ", streams.Take(NumbersShown).Select(JournalReplay.NumberOf));
            throw new BadInputException(
                file,
                context is { } missing
                    ? $"there is no context {missing}; there are {numbers}"
                    : $"a trace is of one context and there are {streams.Count}: choose one with --context"
            );
        }

        return (chosen[0], [.. journal.Read(chosen[0]).Select(e => e.Event)]);
    }
}
