using Iommufd.Core.Context;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

/// <summary>A process's descriptors: their numbers, and who can use them when.</summary>
public sealed class DescriptorTableTests
{
    private readonly DescriptorTable _table = new();

    [Fact]
    public void Descriptors_take_the_lowest_free_number_from_3_on()
    {
        int[] opened = [.. Enumerable.Range(0, 4).Select(n => _table.Open(new IommufdDescriptor(n)))];
        Assert.Equal([3, 4, 5, 6], opened);
        _table.Close(5);
        _table.Close(4);

        Assert.Equal([4, 5, 7], Enumerable.Range(0, 3).Select(n => _table.Open(new IommufdDescriptor(n))));
    }

    [Fact]
    public void A_number_that_is_not_below_the_limit_is_not_given_out()
    {
        Assert.Equal(DescriptorTable.None, _table.Open(new IommufdDescriptor(1), limit: 3));
        Assert.Equal(3, _table.Open(new IommufdDescriptor(1), limit: 4));
        Assert.Equal(DescriptorTable.None, _table.Open(new IommufdDescriptor(2), limit: 4));
        Assert.Equal(DescriptorTable.None, _table.Reserve(limit: 4));
        Assert.Equal(4, _table.Reserve(limit: 5));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(int.MaxValue)]
    public void A_number_that_was_not_opened_refers_to_nothing(int fd)
    {
        _table.Open(new IommufdDescriptor(1));
        _table.Open(new IommufdDescriptor(2));

        Assert.Null(_table.Find(fd));
        Assert.Null(_table.Hold(fd));
        Assert.Null(_table.Close(fd));
    }

    [Fact]
    public void A_descriptor_refers_to_its_file_until_it_is_closed()
    {
        var first = new IommufdDescriptor(1);
        var second = new AccessDescriptor(1, 7);
        _table.Open(first);
        _table.Open(second);

        Assert.Same(first, _table.Find(3));
        Assert.Same(second, _table.Find(4));
        Assert.Same(first, _table.Close(3));
        Assert.Null(_table.Find(3));
        Assert.Null(_table.Close(3));
        Assert.Same(second, _table.Find(4));
    }

    [Fact]
    public void A_call_keeps_what_it_uses()
    {
        var counted = new Counted();
        _table.Open(counted);

        Assert.Same(counted, _table.Hold(3));

        Assert.Equal(1, counted.Holders);
    }

    [Fact]
    public void A_reserved_number_is_taken_and_refers_to_nothing_until_its_file_is_installed()
    {
        int fd = _table.Reserve(ulong.MaxValue);
        Assert.Null(_table.Find(fd));
        Assert.Null(_table.Close(fd));
        Assert.Empty(_table.CloseAll(_ => true));
        Assert.Equal(fd + 1, _table.Open(new IommufdDescriptor(2)));
        var installed = new FaultDescriptor(1, 5);

        _table.Install(fd, installed);

        Assert.Same(installed, _table.Find(fd));
    }

    [Fact]
    public void A_reservation_that_is_cancelled_frees_its_number()
    {
        int fd = _table.Reserve(ulong.MaxValue);

        _table.Cancel(fd);

        Assert.Equal(fd, _table.Open(new IommufdDescriptor(1)));
    }

    [Fact]
    public void Only_a_reserved_number_is_installed_or_cancelled()
    {
        var open = new IommufdDescriptor(1);
        int fd = _table.Open(open);

        Assert.Throws<InvariantBrokenException>(() => _table.Install(fd, new IommufdDescriptor(2)));
        Assert.Throws<InvariantBrokenException>(() => _table.Cancel(fd));
        Assert.Same(open, _table.Find(fd));
    }

    [Fact]
    public void Closing_by_a_condition_closes_what_meets_it_in_the_order_of_numbers()
    {
        Descriptor[] open = [new IommufdDescriptor(1), new IommufdDescriptor(2), new VeventqDescriptor(1, 9)];
        foreach (Descriptor descriptor in open)
        {
            _table.Open(descriptor);
        }

        Assert.Equal([open[0], open[2]], _table.CloseAll(d => d.HeldContext == 1));

        Assert.Null(_table.Find(3));
        Assert.Same(open[1], _table.Find(4));
        Assert.Null(_table.Find(5));
        Assert.Equal(3, _table.Open(open[0]));
    }

    [Fact]
    public void Every_file_of_a_context_goes_with_it_and_only_dev_iommu_is_the_context()
    {
        Descriptor[] all =
        [
            new IommufdDescriptor(6),
            new AccessDescriptor(6, 1),
            new FaultDescriptor(6, 2),
            new VeventqDescriptor(6, 3),
        ];

        Assert.All(all, d => Assert.Equal(6, d.HeldContext));
        Assert.Equal([6, null, null, null], all.Select(d => d.IommufdContext));
    }

    private sealed record Counted : Descriptor
    {
        public int Holders { get; private set; }

        public override void Acquire() => Holders++;
    }
}
