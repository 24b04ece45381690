namespace Iommufd.Scenarios.Conformance;

/// <summary>How a set of traces is played.</summary>
/// <param name="Parallelism">Traces at the same time, at least 1. Each has a kernel of its own.</param>
/// <param name="Player">How each is played.</param>
public sealed record ConformanceOptions(int Parallelism, TracePlayerOptions Player);

/// <summary>Plays files and folders of traces and adds up what agreed.</summary>
/// <param name="kernels">Makes a fresh kernel for a trace.</param>
/// <param name="options">How the traces are played.</param>
public sealed class ConformanceRunner(Func<ISimulatedKernel> kernels, ConformanceOptions options)
{
    /// <summary>Called after each trace, from any thread; for progress displays.</summary>
    public Action<TraceReport>? AfterTrace { get; init; }

    /// <summary>
    /// Finds the trace files: a file as it is, a folder's *.jsonl with those below it, in ordinal order.
    /// </summary>
    /// <exception cref="FileNotFoundException">A path is neither.</exception>
    public static IReadOnlyList<string> FindTraces(IEnumerable<string> paths)
    {
        var files = new List<string>();
        foreach (string path in paths)
        {
            if (Directory.Exists(path))
            {
                files.AddRange(
                    Directory.EnumerateFiles(path, "*.jsonl", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
                );
            }
            else if (File.Exists(path))
            {
                files.Add(path);
            }
            else
            {
                throw new FileNotFoundException($"{path} is neither a trace file nor a folder.", path);
            }
        }

        return files;
    }

    /// <summary>Plays every trace. The report's order is that of the files, whatever order they ended in.</summary>
    /// <exception cref="FileNotFoundException">A path is neither a file nor a folder.</exception>
    /// <exception cref="TraceFormatException">A file does not follow the format.</exception>
    public async Task<ConformanceReport> RunAsync(IEnumerable<string> paths, CancellationToken cancellation)
    {
        IReadOnlyList<string> files = FindTraces(paths);
        var played = new Played[files.Count];
        var degree = new ParallelOptions
        {
            MaxDegreeOfParallelism = options.Parallelism,
            CancellationToken = cancellation,
        };
        await Parallel
            .ForAsync(
                0,
                files.Count,
                degree,
                async (i, _) =>
                {
                    played[i] = await PlayAsync(files[i], lockedPages: 0).ConfigureAwait(false);
                    AfterTrace?.Invoke(played[i].Report);
                }
            )
            .ConfigureAwait(false);
        await ReplayAfterLeaksAsync(files, played, cancellation).ConfigureAwait(false);
        return ConformanceReport.Of([.. played.Select(p => p.Report)]);
    }

    // The traces of a folder were recorded one after the other on one kernel. One that leaks locked pages there (an iommufd mapped into
    // itself) leaves them charged to the user for all that follow: those with a limit are played again as they were recorded.
    private async Task ReplayAfterLeaksAsync(
        IReadOnlyList<string> files,
        Played[] played,
        CancellationToken cancellation
    )
    {
        string? folder = null;
        long leaked = 0;
        for (int i = 0; i < files.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Path.GetDirectoryName(files[i]) != folder)
            {
                folder = Path.GetDirectoryName(files[i]);
                leaked = 0;
            }

            if (leaked > 0 && played[i].IsLimited)
            {
                played[i] = await PlayAsync(files[i], leaked).ConfigureAwait(false);
                leaked = played[i].LockedPages;
            }
            else
            {
                leaked += played[i].LockedPages;
            }
        }
    }

    private async Task<Played> PlayAsync(string file, long lockedPages)
    {
        Trace trace = TraceReader.Read(file);
        ISimulatedKernel kernel = kernels();
        await using (kernel.ConfigureAwait(false))
        {
            await kernel.StartWithLockedPagesAsync(lockedPages).ConfigureAwait(false);
            TraceReport report = await new TracePlayer(options.Player).PlayAsync(trace, kernel).ConfigureAwait(false);
            long after = await kernel.EndAsync().ConfigureAwait(false);
            return new Played(report, after, !trace.Header.CapIpcLock);
        }
    }

    private readonly record struct Played(TraceReport Report, long LockedPages, bool IsLimited);
}
