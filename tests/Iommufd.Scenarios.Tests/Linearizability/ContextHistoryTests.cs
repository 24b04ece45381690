using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Linearizability;

namespace Iommufd.Scenarios.Tests.Linearizability;

/// <summary>Histories that no order of the calls explains are rejected; what iommufd may really answer is not.</summary>
public sealed class ContextHistoryTests
{
    [Fact]
    public void Calls_one_after_another_with_the_models_answers_are_right()
    {
        var told = new Told();
        told.Does(Told.MapOf(1));
        told.Fails(Told.MapOf(1), Errno.EEXIST);
        told.OkBytes(told.Make(Told.UnmapOf(0, 4)), 1);
        told.Fails(Told.UnmapOf(0, 4), Errno.ENOENT);

        Assert.Null(told.Violation);
        Assert.Equal(5, told.History.Checked);
    }

    [Fact]
    public void Two_maps_of_the_same_iova_cannot_both_have_succeeded()
    {
        var told = new Told();
        long first = told.Make(Told.MapOf(1));
        long second = told.Make(Told.MapOf(1));
        told.Ok(first);
        told.Ok(second);

        Assert.Contains("no order of these calls on IOAS 1", told.Violation, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mapping_that_was_answered_is_there()
    {
        var told = new Told();
        told.Does(Told.MapOf(1));
        told.Fails(Told.UnmapOf(1), Errno.ENOENT);

        Assert.NotNull(told.Violation);
    }

    [Fact]
    public void A_mapping_that_is_gone_is_not_there()
    {
        var told = new Told().WithAccess();
        told.Does(Told.MapOf(1));
        told.OkBytes(told.Make(Told.UnmapOf(1)), 1);
        told.Does(Told.PinOf(1));

        Assert.NotNull(told.Violation);
    }

    [Fact]
    public void An_access_during_an_unmap_may_find_the_pages_or_not()
    {
        var told = new Told().WithAccess();
        told.Does(Told.MapOf(1));
        told.Does(Told.MapOf(2));
        long unmap = told.Make(Told.UnmapOf(1, 2));
        told.Fails(Told.PinOf(1), Errno.ENOENT);
        told.Does(Told.PinOf(2));
        told.OkBytes(unmap, 2);

        Assert.Null(told.Violation);
    }

    [Fact]
    public void Areas_go_lowest_first()
    {
        var told = new Told().WithAccess();
        told.Does(Told.MapOf(1));
        told.Does(Told.MapOf(2));
        long unmap = told.Make(Told.UnmapOf(1, 2));
        long again = told.Make(Told.MapOf(2));
        told.Ok(again);
        told.Does(Told.PinOf(1));
        told.OkBytes(unmap, 2);

        // Area 2 was free for the new mapping, so area 1, which goes first, was gone before.
        Assert.NotNull(told.Violation);
    }

    [Fact]
    public void An_unmap_says_how_much_it_took()
    {
        var told = new Told();
        told.Does(Told.MapOf(1, 2));
        told.OkBytes(told.Make(Told.UnmapOf(1, 2)), 1);

        Assert.NotNull(told.Violation);
    }

    [Fact]
    public void An_unmap_that_failed_half_way_has_taken_what_came_before()
    {
        var told = new Told();
        told.Does(Told.MapOf(1));
        told.Does(Told.MapOf(2, 2));
        told.Fails(Told.UnmapOf(1, 2), Errno.ENOENT);
        told.Does(Told.MapOf(1));
        told.Fails(Told.MapOf(2), Errno.EEXIST);

        Assert.Null(told.Violation);
    }

    [Fact]
    public void A_map_may_meet_an_area_in_construction_that_never_comes_to_be()
    {
        var told = new Told();
        long first = told.Make(Told.MapOf(1));
        told.Fails(Told.MapOf(1), Errno.EEXIST);
        told.Fails(first, Errno.ENOMEM);

        Assert.Null(told.Violation);
    }

    [Fact]
    public void Nothing_is_busy_when_nothing_is_under_way()
    {
        var told = new Told();
        told.Does(Told.MapOf(1));
        told.Fails(Told.UnmapOf(1), Errno.EBUSY);

        Assert.NotNull(told.Violation);
    }

    [Fact]
    public void Another_range_makes_nobody_busy()
    {
        var told = new Told();
        told.Does(Told.MapOf(1));
        long elsewhere = told.Make(Told.MapOf(9));
        told.Fails(Told.UnmapOf(1), Errno.EBUSY);
        told.Ok(elsewhere);

        Assert.NotNull(told.Violation);
    }

    [Fact]
    public void A_copy_inserts_what_it_found_and_finds_only_what_is_there()
    {
        var told = new Told();
        told.Does(Told.MapOf(1));
        told.Does(CopyOf(from: 1, to: 5));
        told.Fails(Told.MapOf(5), Errno.EEXIST);
        Assert.Null(told.Violation);

        told.Does(CopyOf(from: 3, to: 7));
        Assert.NotNull(told.Violation);
    }

    [Fact]
    public void A_copy_need_not_be_at_one_instant_in_both_spaces()
    {
        const uint other = 2;
        var told = new Told();
        told.Ok(told.Make(new IoasAlloc()), new IoasAlloc { OutIoasId = other });
        told.Does(Told.MapOf(1));
        long copy = told.Make(CopyOf(from: 1, to: 1) with { DstIoasId = other });
        told.OkBytes(told.Make(Told.UnmapOf(1)), 1);
        told.Fails(Told.UnmapOf(1) with { IoasId = other }, Errno.ENOENT);
        told.Ok(copy);
        told.OkBytes(told.Make(Told.UnmapOf(1) with { IoasId = other }), 1);

        Assert.Null(told.Violation);
    }

    [Fact]
    public void Whether_a_copy_found_one_area_or_two_its_part_may_go_alone()
    {
        var told = new Told();
        told.Does(Told.MapOf(1));
        told.Does(Told.MapOf(2));
        told.Does(CopyOf(from: 1, to: 5) with { Length = 8192 });
        told.OkBytes(told.Make(Told.UnmapOf(6)), 1);
        told.OkBytes(told.Make(Told.UnmapOf(5)), 1);
        told.Does(Told.MapOf(5, 2));

        Assert.Null(told.Violation);
    }

    [Fact]
    public void An_access_needs_the_permission()
    {
        var told = new Told().WithAccess();
        told.Does(Told.MapOf(1) with { Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable });
        told.Fails(Told.PinOf(1), Errno.EPERM);
        told.Does(Told.PinOf(1) with { Write = false });
        Assert.Null(told.Violation);

        told.Does(Told.PinOf(1));
        Assert.NotNull(told.Violation);
    }

    [Fact]
    public void An_access_that_moves_meanwhile_may_answer_anything()
    {
        var told = new Told().WithAccess();
        told.Does(Told.MapOf(1));
        long move = told.Make(new ReplaceAccessIoas(Told.Access, 9));
        told.Fails(Told.PinOf(1), Errno.ENOENT);
        told.Ok(move);

        Assert.Null(told.Violation);
    }

    [Fact]
    public void The_last_iova_can_be_mapped_and_unmapped()
    {
        const ulong last = ulong.MaxValue / 4096;
        var told = new Told();
        told.Does(Told.MapOf(last));
        told.Fails(Told.MapOf(last), Errno.EEXIST);
        told.OkBytes(told.Make(new IoasUnmap { IoasId = Told.Space, Length = ulong.MaxValue }), 1);

        Assert.Null(told.Violation);
    }

    [Fact]
    public void An_id_that_was_destroyed_and_given_out_again_is_a_new_space()
    {
        var told = new Told();
        told.Does(Told.MapOf(1));
        long destroy = told.Make(new Destroy { Id = Told.Space });
        told.Ok(told.Make(new IoasAlloc()), new IoasAlloc { OutIoasId = Told.Space });
        told.Does(Told.MapOf(1));
        told.Ok(destroy);

        Assert.Null(told.Violation);
    }

    [Fact]
    public void Calls_of_which_one_is_never_answered_are_not_checked_behind_it()
    {
        var told = new Told();
        told.Make(Told.MapOf(1));
        told.Fails(Told.UnmapOf(5), Errno.EBUSY);

        Assert.Null(told.Violation);
        Assert.Equal(1, told.History.Checked);
    }

    [Fact]
    public void Too_many_calls_at_once_are_undecided_and_say_so()
    {
        var told = new Told();
        long[] unmaps = [.. Enumerable.Range(0, 24).Select(_ => told.Make(Told.UnmapOf(0, 100)))];
        long[] maps = [.. Enumerable.Range(0, 24).Select(i => told.Make(Told.MapOf((ulong)i)))];
        foreach (long map in maps)
        {
            told.Ok(map);
        }

        foreach (long unmap in unmaps)
        {
            told.OkBytes(unmap, 1);
        }

        Assert.Null(told.Violation);
        Assert.Equal(1, told.History.GivenUp);
    }

    [Fact]
    public void A_counterexample_shows_the_calls_concerned_and_no_others()
    {
        var told = new Told();
        for (ulong page = 100; page < 120; page++)
        {
            told.Does(Told.MapOf(page));
        }

        long elsewhere = told.Make(Told.MapOf(50));
        long first = told.Make(Told.MapOf(1));
        long second = told.Make(Told.MapOf(1));
        told.Ok(elsewhere);
        told.Ok(first);
        told.Ok(second);

        string[] lines = told.Violation!.Split('\n');
        Assert.Contains(lines, l => l.Contains("IOAS_MAP 0x1000 +0x1000 -> OK", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, l => l.Contains("0x32000", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, l => l.Contains("0x64000", StringComparison.Ordinal));
    }

    private static IoasCopy CopyOf(ulong from, ulong to) =>
        new()
        {
            SrcIoasId = Told.Space,
            DstIoasId = Told.Space,
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            SrcIova = from * 4096,
            DstIova = to * 4096,
            Length = 4096,
        };
}
