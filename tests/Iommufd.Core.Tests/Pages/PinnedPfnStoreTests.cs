using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class PinnedPfnStoreTests
{
    private PinnedPfnStore _store;

    [Fact]
    public void Frames_come_back_as_runs_whatever_the_pieces_were()
    {
        Insert(5, Run(105, 3));
        Insert(8, Run(108, 1), Run(200, 2));
        Insert(2, Run(7, 1), Run(103, 2));
        Assert.Equal([Run(7, 1), Run(103, 6), Run(200, 2)], Read(2, 10));
        Assert.Equal([Run(104, 4)], Read(4, 7));
        Assert.Equal(9UL, _store.PageCount);
    }

    [Theory]
    [InlineData(3, 4)]
    [InlineData(4, 5)]
    [InlineData(6, 7)]
    [InlineData(1, 9)]
    public void A_page_is_put_in_once(ulong first, ulong last)
    {
        Insert(4, Run(50, 3));
        Assert.Throws<InvalidOperationException>(() => Insert(first, Run(90, last - first + 1)));
        Assert.Equal(3UL, _store.PageCount);
    }

    [Fact]
    public void Pages_beside_others_are_put_in()
    {
        Insert(4, Run(50, 3));
        Insert(7, Run(90, 1));
        Insert(3, Run(80, 1));
        Assert.Equal([Run(80, 1), Run(50, 3), Run(90, 1)], Read(3, 7));
    }

    [Theory]
    [InlineData(3, 4)]
    [InlineData(5, 7)]
    [InlineData(7, 7)]
    [InlineData(8, 10)]
    [InlineData(20, 20)]
    public void A_page_that_is_not_there_is_neither_read_nor_removed(ulong first, ulong last)
    {
        Insert(4, Run(50, 3));
        Insert(8, Run(60, 2));
        Assert.Throws<InvalidOperationException>(() => Read(first, last));
        Assert.Throws<InvalidOperationException>(() => _store.Remove(first, last));
        Assert.Equal(5UL, _store.PageCount);
    }

    [Fact]
    public void An_empty_store_has_no_page()
    {
        Assert.Equal(0UL, _store.PageCount);
        Assert.Throws<InvalidOperationException>(() => Read(0, 0));
        Assert.Throws<InvalidOperationException>(() => _store.Remove(0, 0));
    }

    [Theory]
    [InlineData(4, 9)]
    [InlineData(4, 4)]
    [InlineData(9, 9)]
    [InlineData(5, 8)]
    [InlineData(6, 7)]
    [InlineData(4, 6)]
    [InlineData(7, 9)]
    public void Removing_pages_leaves_those_around_them_as_they_were(ulong first, ulong last)
    {
        Insert(4, Run(50, 3));
        Insert(7, Run(90, 3));
        _store.Remove(first, last);
        Assert.Equal(6 - (last - first + 1), _store.PageCount);
        for (ulong page = 4; page <= 9; page++)
        {
            if (page < first || page > last)
            {
                Assert.Equal([Run(page < 7 ? 50 + page - 4 : 90 + page - 7, 1)], Read(page, page));
            }
        }
    }

    private static PfnRun Run(ulong frame, ulong count) => new(new Pfn(frame), count);

    private void Insert(ulong first, params PfnRun[] runs)
    {
        var frames = new RunCursor(runs);
        _store.Insert(first, first + PfnRuns.Pages(runs) - 1, ref frames);
    }

    private List<PfnRun> Read(ulong first, ulong last)
    {
        var runs = new List<PfnRun>();
        _store.Read(first, last, runs, 0);
        return runs;
    }
}
