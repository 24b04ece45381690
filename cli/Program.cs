using Iommufd.Cli.Output;

namespace Iommufd.Cli;

/// <summary>Entry point.</summary>
public static class Program
{
    /// <summary>Runs the command line.</summary>
    public static async Task<int> Main(string[] args)
    {
        using var interrupt = new Interrupt();
        return await CommandLine
            .RunAsync(args, new Streams(Console.Out, Console.Error, Console.IsErrorRedirected), interrupt.Token)
            .ConfigureAwait(false);
    }
}
