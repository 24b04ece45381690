using Iommufd.Core.PageTables;
using Xunit;
using ThreadTables = Iommufd.Core.PageTables.TableReclamation.ThreadTables;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>Pages that were unlinked while somebody may be reading them, and when they are free again.</summary>
public sealed class TableReclamationTests
{
    private const int Rounds = 400;
    private const int PagesInRound = 100;
    private const int Bound = 2048;

    // Found by an hour's soak: two threads read nearly all the time, and what a third one unlinked waited until twice as much did.
    [Fact]
    public void Where_somebody_reads_at_every_moment_unlinked_pages_still_come_free()
    {
        // Readers of other tests may stay in their sections for long; in one of some attempts none does.
        int least = int.MaxValue;
        for (int attempt = 0; attempt < 8 && least > Bound; attempt++)
        {
            least = Math.Min(least, OnAThreadOfItsOwn(MostWaiting));
        }

        Assert.InRange(least, PagesInRound, Bound);
    }

    private static int MostWaiting()
    {
        ThreadTables tables = ThreadTables.Current;
        int most = 0;
        // Not taken by this thread: one that takes pages looks after those that wait, too.
        var pages = new nint[PagesInRound];
        for (int round = 0; round < Rounds; round++)
        {
            // Each section is short, but every page is unlinked inside one.
            using TableReclamation.ReadSection section = TableReclamation.Enter();
            Assert.True(TableArena.TryTake(pages));
            foreach (nint page in pages)
            {
                tables.Retire(page, clean: false);
            }

            most = Math.Max(most, tables.Waiting);
        }

        return most;
    }

    private static int OnAThreadOfItsOwn(Func<int> work)
    {
        int result = 0;
        var thread = new Thread(() => result = work());
        thread.Start();
        thread.Join();
        return result;
    }
}
