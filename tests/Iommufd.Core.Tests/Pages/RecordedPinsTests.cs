using Iommufd.Core.Pages;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

/// <summary>What a replay pins, and what its digests are made of.</summary>
public sealed class RecordedPinsTests
{
    private const ulong Base = 0x10_0000;

    [Fact]
    public void Frames_are_taken_in_their_order_and_in_pieces()
    {
        var pins = new RecordedPins();
        pins.Add([9, 0, 100, 3, 9, 3, 200, 1], 0, 8, Base);
        Assert.Equal(Run(100, 2), pins.Take(Base, 2));
        Assert.Equal(Run(102, 1), pins.Take(Page(2), 2));
        Assert.False(pins.IsEmpty);
        Assert.Equal(Run(200, 1), pins.Take(Page(3), 4));
        Assert.True(pins.IsEmpty);
    }

    [Fact]
    public void A_page_that_an_earlier_command_pinned_has_the_frame_that_it_had_last()
    {
        var pins = new RecordedPins();
        pins.Add([9, 0, 100, 4], 0, 4, Base);
        pins.Clear();
        pins.Add([9, 2, 300, 1, 9, 8, 400, 2], 0, 8, Base);
        pins.Clear();
        pins.Add([9, 20, 500, 1], 0, 4, Base);
        Assert.Equal(Run(300, 1), pins.Take(Page(2), 1));
        Assert.Equal(Run(401, 1), pins.Take(Page(9), 3));
        Assert.Equal(Run(500, 1), pins.Take(Page(20), 1));
        Assert.Throws<InvariantBrokenException>(() => pins.Take(Page(30), 1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("installed 0x1000")]
    [InlineData("é, ÿ, Ā and 漢")]
    public void A_text_is_hashed_as_its_units_are_one_by_one(string text) =>
        Assert.Equal(text.Aggregate(Fnv1a.Empty, (hash, unit) => hash.Add(unit)), Fnv1a.Empty.Add(text));

    [Fact]
    public void Numbers_are_written_as_the_runtime_writes_them()
    {
        foreach (ulong value in new ulong[] { 0, 9, 10, 4096, 0xfeed_beef, ulong.MaxValue })
        {
            var lines = new StateLines(keep: true);
            lines.Add($"{value} {value:x} {value:x8} {(uint)value} {(long)value}");
            string expected = FormattableString.Invariant($"{value} {value:x} {value:x8} {(uint)value} {(long)value}");
            Assert.Equal(expected, Assert.Single(lines.ToDescription().Lines));
        }
    }

    private static ulong Page(ulong index) => Base + (index << HostPage.Shift);

    private static PfnRun Run(ulong first, ulong count) => new(new Pfn(first), count);
}
