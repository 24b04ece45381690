using System.Diagnostics;
using System.Globalization;
using Iommufd.Core.Context;
using Iommufd.Persistence;

namespace Iommufd.Cli.Commands;

/// <summary>The contexts of a journal, brought back from their events.</summary>
/// <param name="Contexts">In the order of their numbers.</param>
/// <param name="Events">Events applied.</param>
/// <param name="Elapsed">How long it took.</param>
internal sealed record JournalReplay(IReadOnlyList<ReplayedContext> Contexts, long Events, TimeSpan Elapsed)
{
    /// <summary>The digest of the whole, as a run reports it.</summary>
    public string Digest
    {
        get
        {
            var digests = Contexts.ToDictionary(c => c.Number, c => c.Digest);
            return MachineDigest.Of(digests).ToString("x16", CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Restores every context.</summary>
    /// <param name="file">The journal.</param>
    /// <param name="through">The last row of the file to apply; null for all.</param>
    /// <exception cref="BadInputException">It is not a journal, or an event does not fit.</exception>
    public static JournalReplay Of(string file, long? through)
    {
        using JournalFile journal = JournalPlace.ForReading(file);
        var watch = Stopwatch.StartNew();
        var contexts = new List<ReplayedContext>();
        long events = 0;
        try
        {
            foreach (string stream in journal.Streams())
            {
                ReplayedContext? context = null;
                foreach (JournaledEvent next in journal.Read(stream, through))
                {
                    context ??= new ReplayedContext(NumberOf(file, stream));
                    context.Apply(next.Event);
                    events++;
                }

                if (context is not null)
                {
                    contexts.Add(context);
                }
            }
        }
        catch (JournalFormatException wrong)
        {
            throw JournalPlace.Refused(file, wrong);
        }

        return new JournalReplay(contexts, events, watch.Elapsed);
    }

    /// <summary>The number of the context whose stream has this name.</summary>
    public static int NumberOf(string file, string stream)
    {
        int dash = stream.LastIndexOf('-');
        return int.TryParse(stream.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new BadInputException(file, $"the stream '{stream}' is not a context's: iommufd-N");
    }
}
