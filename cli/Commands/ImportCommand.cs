using System.CommandLine;
using Iommufd.Cli.Output;
using Iommufd.Messages.Events;
using Iommufd.Persistence;
using Iommufd.Scenarios.Conformance;
using Iommufd.Scenarios.Language;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd import</c>: a journal out of text.</summary>
internal static class ImportCommand
{
    public static Command Create(Streams streams)
    {
        var file = new Argument<string>("FILE") { Description = "What export wrote." };
        var journal = new Option<string>("--journal")
        {
            Description = "The journal to make; it must be new or empty.",
            HelpName = "JOURNAL",
            Required = true,
        };
        var format = new Option<string>("--format")
        {
            Description =
                "journal: what export wrote as jsonl or csv. trace: a recorded kernel trace, which is played.",
            DefaultValueFactory = _ => "journal",
        };
        format.AcceptOnlyFromAmong("journal", "jsonl", "csv", "trace");
        var command = new Command("import", "Makes a journal out of text.") { file, format, journal };
        command.SetAction(
            (parsed, _) =>
                string.Equals(parsed.GetValue(format), "trace", StringComparison.Ordinal)
                    ? PlayAsync(parsed.GetRequiredValue(file), parsed.GetRequiredValue(journal), streams)
                    : Task.FromResult(Run(parsed.GetRequiredValue(file), parsed.GetRequiredValue(journal), streams))
        );
        return command;
    }

    private static async Task<int> PlayAsync(string file, string journal, Streams streams)
    {
        Trace trace;
        try
        {
            trace = TraceReader.Read(file);
        }
        catch (TraceFormatException wrong)
        {
            throw new BadInputException(file, wrong.Problem, wrong.Line, wrong.Column);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(file, $"cannot be read: {unreadable.Message}");
        }

        using JournalWriter writer = Begin(journal);
        PlayedTrace played = await TraceJournal.PlayAsync(trace).ConfigureAwait(false);
        foreach ((int number, IReadOnlyList<ContextEvent> events) in played.Contexts)
        {
            foreach (ContextEvent change in events)
            {
                writer.Append($"iommufd-{number}", change);
            }
        }

        long count = writer.Count;
        Complete(writer, journal);
        streams.Error.WriteLine($"{journal}: {Figures.Count(count)} events");
        if (played.Report.Disagreements is not [{ } first, ..])
        {
            return ExitCode.Success;
        }

        streams.Error.WriteLine(
            $"{first.Trace}, step {first.Step}, {first.Op}: {first.Field} is {first.Actual}, the trace's is {first.Expected}"
        );
        return ExitCode.CheckFailed;
    }

    private static int Run(string file, string journal, Streams streams)
    {
        using TextReader input = Open(file);
        using JournalWriter writer = Begin(journal);
        long count;
        try
        {
            count = JournalText.Read(input, writer);
        }
        catch (JournalTextException wrong)
        {
            string hint = wrong.UnknownEvent is { } name ? NearestWord.Hint(name, EventJson.Names) : string.Empty;
            throw new BadInputException(file, wrong.Message + hint, wrong.Line, wrong.Column);
        }

        Complete(writer, journal);
        streams.Error.WriteLine($"{journal}: {Figures.Count(count)} events");
        return ExitCode.Success;
    }

    private static void Complete(JournalWriter writer, string journal)
    {
        try
        {
            writer.Complete();
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(journal, $"the journal cannot be written: {unwritable.Message}");
        }
    }

    private static StreamReader Open(string file)
    {
        try
        {
            return new StreamReader(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(file, $"cannot be read: {unreadable.Message}");
        }
    }

    private static JournalWriter Begin(string journal)
    {
        try
        {
            return JournalWriter.Create(journal);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(journal, $"the journal cannot be written: {unwritable.Message}");
        }
    }
}
