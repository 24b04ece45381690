using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class PackedRunsTests
{
    [Fact]
    public void Frames_at_equal_distances_are_packed_and_read_back_as_they_were()
    {
        var runs = new List<PfnRun>();
        for (ulong i = 0; i < 500; i++)
        {
            runs.Add(new PfnRun(new Pfn(0x10_0000 + (2 * i)), 1));
        }

        // Downwards, as freed frames come back, and one that fits nowhere.
        for (ulong i = 0; i < 300; i++)
        {
            runs.Add(new PfnRun(new Pfn(0x20_0000 - (2 * i)), 1));
        }

        runs.Add(new PfnRun(new Pfn(7), 512));
        IReadOnlyList<PfnRun> copy = ScratchRuns.Copy(runs);
        Assert.IsType<PackedRuns>(copy);
        Assert.Equal(runs.Count, copy.Count);
        Assert.Equal(runs, copy);
        Assert.Equal(runs, Enumerable.Range(0, copy.Count).Select(i => copy[i]));
        Assert.Equal(runs, ScratchRuns.SpanOf(copy).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => copy[runs.Count]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(400)]
    public void Runs_without_a_rule_are_copied(int count)
    {
        List<PfnRun> runs = [];
        for (ulong i = 0; i < (ulong)count; i++)
        {
            runs.Add(new PfnRun(new Pfn(i * i * 3), 1 + (i % 5)));
        }

        IReadOnlyList<PfnRun> copy = ScratchRuns.Copy(runs);
        Assert.IsType<PfnRun[]>(copy);
        Assert.Equal(runs, copy);
        Assert.Equal(runs, ScratchRuns.SpanOf(copy).ToArray());
    }

    [Fact]
    public void What_was_pinned_is_read_back_from_the_numbers_of_events()
    {
        PinnedRun[] pinned = [new(3, 10, new PfnRun(new Pfn(50), 3)), new(3, 13, new PfnRun(new Pfn(90), 1))];
        var numbers = PinnedRuns.Of(pinned);
        Assert.Equal([3ul, 10, 50, 3, 3, 13, 90, 1], numbers.Numbers);
        Assert.Equal(pinned, numbers);
        Assert.Same(PinnedRuns.None, PinnedRuns.Of([]));
    }

    [Fact]
    public void What_was_pinned_in_parts_is_one_list_in_the_numbers_of_events()
    {
        PinnedRun one = new(3, 10, new PfnRun(new Pfn(50), 3));
        PinnedRun two = new(4, 13, new PfnRun(new Pfn(90), 1));
        PinnedRuns packed = PinnedRuns.Of([one]);
        Assert.Equal([3ul, 10, 50, 3, 4, 13, 90, 1], PinnedRuns.Joined([packed, [], [two]]).Numbers);
        Assert.Same(packed, PinnedRuns.Joined([packed]));
        Assert.Same(
            PinnedRuns.None,
            PinnedRuns.Joined(
                [
                    [],
                    [],
                ]
            )
        );
    }
}
