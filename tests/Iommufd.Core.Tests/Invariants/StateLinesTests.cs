using Iommufd.Core.Participants;
using Xunit;

namespace Iommufd.Core.Tests.Invariants;

/// <summary>The lines that digests are made of.</summary>
public sealed class StateLinesTests
{
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
}
