using FsCheck;
using FsCheck.Fluent;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class RecordedPinsTests
{
    private const int Pages = 64;

    [Fact]
    public void What_comes_next_is_taken_in_the_order_in_which_it_was_recorded()
    {
        var pins = new RecordedPins();
        Record(pins, 8, 100, 4);
        Record(pins, 2, 50, 1);
        Assert.Equal(Run(100, 3), pins.Take(At(8), 3));
        Assert.Equal(Run(103, 1), pins.Take(At(11), 5));
        Assert.False(pins.IsEmpty);
        Assert.Equal(Run(50, 1), pins.Take(At(2), 1));
        Assert.True(pins.IsEmpty);
    }

    [Fact]
    public void A_run_recorded_inside_another_leaves_both_of_its_sides_known()
    {
        var pins = new RecordedPins();
        Record(pins, 0, 10, 8);
        Record(pins, 3, 90, 2);
        pins.Clear();
        Assert.Equal(Run(12, 1), pins.Take(At(2), 9));
        Assert.Equal(Run(90, 2), pins.Take(At(3), 9));
        Assert.Equal(Run(15, 3), pins.Take(At(5), 9));
    }

    [Fact]
    public void A_page_that_was_never_recorded_cannot_be_pinned()
    {
        var pins = new RecordedPins();
        Record(pins, 4, 10, 2);
        pins.Clear();
        Assert.Throws<InvariantBrokenException>(() => pins.Take(At(3), 1));
        Assert.Throws<InvariantBrokenException>(() => pins.Take(At(6), 1));
    }

    [Fact]
    public void The_last_frame_recorded_for_a_page_is_the_one_that_is_known()
    {
        Gen<(int First, int Count)> run =
            from first in Gen.Choose(0, Pages - 1)
            from count in Gen.Choose(1, 12)
            select (first, Math.Min(count, Pages - first));
        Prop.ForAll(run.ArrayOf().ToArbitrary(), AgreesWithAPlainTable)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(40));
    }

    private static void AgreesWithAPlainTable((int First, int Count)[] recorded)
    {
        var pins = new RecordedPins();
        var frames = new ulong?[Pages];
        for (int i = 0; i < recorded.Length; i++)
        {
            (int first, int count) = recorded[i];
            ulong frame = (ulong)(1 + i) * 1000;
            Record(pins, first, frame, count);
            for (int page = 0; page < count; page++)
            {
                frames[first + page] = frame + (ulong)page;
            }
        }

        pins.Clear();
        for (int page = 0; page < Pages; page++)
        {
            if (frames[page] is { } frame)
            {
                Assert.Equal(Run(frame, 1), pins.Take(At(page), 1));
            }
            else
            {
                Assert.Throws<InvariantBrokenException>(() => pins.Take(At(page), 1));
            }
        }
    }

    private static void Record(RecordedPins pins, int page, ulong frame, int pages) =>
        pins.Add([1, (ulong)page, frame, (ulong)pages], 0, 4, At(0));

    private static ulong At(int page) => 0x7f00_0000_0000 + ((ulong)page << HostPage.Shift);

    private static PfnRun Run(ulong frame, int pages) => new(new Pfn(frame), (ulong)pages);
}
