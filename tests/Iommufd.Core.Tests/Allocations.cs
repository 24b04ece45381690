using Xunit;

namespace Iommufd.Core.Tests;

/// <summary>What work allocates once it is warm.</summary>
internal static class Allocations
{
    private const int Rounds = 10;

    /// <summary>Asserts that work which was done once before allocates nothing on this thread.</summary>
    /// <remarks>
    /// One of some rounds has to: the runtime allocates while it compiles again, and lists that never shrink grow where other tests
    /// hold something up.
    /// </remarks>
    public static void None(Action work)
    {
        work();
        long least = long.MaxValue;
        for (int round = 0; round < Rounds && least != 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }
}
