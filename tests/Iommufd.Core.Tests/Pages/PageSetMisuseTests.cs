using Iommufd.Core.Pages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

/// <summary>What no caller may ask of a page set is reported, and changes nothing.</summary>
public sealed class PageSetMisuseTests
{
    private readonly PageSetTestHost _host = new();
    private readonly PageSet _set;

    public PageSetMisuseTests() => _set = _host.UserPages(_host.ProcessWithBuffer(4), 4);

    [Fact]
    public void An_area_is_filled_once()
    {
        new TestArea(_set, 1, 0, 1).Fill();
        Assert.Throws<InvalidOperationException>(() => _set.FillBegin(1, 2, 3, true, [], []));
        Assert.Equal(2, _set.PinnedPages);
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 4)]
    [InlineData(4, 4)]
    public void Pages_are_named_in_order_and_are_the_sets(ulong first, ulong last)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _set.AccessAdd(first, last, [], []));
        Assert.Throws<ArgumentOutOfRangeException>(() => _set.ReadPfns(first, last, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => _set.FillBegin(1, first, last, true, [], []));
    }

    [Fact]
    public void Pages_that_nothing_covers_are_not_read()
    {
        new TestArea(_set, 1, 0, 1).Fill();
        Assert.Throws<InvalidOperationException>(() => _set.ReadPfns(0, 2, []));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    public void An_access_lets_go_of_exactly_what_it_pinned(ulong first, ulong last)
    {
        _set.AccessAdd(0, 2, [], []);
        Assert.Throws<InvalidOperationException>(() => _set.AccessRemove(first, last));
        Assert.Equal(3, _set.PinnedPages);
    }

    [Fact]
    public void An_area_is_not_cut_in_the_middle_of_a_fill()
    {
        var area = new TestArea(_set, 1, 0, 3);
        area.Begin();
        Assert.Throws<InvalidOperationException>(() => _set.SplitCover(1, 1, 1, 2, 2, area.Domain, area.Domain));
    }

    [Fact]
    public void The_parts_of_a_cut_area_have_keys_of_their_own()
    {
        var area = new TestArea(_set, 1, 0, 3);
        area.Fill();
        Assert.Throws<ArgumentException>(() => _set.SplitCover(1, 2, 1, 2, 2, area.Domain, area.Domain));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 0)]
    public void An_area_is_not_cut_before_its_first_page(ulong leftLast, ulong rightFirst)
    {
        var area = new TestArea(_set, 1, 1, 3);
        area.Fill();
        Assert.Throws<ArgumentException>(() =>
            _set.SplitCover(1, 1, leftLast, 2, rightFirst, area.Domain, area.Domain)
        );
    }
}
