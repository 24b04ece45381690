using System.Text.Json.Nodes;
using Iommufd.Cli;
using Iommufd.Cli.Output;

namespace Iommufd.Cli.Tests;

/// <summary>What one command wrote and how it ended.</summary>
internal sealed record CliRun(int ExitCode, string Out, string Error)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Runs a command in this process, without a terminal.</summary>
    public static CliRun Of(params string[] args) => Of(CancellationToken.None, args);

    /// <summary>Runs a command that can be asked to stop.</summary>
    public static CliRun Of(CancellationToken stop, params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        Task<int> run = Task.Run(() => CommandLine.RunAsync(args, new Streams(output, error), stop));
        Assert.True(run.Wait(Limit), $"'{string.Join(' ', args)}' did not end");
        return new CliRun(run.Result, output.ToString(), error.ToString());
    }

    /// <summary>Standard output as the one JSON object that it must be.</summary>
    public JsonObject Json() => JsonNode.Parse(Out)!.AsObject();
}
