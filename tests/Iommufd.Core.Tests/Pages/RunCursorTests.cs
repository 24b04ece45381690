using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class RunCursorTests
{
    [Fact]
    public void What_is_left_of_a_run_comes_before_the_next_one()
    {
        var cursor = new RunCursor([Run(100, 5), Run(300, 2)]);
        Assert.Equal(Run(100, 2), cursor.Take(2));
        Assert.Equal(Run(102, 1), cursor.Take(1));
        Assert.Equal(Run(103, 2), cursor.Take(9));
        Assert.Equal(Run(300, 2), cursor.Take(9));
    }

    [Fact]
    public void Pages_that_are_skipped_may_end_inside_a_run()
    {
        var cursor = new RunCursor([Run(100, 5), Run(300, 3)]);
        cursor.Skip(6);
        Assert.Equal(Run(301, 2), cursor.Take(9));
    }

    private static PfnRun Run(ulong first, ulong count) => new(new Pfn(first), count);
}
