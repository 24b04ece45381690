using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class AreaCoverTests
{
    private readonly AreaCover _cover = new();

    [Theory]
    [InlineData(10, 15)]
    [InlineData(10, 10)]
    [InlineData(12, 12)]
    [InlineData(11, 13)]
    [InlineData(13, 14)]
    [InlineData(15, 15)]
    public void Frames_that_are_held_are_read_from_any_page_on(ulong first, ulong last)
    {
        List<PfnRun> held = [Run(1, 1), Run(50, 3), Run(70, 2), Run(90, 1)];
        _cover.Hold(held, 1);
        Assert.True(_cover.HoldsFrames);
        ulong[] frames = [50, 51, 52, 70, 71, 90];
        Assert.Equal(frames[(int)(first - 10)..(int)(last - 9)], Read(first, last));
    }

    [Fact]
    public void Holding_again_forgets_what_was_held()
    {
        _cover.Hold([Run(50, 1), Run(70, 1)], 0);
        _cover.Hold([Run(90, 2)], 0);
        Assert.Equal([90UL, 91], Read(10, 11));
        _cover.LetGo();
        Assert.False(_cover.HoldsFrames);
    }

    [Fact]
    public void Without_frames_and_without_a_domain_nothing_is_read() =>
        Assert.False(_cover.TryRead(10, 10, 10, [], 0));

    [Fact]
    public void A_read_that_meets_a_page_the_domain_lacks_leaves_the_list_as_it_was()
    {
        var domain = new TestDomain();
        domain.Install(10, [Run(51, 1), Run(80, 1)]);
        _cover.Storage = domain;
        List<PfnRun> runs = [Run(50, 1)];
        Assert.False(_cover.TryRead(10, 10, 12, runs, 0));
        Assert.Equal([Run(50, 1)], runs);
        Assert.False(_cover.TryRead(10, 10, 12, runs, 1));
        Assert.Equal([Run(50, 1)], runs);
        Assert.True(_cover.TryRead(10, 10, 11, runs, 0));
        Assert.Equal([Run(50, 2), Run(80, 1)], runs);
    }

    [Fact]
    public void Pins_are_one_run_where_pages_and_frames_both_follow()
    {
        var pinned = new List<PinnedRun>();
        PfnRuns.Append(pinned, 0, 3, 10, Run(50, 2));
        PfnRuns.Append(pinned, 0, 3, 12, Run(52, 1));
        PfnRuns.Append(pinned, 0, 3, 14, Run(53, 1));
        PfnRuns.Append(pinned, 0, 3, 15, Run(60, 1));
        PfnRuns.Append(pinned, 3, 3, 16, Run(61, 1));
        Assert.Equal(
            [
                new PinnedRun(3, 10, Run(50, 3)),
                new PinnedRun(3, 14, Run(53, 1)),
                new PinnedRun(3, 15, Run(60, 1)),
                new PinnedRun(3, 16, Run(61, 1)),
            ],
            pinned
        );
    }

    private static PfnRun Run(ulong frame, ulong count) => new(new Pfn(frame), count);

    private List<ulong> Read(ulong first, ulong last)
    {
        var runs = new List<PfnRun>();
        Assert.True(_cover.TryRead(10, first, last, runs, 0));
        var frames = new List<ulong>();
        foreach (PfnRun run in runs)
        {
            for (ulong i = 0; i < run.Count; i++)
            {
                frames.Add(run.First.Value + i);
            }
        }

        return frames;
    }
}
