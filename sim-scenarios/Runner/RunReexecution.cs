using Iommufd.Persistence;

namespace Iommufd.Scenarios.Runner;

/// <summary>Executes the run of a journal again, on the actors, and compares every event. The journal is only read.</summary>
public static class RunReexecution
{
    /// <summary>Executes a seeded run again: in a journal of its own, which is deleted afterwards.</summary>
    /// <param name="file">The journal.</param>
    /// <param name="resumption">Its run.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    /// <exception cref="JournalFormatException">The journal cannot be read.</exception>
    public static async Task<ReexecutionReport> RunAsync(string file, RunResumption resumption, CancellationToken stop)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("iommufd-reexecute-");
        EventDifference? first = null;
        bool isComplete = resumption.Run.Finished is not null;
        try
        {
            SimulatedRunHost? host = null;
            using var recorded = new RecordedEvents(file, Differs, isComplete);
            long before = recorded.Left;
            recorded.AllCame += () =>
            {
                if (!isComplete)
                {
                    host!.Abort(new RunAbandonedException("the journal ends here"));
                }
            };
            using var own = new SimulatedRunHost(
                Path.Combine(folder.FullName, "again.db"),
                resumption.Durability,
                resumption.Faults
            )
            {
                Witnesses = [recorded],
            };
            host = own;
            try
            {
                var options = new RunOptions(resumption.Run.Started.Seed, null, own) { Faults = resumption.Faults };
                await ScenarioRunner.RunAsync(resumption.Scenario, options, null, stop).ConfigureAwait(false);
                stop.ThrowIfCancellationRequested();
            }
            catch (Exception ended) when (ended is RunAbandonedException or JournalDivergedException)
            {
                // At the first difference, or at the end of a journal whose run had not ended.
            }

            string? refusal =
                first is null && recorded.Left > 0
                    ? FormattableString.Invariant(
                        $"the run ends, and {recorded.Left} events of the journal have not come"
                    )
                    : null;
            return new ReexecutionReport(before - recorded.Left, 0, first, refusal);

            void Differs(EventDifference difference)
            {
                first ??= difference;
                host!.Abort(new JournalDivergedException(difference));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
