using System.Globalization;
using Iommufd.Core.PageTables.Formats;
using Xunit;
using Xunit.Abstractions;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>The protocol under load; <see cref="OrderingTests"/> shows for each of its orderings what breaks without it.</summary>
public sealed class StressTests(ITestOutputHelper output)
{
    /// <summary>Three seconds, or IOMMUFD_STRESS_SECONDS.</summary>
    private static TimeSpan Time
    {
        get
        {
            string? asked = Environment.GetEnvironmentVariable("IOMMUFD_STRESS_SECONDS");
            return TimeSpan.FromSeconds(asked is null ? 3 : double.Parse(asked, CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public void Every_translation_is_one_that_existed_while_it_was_made()
    {
        var run = new StressRun<AmdV1>(devices: 2, mappers: 2);

        Assert.Null(run.Run(Time));
        output.WriteLine(
            $"{run.Translations:n0} translations, {run.Operations:n0} maps and unmaps, {Time.TotalSeconds} s"
        );
    }

    [Fact]
    public void Every_translation_is_legal_when_threads_dawdle_between_the_steps()
    {
        var run = new StressRun<JitteryAmdV1>(devices: 2, mappers: 2);

        Assert.Null(run.Run(Time));
        output.WriteLine(
            $"{run.Translations:n0} translations, {run.Operations:n0} maps and unmaps, {Time.TotalSeconds} s"
        );
    }
}
