namespace Iommufd.Bench;

/// <summary>One result: our value, a peer's value for the same work, and ours over theirs (more is better, unless the unit is bytes).</summary>
public sealed record BenchRow(
    string Area,
    string Name,
    string Unit,
    double Value,
    string Peer,
    double PeerValue,
    double Ratio
);
