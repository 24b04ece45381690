using System.Diagnostics.CodeAnalysis;

namespace Iommufd.Core;

/// <summary>Assertions that stay on in release builds, for places that are not on the hot path.</summary>
public static class Invariant
{
    /// <summary>Throws where a condition that must always hold does not.</summary>
    /// <param name="condition">What must hold.</param>
    /// <param name="sentence">The invariant in words.</param>
    /// <exception cref="InvariantBrokenException">The condition is false.</exception>
    public static void Holds([DoesNotReturnIf(false)] bool condition, string sentence)
    {
        if (!condition)
        {
            throw new InvariantBrokenException(sentence);
        }
    }
}

/// <summary>A broken invariant: a bug of the simulator, never of its user.</summary>
public sealed class InvariantBrokenException : Exception
{
    /// <summary>Names the invariant that does not hold.</summary>
    public InvariantBrokenException(string sentence)
        : base($"invariant broken: {sentence}") { }
}
