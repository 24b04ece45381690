using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Iommufd.Cli.Output;

/// <summary>Where a command writes: results on standard output, everything else on standard error.</summary>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="IsQuiet">Whether standard error is no terminal: no progress then.</param>
public sealed record Streams(TextWriter Out, TextWriter Error, bool IsQuiet)
{
    private static readonly JsonSerializerOptions Written = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A console for results.</summary>
    public IAnsiConsole ResultConsole() => ConsoleOn(Out, Out == Console.Out && !Console.IsOutputRedirected);

    /// <summary>A console for progress.</summary>
    public IAnsiConsole ProgressConsole() => ConsoleOn(Error, !IsQuiet);

    /// <summary>Writes the one JSON object of a command.</summary>
    public void WriteJson(JsonObject result) => Out.WriteLine(result.ToJsonString(Written));

    private static IAnsiConsole ConsoleOn(TextWriter writer, bool isTerminal)
    {
        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(writer),
                Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
                ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
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
