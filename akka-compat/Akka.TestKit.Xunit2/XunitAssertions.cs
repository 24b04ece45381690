using System.Globalization;
using Xunit;
using Xunit.Sdk;

namespace Akka.TestKit.Xunit2;

/// <summary>Assertions that fail as xunit's do.</summary>
public class XunitAssertions : ITestKitAssertions
{
    /// <inheritdoc/>
    public void Fail(string format = "", params object[] args) => Assert.Fail(Text(format, args));

    /// <inheritdoc/>
    public void AssertTrue(bool condition, string format = "", params object[] args)
    {
        if (!condition)
            throw TrueException.ForNonTrueValue(Text(format, args), condition);
    }

    /// <inheritdoc/>
    public void AssertFalse(bool condition, string format = "", params object[] args)
    {
        if (condition)
            throw FalseException.ForNonFalseValue(Text(format, args), condition);
    }

    /// <summary>
    /// Equal by the type's comparer, or as <c>Assert.Equal</c> has it, which compares collections by their items.
    /// </summary>
    public void AssertEqual<T>(T expected, T actual, string format = "", params object[] args)
    {
        var comparer = EqualityComparer<T>.Default;
        if (comparer.Equals(expected, actual) || Equal(expected, actual))
            return;
        throw new XunitException(Different(expected, actual, Text(format, args)));
    }

    /// <inheritdoc/>
    public void AssertEqual<T>(
        T expected,
        T actual,
        Func<T, T, bool> comparer,
        string format = "",
        params object[] args
    )
    {
        if (!comparer(expected, actual))
            throw new XunitException(Different(expected, actual, Text(format, args)));
    }

    private static bool Equal<T>(T expected, T actual)
    {
        try
        {
            Assert.Equal(expected, actual);
            return true;
        }
        catch (XunitException)
        {
            return false;
        }
    }

    private static string Different(object expected, object actual, string why) =>
        $"Assert.Equal() Failure{(why.Length == 0 ? "" : ": " + why)}\nExpected: {expected}\nActual:   {actual}";

    private static string Text(string format, object[] args) =>
        args is null or { Length: 0 } ? format ?? "" : string.Format(CultureInfo.InvariantCulture, format, args);
}
