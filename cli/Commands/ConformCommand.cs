using System.CommandLine;
using Iommufd.Cli.Output;
using Iommufd.Scenarios.Conformance;
using Iommufd.Scenarios.Conformance.Kernel;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd conform</c>: plays recorded kernel traces and compares every answer.</summary>
internal static class ConformCommand
{
    private const int Shown = 40;

    public static Command Create(Streams streams)
    {
        var paths = new Argument<string[]>("PATH")
        {
            Description = "A trace, or a folder with *.jsonl traces.",
            Arity = ArgumentArity.OneOrMore,
        };
        var kernel = new Option<string>("--kernel")
        {
            Description = "What plays: actors, or the sequential model without actors.",
            DefaultValueFactory = _ => "actors",
        };
        kernel.AcceptOnlyFromAmong("actors", "sequential");
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("conform", "Plays recorded kernel traces and compares every answer.")
        {
            paths,
            kernel,
            output,
        };
        command.SetAction(
            (parsed, stop) =>
                RunAsync(
                    parsed.GetRequiredValue(paths),
                    string.Equals(parsed.GetValue(kernel), "sequential", StringComparison.Ordinal),
                    ScenarioOptions.IsJson(parsed.GetValue(output)),
                    streams,
                    stop
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(
        string[] paths,
        bool isSequential,
        bool isJson,
        Streams streams,
        CancellationToken stop
    )
    {
        Func<ISimulatedKernel> kernels = isSequential ? SimulatedKernel.Sequential : SimulatedKernel.WithActors;
        var runner = new ConformanceRunner(
            kernels,
            new ConformanceOptions(Environment.ProcessorCount, TracePlayerOptions.Default)
        );
        ConformanceReport report;
        try
        {
            report = await runner.RunAsync(paths, stop).ConfigureAwait(false);
        }
        catch (TraceFormatException wrong)
        {
            await streams.Error.WriteLineAsync(wrong.Message).ConfigureAwait(false);
            return ExitCode.BadInput;
        }
        catch (FileNotFoundException missing)
        {
            throw new BadInputException(missing.FileName ?? paths[0], "neither a trace nor a folder with traces");
        }
        catch (OperationCanceledException)
        {
            return ExitCode.CutShort;
        }

        if (isJson)
        {
            await streams.Out.WriteLineAsync(report.ToJson()).ConfigureAwait(false);
        }
        else
        {
            WriteText(report, streams.Out);
        }

        return report.Ok ? ExitCode.Success : ExitCode.CheckFailed;
    }

    private static void WriteText(ConformanceReport report, TextWriter output)
    {
        foreach (Disagreement one in report.Disagreements.Take(Shown))
        {
            output.WriteLine(
                $"{one.Trace}, step {one.Step}, {one.Op}: {one.Field} is {one.Actual}, the kernel's is {one.Expected}"
            );
        }

        if (report.Disagreements.Count > Shown)
        {
            output.WriteLine($"… and {Figures.Count(report.Disagreements.Count - Shown)} more (--output json has all)");
        }

        output.WriteLine(
            $"{Figures.Count(report.Agreeing)} of {Figures.Count(report.Traces)} traces agree, "
                + $"{Figures.Count(report.StepsAgreeing)} of {Figures.Count(report.Steps)} steps; "
                + $"{Figures.Count(report.Unsupported)} steps are not supported"
        );
    }
}
