using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class PageSetDmabufTests
{
    private readonly PageSetTestHost _host = new();
    private readonly Dmabuf _buffer;

    public PageSetDmabufTests() => _buffer = new Dmabuf(_host.Physical, 0x4000);

    [Theory]
    [InlineData(0x0ul, 0x0ul, Errno.EINVAL)]
    [InlineData(ulong.MaxValue, 2ul, Errno.EOVERFLOW)]
    [InlineData(0x4000ul, 0x1000ul, Errno.EINVAL)]
    [InlineData(0x0ul, 0x4001ul, Errno.EINVAL)]
    [InlineData(0x3000ul, 0x1001ul, Errno.EINVAL)]
    [InlineData(0x3000ul, 0x1000ul, Errno.ENODEV)]
    public void The_size_is_checked_before_the_revocation(ulong start, ulong length, Errno expected)
    {
        _buffer.SetRevoked(true);
        Assert.Equal(expected, PageSet.TryCreateDmabuf(1, _buffer, start, length, out _));
    }

    [Fact]
    public void The_size_is_rounded_up_to_pages()
    {
        var buffer = new Dmabuf(_host.Physical, 1);
        Assert.Equal(Errno.OK, PageSet.TryCreateDmabuf(1, buffer, 0, 0x1000, out _));
        Assert.Equal(Errno.EINVAL, PageSet.TryCreateDmabuf(1, buffer, 0, 0x1001, out _));
    }

    [Fact]
    public void Frames_are_computed_and_nothing_is_charged_or_reported_as_pinned()
    {
        PageSet set = Import(0x1800, 0x1800);
        Assert.Equal((2ul, 0x800ul, 0x1000ul), (set.PageCount, set.FirstByte, set.BaseAddress));
        var area = new TestArea(set, 1, 0, 1);
        Assert.Equal(Errno.OK, area.Fill());
        Assert.Equal([new PfnRun(new Pfn(_buffer.Run.First.Value + 1), 2)], area.Runs);
        Assert.Empty(area.NewlyPinned);
        Assert.Equal((0L, 0L, AccountingMode.None), (set.PinnedPages, set.ChargedPages, set.Accounting));
        Assert.True(_host.Physical.IsPinned(area.Runs[0].First));
        Assert.Equal(0, _host.Physical.TotalPins);
        set.CheckInvariants();
        area.Unfill();
    }

    [Fact]
    public void An_access_cannot_pin_it()
    {
        Assert.Equal(Errno.EINVAL, Import(0, 0x4000).AccessAdd(0, 0, [], []));
    }

    [Fact]
    public void A_revoked_import_never_comes_back_and_fills_with_nothing()
    {
        PageSet old = Import(0, 0x4000);
        new TestArea(old, 1, 0, 3).Fill();
        _buffer.SetRevoked(true);
        Assert.True(old.IsRevoked);
        Assert.False(_host.Physical.IsPinned(_buffer.Run.First));
        var area = new TestArea(old, 2, 0, 3);
        Assert.Equal(Errno.OK, area.Fill());
        Assert.Empty(area.Runs);
        var runs = new List<PfnRun>();
        Assert.Equal(Errno.OK, old.ReadPfns(0, 3, runs));
        Assert.Empty(runs);
        _buffer.SetRevoked(false);
        Assert.True(old.IsRevoked);
        PageSet fresh = Import(0, 0x4000);
        Assert.False(fresh.IsRevoked);
        Assert.True(_host.Physical.IsPinned(_buffer.Run.First));
        old.Unfill(1, []);
        old.Unfill(2, []);
        Assert.True(old.Release());
        Assert.True(_host.Physical.IsPinned(_buffer.Run.First));
        old.CheckInvariants();
    }

    [Fact]
    public void The_last_importer_frees_a_buffer_whose_descriptor_is_closed()
    {
        PageSet set = Import(0, 0x1000);
        _buffer.Release();
        Assert.Equal(1, _host.Physical.AllocationsInUse);
        set.Release();
        Assert.Equal(0, _host.Physical.AllocationsInUse);
    }

    private PageSet Import(ulong start, ulong length)
    {
        Assert.Equal(Errno.OK, PageSet.TryCreateDmabuf(1, _buffer, start, length, out PageSet set));
        return set;
    }
}
