using FsCheck;
using FsCheck.Fluent;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

/// <summary>Random sequences of operations on a page set against the naive model, page by page.</summary>
public sealed class PageSetModelTests
{
    [Theory]
    [InlineData(false, AccountingMode.User)]
    [InlineData(false, AccountingMode.Mm)]
    [InlineData(true, AccountingMode.User)]
    [InlineData(true, AccountingMode.None)]
    public void A_page_set_agrees_with_the_naive_model(bool file, AccountingMode mode)
    {
        Arbitrary<int[]> sequences = RandomCases.From(Gen.Choose(0, int.MaxValue).ArrayOf(), Shorter);
        Config config = RandomCases.Try(400).WithStartSize(20).WithEndSize(250);
        Prop.ForAll(sequences, steps => Run(steps, file, mode)).Check(config);
    }

    /// <summary>Shrinks by leaving parts out: halves first, then single steps.</summary>
    private static IEnumerable<int[]> Shorter(int[] steps)
    {
        for (int part = steps.Length / 2; part > 0; part /= 2)
        {
            for (int at = 0; at + part <= steps.Length; at += part)
            {
                yield return [.. steps[..at], .. steps[(at + part)..]];
            }
        }
    }

    private static bool Run(int[] steps, bool file, AccountingMode mode)
    {
        var trial = new PageSetTrial(file, mode);
        foreach (int step in steps)
        {
            trial.Do(step);
            trial.Check();
        }

        trial.RemoveEverything();
        trial.Check();
        trial.CheckNothingLeft();
        return true;
    }
}
