using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace Iommufd.Core.Tests;

/// <summary>
/// How many random cases the properties try. IOMMUFD_PROPERTY_PERCENT takes that part of the usual number, always the same
/// cases, and leaves a failing case as it is: for mutation testing, which runs the properties thousands of times and only asks
/// whether one fails.
/// </summary>
internal static class RandomCases
{
    private static readonly int? Percent = int.TryParse(
        Environment.GetEnvironmentVariable("IOMMUFD_PROPERTY_PERCENT"),
        NumberStyles.None,
        CultureInfo.InvariantCulture,
        out int percent
    )
        ? percent
        : null;

    /// <summary>Tries so many cases, fewer when a part is wanted; a case that fails is an exception.</summary>
    public static Config Try(int cases)
    {
        Config config = Config.QuickThrowOnFailure;
        return Percent is null ? config.WithMaxTest(cases) : config.WithMaxTest(Of(cases)).WithReplay(0x1d, 0x2b);
    }

    /// <summary>So many, or the part of them that is wanted.</summary>
    public static int Of(int cases) => Percent is { } part ? Math.Max(3, cases * part / 100) : cases;

    /// <summary>Cases that are made smaller once one fails, unless a part is wanted.</summary>
    public static Arbitrary<T> From<T>(Gen<T> cases, Func<T, IEnumerable<T>> smaller) =>
        Percent is null ? Arb.From(cases, smaller) : Arb.From(cases);
}
