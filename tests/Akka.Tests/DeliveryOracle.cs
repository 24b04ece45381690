using System.Globalization;

namespace AkkaTests;

/// <summary>
/// Knows what a receiver of numbered messages may see: each sender's numbers in order, none missing, none twice, and
/// never two of them being handled at once.
/// </summary>
internal sealed class DeliveryOracle(int senders)
{
    private readonly long[] _next = new long[senders];
    private int _inside;
    private string? _violation;

    internal string? Violation => Volatile.Read(ref _violation);

    internal long Received => _next.Sum();

    /// <summary>Called by the handler of a message; what is to happen inside it can be given.</summary>
    internal void Handle(int sender, long number, Action? inside = null)
    {
        if (Interlocked.Increment(ref _inside) != 1)
            Report("two threads in one actor");
        inside?.Invoke();
        var expected = _next[sender];
        if (number != expected)
            Report($"sender {sender}: expected {expected}, got {number}");
        _next[sender] = expected + 1;
        Interlocked.Decrement(ref _inside);
    }

    /// <summary>Called when all is over.</summary>
    internal void ExpectAll(IReadOnlyList<long> sent)
    {
        for (var i = 0; i < senders; i++)
        {
            if (_next[i] != sent[i])
                Report($"sender {i}: {sent[i]} sent, {_next[i]} received");
        }
    }

    private void Report(string what) => Interlocked.CompareExchange(ref _violation, what, null);

    /// <summary>How long each stress test sends: a second, or what the nightly run asks for.</summary>
    internal static TimeSpan Duration { get; } =
        TimeSpan.FromSeconds(
            double.Parse(
                Environment.GetEnvironmentVariable("IOMMUFD_STRESS_SECONDS") ?? "1",
                CultureInfo.InvariantCulture
            )
        );
}
