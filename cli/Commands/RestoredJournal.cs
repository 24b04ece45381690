using System.Globalization;
using Iommufd.Persistence;

namespace Iommufd.Cli.Commands;

/// <summary>The contexts of a journal, brought back from their events, as the commands show them.</summary>
/// <param name="Contexts">In the order of their numbers.</param>
/// <param name="Events">Events applied.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Digest">The digest of the whole, as a run reports it.</param>
internal sealed record RestoredJournal(
    IReadOnlyList<ReplayedContext> Contexts,
    long Events,
    TimeSpan Elapsed,
    string Digest
)
{
    /// <summary>Which run wrote it; null for one of event version 1.</summary>
    public JournaledRun? Run { get; private init; }

    /// <summary>Restores every context.</summary>
    /// <param name="file">The journal.</param>
    /// <param name="through">The last row of the file to apply; null for all.</param>
    /// <exception cref="BadInputException">It is not a journal, or an event does not fit.</exception>
    public static RestoredJournal Of(string file, long? through)
    {
        using JournalFile journal = JournalPlace.ForReading(file);
        try
        {
            ReplayReport report = JournalReplay.Run(journal, through);
            return new RestoredJournal(
                [.. report.Contexts.Values],
                report.Events,
                report.Elapsed,
                report.Digest.ToString("x16", CultureInfo.InvariantCulture)
            )
            {
                Run = journal.ReadRun(),
            };
        }
        catch (JournalFormatException wrong)
        {
            throw JournalPlace.Refused(file, wrong);
        }
    }
}
