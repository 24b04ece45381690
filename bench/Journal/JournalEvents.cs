using Akka.Serialization;

namespace Iommufd.Bench.Journal;

/// <summary>What kind of operation an event records.</summary>
public enum SampleKind
{
    Map,
    Unmap,
    Attach,
}

/// <summary>An event of the size that the peers' figures were measured with: five longs, an enum, a string of 19 characters.</summary>
public sealed record SampleEvent(long A, long B, long C, long D, long E, SampleKind Kind, string Note)
{
    /// <summary>The event with this number.</summary>
    public static SampleEvent Numbered(long n) =>
        new(n, n * 4096, n << 20, -n, n ^ 0x5555, SampleKind.Map, "guest-memory-slot-7");
}

/// <summary>The types of the benchmark's journal, in the order of the format.</summary>
public sealed class SampleTypes : IKnownTypesProvider
{
    /// <inheritdoc/>
    public IEnumerable<Type> GetKnownTypes() => [typeof(SampleEvent), typeof(SampleKind)];
}
