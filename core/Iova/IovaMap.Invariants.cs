using System.Numerics;
using Iommufd.Messages;

namespace Iommufd.Core.Iova;

public sealed partial class IovaMap
{
    /// <summary>
    /// Checks everything that must hold between operations: areas, reserved and allowed ranges keep out of each other's
    /// way, every area complies with the alignment, counts and summaries are what they sum up. O(n).
    /// </summary>
    /// <exception cref="InvalidOperationException">Something does not hold; the message says what and where.</exception>
    public void CheckInvariants()
    {
        _occupied.CheckInvariants();
        CheckAreas();
        CheckReserved();
        CheckAllowed();
        CheckAlignment();
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new InvalidOperationException(message);
        }
    }

    private void CheckAreas()
    {
        int count = 0;
        int[] byAlignment = new int[_areasByAlignment.Length];
        foreach (Area area in InOrder())
        {
            count++;
            byAlignment[AlignmentLog2(area)]++;
            Require(
                ReferenceEquals(At(area.Range.First), area) && ReferenceEquals(At(area.Range.Last), area),
                $"Area {area.Key} is not found at {area.Range}."
            );
            Require(
                IsAligned(area.Range.First) && IsAligned(area.Length) && IsAligned(area.PageOffset),
                $"Area {area.Key} {area.Range} +{area.PageOffset} breaks alignment {Alignment}."
            );
            Require(
                area is { AccessUsers: >= 0, Locks: >= 0 } && area.Locks <= area.AccessUsers,
                $"Area {area.Key} has {area.AccessUsers} access users and {area.Locks} locks."
            );
        }

        Require(count == AreaCount, $"{count} areas, counted {AreaCount}.");
        Require(byAlignment.AsSpan().SequenceEqual(_areasByAlignment), "Counts of areas by alignment are off.");
    }

    private void CheckReserved()
    {
        var covered = new List<IovaRange>();
        foreach ((IovaRange range, _) in Reservations)
        {
            if (covered.Count > 0 && covered[^1].Last >= range.First)
            {
                covered[^1] = new IovaRange(covered[^1].First, Math.Max(covered[^1].Last, range.Last));
            }
            else
            {
                covered.Add(range);
            }
        }

        Require(covered.SequenceEqual(_reserved.Runs), "Reserved runs are not what the reservations cover.");
        foreach (IovaRange run in covered)
        {
            Require(
                _occupied.TryFirstEndingFrom(run.First, out SpanLeaf leaf, out int index)
                    && leaf.Firsts[index] == run.First
                    && leaf.Lasts[index] == run.Last
                    && leaf.Areas[index] is null,
                $"Reserved run {run} is not in the tree."
            );
        }

        Require(_occupied.Count == AreaCount + covered.Count, "The tree holds more than areas and reserved runs.");
    }

    private void CheckAllowed()
    {
        for (int i = 0; i < _allowed.Length; i++)
        {
            Require(i == 0 || _allowed[i - 1].Last < _allowed[i].First, $"Allowed ranges overlap at {_allowed[i]}.");
            Require(!_reserved.Overlaps(_allowed[i]), $"Allowed range {_allowed[i]} meets a reserved one.");
        }
    }

    private void CheckAlignment()
    {
        int highest = LargePagesDisabled ? HostPage.Shift : 0;
        foreach (int log2 in _domains.Values.Concat(_accesses.Values))
        {
            highest = Math.Max(highest, log2);
        }

        Require(
            BitOperations.Log2(Alignment) == highest && BitOperations.IsPow2(Alignment),
            $"Alignment is {Alignment}, contributions ask for {1UL << highest}."
        );
    }
}
