using FsCheck;
using FsCheck.Fluent;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Iova;

/// <summary>Random histories against <see cref="NaiveIovaMap"/>.</summary>
public sealed class IovaMapModelTests
{
    private static readonly ulong[] Lengths =
    [
        1,
        2,
        0x10,
        0x400,
        0x800,
        0xc00,
        0x1000,
        0x1800,
        0x2000,
        0x3000,
        0x4000,
        0x7000,
        0x10000,
        0x1f000,
        0x200000,
        0x201000,
        0x40000000,
        0x80000000,
        0x100000000,
        1UL << 62,
        (1UL << 63) - 2,
        (1UL << 63) - 1,
        1UL << 63,
        ulong.MaxValue - 1,
    ];

    [Fact]
    public void Automatic_placement_is_that_of_the_linear_scan() =>
        CheckMix(
            400,
            (6, MapStepKind.MapAutomatic),
            (2, MapStepKind.MapFixed),
            (3, MapStepKind.Remove),
            (1, MapStepKind.Reserve),
            (1, MapStepKind.Unreserve),
            (1, MapStepKind.Allow)
        );

    [Fact]
    public void Automatic_placement_keeps_to_the_alignment_of_the_linear_scan() =>
        CheckMix(
            200,
            (6, MapStepKind.MapAutomatic),
            (1, MapStepKind.MapFixed),
            (2, MapStepKind.Remove),
            (1, MapStepKind.Domain),
            (1, MapStepKind.Access),
            (1, MapStepKind.LargePages)
        );

    [Fact]
    public void Look_ups_and_contiguous_runs_are_those_of_a_list() =>
        CheckMix(
            200,
            (3, MapStepKind.MapFixed),
            (2, MapStepKind.MapAutomatic),
            (1, MapStepKind.Remove),
            (1, MapStepKind.ChangeArea),
            (1, MapStepKind.Reserve),
            (6, MapStepKind.Query)
        );

    [Fact]
    public void Cuts_follow_the_rules_of_the_list() =>
        CheckMix(
            200,
            (3, MapStepKind.MapFixed),
            (2, MapStepKind.MapAutomatic),
            (2, MapStepKind.ChangeArea),
            (1, MapStepKind.Domain),
            (1, MapStepKind.LargePages),
            (5, MapStepKind.Cut)
        );

    [Fact]
    public void Reserved_and_allowed_ranges_keep_out_of_each_others_way() =>
        CheckMix(
            200,
            (4, MapStepKind.Reserve),
            (2, MapStepKind.Unreserve),
            (2, MapStepKind.Allow),
            (2, MapStepKind.MapFixed),
            (1, MapStepKind.Remove)
        );

    /// <summary>
    /// A tree of several levels full of gaps of odd sizes at odd places: the search must skip the subtrees that have no
    /// room, and only those.
    /// </summary>
    [Theory]
    [InlineData(1, 0x1000UL)]
    [InlineData(2, 0x800UL)]
    [InlineData(3, 0x400UL)]
    [InlineData(4, 0x100UL)]
    [InlineData(5, 0x10000UL)]
    public void Automatic_placement_in_a_tree_full_of_odd_gaps_is_that_of_the_linear_scan(int seed, ulong unit)
    {
        var random = new Random(seed);
        var pair = new MapPair();
        ulong next = 0x1000;
        for (int i = 0; i < 6000; i++)
        {
            ulong first = next + (unit * (ulong)random.Next(0, 6));
            ulong last = first + (unit * (ulong)random.Next(1, 5)) - 1;
            if (random.Next(50) == 0)
            {
                pair.Reserve(new IovaRange(first, last), (ulong)random.Next(1, 4));
            }
            else
            {
                pair.Insert(new IovaRange(first, last), 0);
            }

            next = last + 1;
        }

        int placements = RandomCases.Of(300);
        for (int i = 0; i < placements; i++)
        {
            ulong hint = unit * (ulong)random.Next(0, 64);
            pair.Apply(new MapStep(MapStepKind.MapAutomatic, hint, unit * (ulong)random.Next(1, 9), 0));
            if (i % 2 == 0)
            {
                pair.Apply(new MapStep(MapStepKind.Remove, 0, 0, random.Next(6000)));
            }
        }

        Assert.InRange(pair.Placed, placements - 10, placements);
        pair.Compare();
    }

    [Fact]
    public void Filling_and_emptying_in_any_order_keeps_the_tree_sound()
    {
        var random = new Random(7);
        var pair = new MapPair();
        for (int round = 0; round < 4; round++)
        {
            for (int i = 0; i < 3000; i++)
            {
                ulong slot = (ulong)random.Next(20_000);
                pair.Apply(new MapStep(MapStepKind.MapFixed, slot * 0x2000, 0x1000, 0));
            }

            pair.Compare();
            while (pair.Map.AreaCount > round * 100)
            {
                pair.Apply(new MapStep(MapStepKind.Remove, 0, 0, random.Next(int.MaxValue)));
                if (pair.Map.AreaCount % 512 == 0)
                {
                    pair.Map.CheckInvariants();
                }
            }

            pair.Compare();
        }
    }

    private static void CheckMix(int histories, params (int Weight, MapStepKind Kind)[] mix)
    {
        Gen<MapStep> step =
            from kind in Gen.Frequency(mix.Select(m => (m.Weight, Gen.Constant(m.Kind))))
            from a in Addresses(kind)
            from b in LengthOf()
            from choice in Gen.Choose(0, 1 << 20)
            select new MapStep(kind, a, b, choice);
        Gen<MapStep[]> history = Gen.Sized(size => step.ArrayOf(size + 10));
        Check.One(RandomCases.Try(histories), Prop.ForAll(RandomCases.From(history, Shrink), Replay));
    }

    private static void Replay(MapStep[] history)
    {
        var pair = new MapPair();
        foreach (MapStep step in history)
        {
            pair.Apply(step);
            pair.Compare();
        }
    }

    // Leaves out one step, later ones first: a failing history shrinks to the steps that matter.
    private static IEnumerable<MapStep[]> Shrink(MapStep[] history)
    {
        for (int i = history.Length - 1; i >= 0; i--)
        {
            yield return [.. history[..i], .. history[(i + 1)..]];
        }
    }

    private static Gen<ulong> LengthOf() =>
        Gen.Frequency(
            (12, Gen.Elements(Lengths[..14])),
            (2, Gen.Elements(Lengths)),
            (2, Gen.Choose(1, 16).Select(n => (ulong)n * 0x800)),
            (1, Gen.Choose(1, 0x5000).Select(n => (ulong)n))
        );

    private static Gen<ulong> Addresses(MapStepKind kind)
    {
        Gen<ulong> offset = Gen.Frequency(
            (4, Gen.Constant(0UL)),
            (2, Gen.Choose(0, 7).Select(n => (ulong)n * 0x200)),
            (1, Gen.Choose(0, 0xfff).Select(n => (ulong)n))
        );
        Gen<ulong> low = Gen.Choose(0, 48).Select(n => (ulong)n * 0x1000);
        Gen<ulong> high = Gen.Choose(0, 24).Select(n => unchecked(0UL - ((ulong)n * 0x1000)));
        Gen<ulong> aligned = Gen.Choose(12, 63).Select(n => 1UL << n);
        Gen<ulong> page = kind switch
        {
            MapStepKind.MapAutomatic => Gen.Frequency((1, Gen.Constant(0UL)), (4, low), (3, aligned)),
            _ => Gen.Frequency((12, low), (3, high), (1, aligned)),
        };
        return from p in page from o in offset select unchecked(p + o);
    }
}
