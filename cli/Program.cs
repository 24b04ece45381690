using System.Diagnostics;
using Iommufd.Cli.Output;

namespace Iommufd.Cli;

/// <summary>Entry point.</summary>
public static class Program
{
    /// <summary>Since when the program runs: what the runtime did before is not in it.</summary>
    internal static Stopwatch Clock { get; private set; } = new();

    /// <summary>Runs the command line.</summary>
    public static async Task<int> Main(string[] args)
    {
        Clock = Stopwatch.StartNew();
        // Results alone go to standard output. Whatever else writes to the console, such as a logger, goes to standard error.
        TextWriter results = Console.Out;
        Console.SetOut(Console.Error);
        using var interrupt = new Interrupt();
        var streams = new Streams(results, Console.Error)
        {
            OutIsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
        };
        return await CommandLine.RunAsync(args, streams, interrupt.Token).ConfigureAwait(false);
    }
}
