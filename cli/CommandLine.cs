using System.CommandLine;
using System.CommandLine.Parsing;
using Iommufd.Cli.Commands;
using Iommufd.Cli.Output;
using Iommufd.Scenarios.Language;

namespace Iommufd.Cli;

/// <summary>The <c>iommufd</c> command: parses, dispatches, turns what went wrong into exit codes.</summary>
public static class CommandLine
{
    /// <summary>Runs one command.</summary>
    /// <param name="args">As typed.</param>
    /// <param name="streams">Where it writes.</param>
    /// <param name="stop">Asks a running command to stop in order.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, Streams streams, CancellationToken stop)
    {
        ParseResult parsed = Root(args, streams).Parse(args);
        if (parsed.Errors.Count > 0)
        {
            return Refuse(parsed, streams);
        }

        var invocation = new InvocationConfiguration
        {
            Output = streams.Out,
            Error = streams.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        try
        {
            return await parsed.InvokeAsync(invocation, stop).ConfigureAwait(false);
        }
        catch (ScenarioInvalidException invalid)
        {
            foreach (Mistake mistake in invalid.Mistakes)
            {
                await streams.Error.WriteLineAsync(mistake.ToString()).ConfigureAwait(false);
            }

            return ExitCode.BadInput;
        }
        catch (BadInputException bad)
        {
            await streams.Error.WriteLineAsync(bad.Message).ConfigureAwait(false);
            return ExitCode.BadInput;
        }
        catch (Exception bug) when (bug is not OutOfMemoryException)
        {
            await streams.Error.WriteLineAsync($"iommufd: internal error: {bug}").ConfigureAwait(false);
            await streams.Error.WriteLineAsync(ReportAdvice(args)).ConfigureAwait(false);
            return ExitCode.InternalError;
        }
    }

    private static readonly (string Name, Func<Streams, Command> Create)[] Commands =
    [
        ("run", RunCommand.Create),
        ("list", ListCommand.Create),
        ("check", CheckCommand.Create),
        ("replay", ReplayCommand.Create),
        ("inspect", InspectCommand.Create),
        ("diff", DiffCommand.Create),
        ("conform", ConformCommand.Create),
        ("bench", BenchCommand.Create),
        ("resume", ResumeCommand.Create),
        ("reexecute", ReexecuteCommand.Create),
        ("explain", ExplainCommand.Create),
        ("export", ExportCommand.Create),
        ("import", ImportCommand.Create),
        ("shrink", ShrinkCommand.Create),
        ("faults", FaultsCommand.Create),
        ("merge", MergeCommand.Create),
        ("soak", SoakCommand.Create),
    ];

    // A command that is named first is the only one that is made: the others cost more than a short one of them does.
    private static RootCommand Root(string[] args, Streams streams)
    {
        var root = new RootCommand(
            "Simulates Linux's iommufd: objects, ioctls, page tables, devices. Start with: iommufd run quickstart"
        );
        int named = args.Length == 0 ? -1 : Array.FindIndex(Commands, c => c.Name == args[0]);
        foreach ((_, Func<Streams, Command> create) in named >= 0 ? Commands.AsSpan(named, 1) : Commands)
        {
            root.Add(create(streams));
        }

        return root;
    }

    // Names what was mistyped and the nearest valid word: the parser's own message only says that it is unknown.
    private static int Refuse(ParseResult parsed, Streams streams)
    {
        Command command = parsed.CommandResult.Command;
        string[] valid =
        [
            .. command.Subcommands.Select(c => c.Name),
            .. command.Options.Select(o => o.Name).Where(n => n.StartsWith('-')),
        ];
        foreach (ParseError error in parsed.Errors)
        {
            string? unknown = parsed.UnmatchedTokens.FirstOrDefault(t =>
                error.Message.Contains($"'{t}'", StringComparison.Ordinal)
            );
            string message = unknown is null
                ? error.Message
                : $"unknown word '{unknown}'{NearestWord.Hint(unknown, valid)}";
            streams.Error.WriteLine($"iommufd: error: {message}");
        }

        streams.Error.WriteLine($"try: iommufd {(command is RootCommand ? string.Empty : command.Name + " ")}--help");
        return ExitCode.BadInput;
    }

    private static string ReportAdvice(string[] args) =>
        "This is a bug of the simulator, not of your input. Please report it with this command and its journal: iommufd "
        + string.Join(' ', args);
}

/// <summary>Input that cannot be used and is not a scenario: FILE:LINE:COLUMN: error: message.</summary>
/// <param name="file">The file, as the user named it.</param>
/// <param name="message">What is wrong, what would be right.</param>
/// <param name="line">The line, from 1.</param>
/// <param name="column">The column, from 1.</param>
public sealed class BadInputException(string file, string message, int line = 1, int column = 1)
    : Exception($"{file}:{line}:{column}: error: {message}");
