namespace Iommufd.Bench;

/// <summary>One figure beside the figure of a peer.</summary>
/// <param name="Area">The part of the program that was measured.</param>
/// <param name="Name">What was done.</param>
/// <param name="Unit">The unit of both values.</param>
/// <param name="Value">Ours.</param>
/// <param name="Peer">Whose figure the other one is, and whether it comes from the same run.</param>
/// <param name="PeerValue">Theirs.</param>
/// <param name="Ratio">How many times better ours is: more where more is better, less where less is.</param>
public sealed record BenchRow(
    string Area,
    string Name,
    string Unit,
    double Value,
    string Peer,
    double PeerValue,
    double Ratio
);
