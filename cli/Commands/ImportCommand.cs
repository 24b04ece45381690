using System.CommandLine;
using Iommufd.Cli.Output;
using Iommufd.Persistence;
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
        var command = new Command("import", "Makes a journal out of an exported one.") { file, journal };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(file), parsed.GetRequiredValue(journal), streams));
        return command;
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

        try
        {
            writer.Complete();
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(journal, $"the journal cannot be written: {unwritable.Message}");
        }

        streams.Error.WriteLine($"{journal}: {Figures.Count(count)} events");
        return ExitCode.Success;
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
