using System.Runtime.InteropServices;

namespace Iommufd.Actors;

/// <summary>
/// How many events contexts have handed to their writers that are not durable yet. Counted on many threads, read on any: the value is
/// exact when nothing moves, and near otherwise.
/// </summary>
public sealed class JournalLag
{
    private const int Stripes = 16;
    private const int CacheLineBytes = 128;
    private readonly Stripe[] _stripes = new Stripe[Stripes];

    /// <summary>Events that wait.</summary>
    public long Value
    {
        get
        {
            var sum = 0L;
            for (var i = 0; i < Stripes; i++)
            {
                sum += Volatile.Read(ref _stripes[i].Count);
            }

            return sum;
        }
    }

    // Threads count in places of their own, or every event would take a cache line from another core. Which place does not matter:
    // only the sum has a meaning, so an event may come in at one and go out at another.
    internal void Add(long events) =>
        Interlocked.Add(ref _stripes[Environment.CurrentManagedThreadId % Stripes].Count, events);

    [StructLayout(LayoutKind.Explicit, Size = CacheLineBytes)]
    private struct Stripe
    {
        [FieldOffset(0)]
        public long Count;
    }
}
