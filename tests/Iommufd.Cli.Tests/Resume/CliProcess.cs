using System.Diagnostics;

namespace Iommufd.Cli.Tests.Resume;

/// <summary>The command as a process of its own, which can be killed. Its replies come on standard error, as they leave.</summary>
internal sealed class CliProcess : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "iommufd.dll");

    private readonly Process _process;
    private readonly Task<string> _output;

    private CliProcess(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        _process = Process.Start(start)!;
        _output = _process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>What it wrote to standard error, as far as it was read.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>Starts a command that writes its replies to standard error.</summary>
    public static CliProcess Start(params string[] args) =>
        new(new ProcessStartInfo(Dotnet, [Program, .. args, "--ack-log", "/dev/stderr"]));

    /// <summary>Starts a command from a shell, after the shell's own commands: limits, capabilities.</summary>
    /// <param name="before">Ends with <c>exec</c>, or with what execs its arguments.</param>
    /// <param name="args">The command.</param>
    public static CliProcess StartIn(string before, params string[] args) =>
        new(new ProcessStartInfo("bash", ["-c", before + " \"$0\" \"$@\"", Dotnet, Program, .. args]));

    /// <summary>Reads lines until so many have come, or the end.</summary>
    /// <returns>Whether they have come.</returns>
    public bool ReadLines(int count)
    {
        while (Errors.Count < count)
        {
            Task<string?> line = _process.StandardError.ReadLineAsync();
            Assert.True(line.Wait(Limit), "the process neither wrote nor ended");
            if (line.Result is null)
            {
                return false;
            }

            Errors.Add(line.Result);
        }

        return true;
    }

    /// <summary>Waits a little, for a process that says nothing yet.</summary>
    public void Linger(TimeSpan time) => _process.WaitForExit(time);

    /// <summary>kill -9, then reads what it had still written. A last line that was cut is left out.</summary>
    public void Kill()
    {
        _process.Kill();
        string rest = _process.StandardError.ReadToEnd();
        Errors.AddRange(rest.Split('\n')[..^1]);
        Assert.True(_process.WaitForExit(Limit));
    }

    /// <summary>Waits for the end.</summary>
    public CliRun End()
    {
        ReadLines(int.MaxValue);
        Assert.True(_process.WaitForExit(Limit), "the process did not end");
        return new CliRun(_process.ExitCode, _output.Result, string.Join('\n', Errors));
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static string Dotnet =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet" ? Environment.ProcessPath! : "dotnet";
}
