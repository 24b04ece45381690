// The story of an address or of an object in three files: JournalStory is what is told, StoryTeller finds it in the events of a
// context, StoryModel remembers what the events before did.
namespace Iommufd.Persistence;

/// <summary>One thing that happened.</summary>
/// <param name="SequenceNr">The event's number in its stream; 0 for what holds at the end.</param>
/// <param name="Row">Its number in the file.</param>
/// <param name="Type">The event's type.</param>
/// <param name="Text">What happened, in words.</param>
public sealed record StoryLine(long SequenceNr, long Row, string Type, string Text);

/// <summary>What one context has to do with it.</summary>
/// <param name="Context">The context's number.</param>
/// <param name="Lines">What happened, in order.</param>
/// <param name="Now">How it stands at the end.</param>
public sealed record StoryChapter(int Context, IReadOnlyList<StoryLine> Lines, string Now);

/// <summary>The story of an address or an object.</summary>
public static class JournalStory
{
    /// <summary>What the journal does not hold, for whoever looks for it there.</summary>
    public const string Limits =
        "DMA is not journalled: a journal holds what changed tables and pins, faults that devices reported, and dirty marks.";

    /// <summary>Tells what happened to an IOVA.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="iova">The IOVA.</param>
    /// <param name="context">The number of one context; null for all.</param>
    /// <param name="ioas">The id of one IOAS; null for all.</param>
    /// <exception cref="JournalFormatException">The journal is damaged or from a newer version.</exception>
    public static IReadOnlyList<StoryChapter> OfIova(
        JournalFile journal,
        ulong iova,
        int? context = null,
        uint? ioas = null
    ) => Tell(journal, context, () => new AddressTeller(iova, ioas));

    /// <summary>Tells what happened to an object.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="id">Its id; several objects may have had it one after the other.</param>
    /// <param name="context">The number of one context; null for all.</param>
    /// <exception cref="JournalFormatException">The journal is damaged or from a newer version.</exception>
    public static IReadOnlyList<StoryChapter> OfObject(JournalFile journal, uint id, int? context = null) =>
        Tell(journal, context, () => new ObjectTeller(id));

    private static IReadOnlyList<StoryChapter> Tell(JournalFile journal, int? context, Func<StoryTeller> tellers)
    {
        var chapters = new List<StoryChapter>();
        foreach (var stream in journal.Streams())
        {
            if (JournalReplay.IsRunStream(stream))
            {
                continue;
            }

            var number = JournalReplay.NumberOf(stream);
            if (context is { } wanted && number != wanted)
            {
                continue;
            }

            var teller = tellers();
            foreach (var journaled in journal.Read(stream))
            {
                teller.Hear(journaled);
            }

            if (teller.Lines.Count > 0)
            {
                chapters.Add(new StoryChapter(number, teller.Lines, teller.Now()));
            }
        }

        return chapters;
    }
}
