namespace Iommufd.Bench;

/// <summary>One measured figure beside a peer's, both from the same run.</summary>
/// <param name="Area">What was measured: iova, page-tables, actors, journal.</param>
/// <param name="Name">The case.</param>
/// <param name="Unit">Unit of both values.</param>
/// <param name="Value">Ours.</param>
/// <param name="Peer">What it is compared with.</param>
/// <param name="PeerValue">The peer's.</param>
/// <param name="Ratio">Value divided by PeerValue.</param>
public sealed record BenchRow(
    string Area,
    string Name,
    string Unit,
    double Value,
    string Peer,
    double PeerValue,
    double Ratio
);
