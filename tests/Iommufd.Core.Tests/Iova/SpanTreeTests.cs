using Iommufd.Core.Iova;
using Xunit;

namespace Iommufd.Core.Tests.Iova;

/// <summary>The shape of the tree: which nodes it has, when they merge, when they are used again.</summary>
public sealed class SpanTreeTests
{
    private const int Full = SpanNode.Capacity;

    private readonly SpanTree _tree = new();

    [Fact]
    public void Spans_that_come_in_ascending_order_fill_every_node()
    {
        Fill(Full * Full * 3);
        Assert.Equal((Full * 3, 3 + 1), _tree.CountNodes());
        _tree.CheckInvariants();
    }

    [Fact]
    public void Spans_that_come_in_descending_order_halve_leaves()
    {
        for (int i = Full; i >= 0; i--)
        {
            Insert(i);
        }

        Assert.Equal((2, 1), _tree.CountNodes());
        _tree.CheckInvariants();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Neighbours_that_fill_three_quarters_of_a_leaf_become_one(bool lastFromTheLeft)
    {
        Fill(2 * Full);
        Remove(0, 20);
        Remove(Full, 19);
        Assert.Equal((2, 1), _tree.CountNodes());
        Remove(lastFromTheLeft ? Full - 1 : Full + 20, 1);
        Assert.Equal((1, 0), _tree.CountNodes());
        _tree.CheckInvariants();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_leaf_between_full_ones_goes_with_its_last_span(int leaf)
    {
        Fill(3 * Full);
        Remove(leaf * Full, Full);
        Assert.Equal((2, 1), _tree.CountNodes());
        Assert.Equal(2 * Full, _tree.Count);
        _tree.CheckInvariants();
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(Full - 1, Full - 2)]
    public void The_gap_beside_a_span_of_one_byte_at_a_leafs_end_is_noted(int oneByte, int gone)
    {
        for (int i = 0; i < 2 * Full; i++)
        {
            ulong first = (ulong)i * 0x2000;
            _tree.Insert(first, i == Full + oneByte ? first : first + 0xfff, null);
        }

        Remove(Full + gone, 1);
        _tree.CheckInvariants();
    }

    [Fact]
    public void Nodes_that_were_given_back_are_used_again()
    {
        Fill(3 * Full);
        Remove(0, 3 * Full);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Fill(3 * Full);
        Remove(0, 3 * Full);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Removing_a_reserved_run_twice_is_refused()
    {
        Fill(1);
        Remove(0, 1);
        Assert.Throws<InvalidOperationException>(() => Remove(0, 1));
        Assert.Equal(0, _tree.Count);
    }

    private void Fill(int spans)
    {
        for (int i = 0; i < spans; i++)
        {
            Insert(i);
        }
    }

    // Places of 0x2000 bytes, the first half of each is the span.
    private void Insert(int place) => _tree.Insert((ulong)place * 0x2000, ((ulong)place * 0x2000) + 0xfff, null);

    private void Remove(int place, int count)
    {
        for (int i = place; i < place + count; i++)
        {
            _tree.Remove((ulong)i * 0x2000, null);
        }
    }
}
