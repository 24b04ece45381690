using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Iommufd.Cli.Output;

/// <summary>Where a command writes: results on standard output, everything else on standard error.</summary>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record Streams(TextWriter Out, TextWriter Error)
{
    private static readonly JsonSerializerOptions Written = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Whether results are shown on a terminal.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>Whether standard error is a terminal: no progress is shown otherwise.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>A console for results.</summary>
    public IAnsiConsole ResultConsole() => ConsoleOn(Out, OutIsTerminal);

    /// <summary>A console for progress.</summary>
    public IAnsiConsole ProgressConsole() => ConsoleOn(Error, ErrorIsTerminal);

    /// <summary>Writes the one JSON object of a command.</summary>
    public void WriteJson(JsonObject result) => Out.WriteLine(Format(result));

    /// <summary>A JSON object as commands write it.</summary>
    public string Format(JsonObject result) => result.ToJsonString(Written);

    private static IAnsiConsole ConsoleOn(TextWriter writer, bool isTerminal)
    {
        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(writer),
                Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No,
                ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
            }
        );
        if (!isTerminal)
        {
            // A pipe has no width: lines are as long as their content.
            console.Profile.Width = 200;
        }

        return console;
    }
}
