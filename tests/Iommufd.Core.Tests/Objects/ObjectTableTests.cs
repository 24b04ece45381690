using Iommufd.Core.Context;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

/// <summary>A context's ids: who gets which, who is found, and when an id is free again.</summary>
public sealed class ObjectTableTests
{
    private readonly ObjectTable _table = new();

    [Fact]
    public void Ids_of_all_kinds_come_from_one_row_that_starts_at_1()
    {
        Assert.Equal(1u, _table.Reserve(new Apple()).Id);
        Assert.Equal(2u, _table.Reserve(new Pear()).Id);
        Assert.Equal(3u, _table.Reserve(new Apple()).Id);
    }

    [Fact]
    public void The_lowest_free_id_is_taken_first()
    {
        List<Apple> apples = Apples(200);
        foreach (int id in new[] { 130, 7, 64, 199, 63, 128 })
        {
            _table.Remove(apples[id - 1]);
        }

        uint[] taken = [.. Enumerable.Range(0, 7).Select(_ => _table.Reserve(new Apple()).Id)];

        Assert.Equal([7u, 63u, 64u, 128u, 130u, 199u, 201u], taken);
    }

    [Fact]
    public void An_id_that_is_given_back_below_the_others_is_the_next_one()
    {
        List<Apple> apples = Apples(300);
        _table.Remove(apples[279]);
        Assert.Equal(280u, _table.Reserve(new Apple()).Id);
        _table.Remove(apples[199]);
        _table.Remove(apples[2]);

        Assert.Equal(3u, _table.Reserve(new Apple()).Id);
        Assert.Equal(200u, _table.Reserve(new Apple()).Id);
        Assert.Equal(301u, _table.Reserve(new Apple()).Id);
    }

    [Fact]
    public void An_object_is_found_from_its_publication_until_it_starts_to_die()
    {
        Apple apple = _table.Reserve(new Apple());
        Assert.Equal(ObjectPhase.Reserved, apple.Phase);
        Assert.Null(_table.Find<Apple>(apple.Id));

        _table.Publish(apple);
        Assert.Same(apple, _table.Find<Apple>(apple.Id));

        _table.Hide(apple);
        Assert.Equal(ObjectPhase.Dying, apple.Phase);
        Assert.Null(_table.Find<Apple>(apple.Id));
    }

    [Fact]
    public void An_object_is_found_by_its_own_kind_and_id_only()
    {
        Apple apple = Published(new Apple());

        Assert.Null(_table.Find<Pear>(apple.Id));
        Assert.Null(_table.Find<Apple>(0));
        Assert.Null(_table.Find<Apple>(2));
        Assert.Null(_table.Find<Apple>(uint.MaxValue));
        Assert.Same(apple, _table.Find<ContextObject>(apple.Id));
    }

    [Fact]
    public void A_dying_object_keeps_its_id_until_it_is_removed()
    {
        Apple apple = Published(new Apple());
        _table.Hide(apple);
        Assert.Equal((1, false), (_table.Count, _table.IsEmpty));
        Assert.Equal(2u, _table.Reserve(new Apple()).Id);

        _table.Remove(apple);

        Assert.Equal(1u, _table.Reserve(new Apple()).Id);
    }

    [Fact]
    public void A_tombstone_keeps_its_id_and_counts_as_no_object()
    {
        Apple apple = Published(new Apple());

        _table.Remove(apple, tombstone: true);

        Assert.Equal(ObjectPhase.Tombstone, apple.Phase);
        Assert.Equal((0, false), (_table.Count, _table.IsEmpty));
        Assert.Null(_table.Find<Apple>(1));
        Assert.Equal(2u, _table.Reserve(new Apple()).Id);
    }

    [Fact]
    public void A_table_is_empty_when_the_last_id_is_given_back()
    {
        Assert.True(_table.IsEmpty);
        Apple apple = _table.Reserve(new Apple());
        Assert.Equal((1, false), (_table.Count, _table.IsEmpty));

        _table.Remove(apple);

        Assert.Equal((0, true), (_table.Count, _table.IsEmpty));
        Assert.Equal(ObjectPhase.Dying, apple.Phase);
    }

    [Fact]
    public void What_can_be_found_and_what_holds_something_is_listed_by_id()
    {
        Apple reserved = _table.Reserve(new Apple());
        Apple live = Published(new Apple());
        Pear other = Published(new Pear());
        Apple dying = Published(new Apple());
        _table.Hide(dying);
        _table.Remove(Published(new Apple()), tombstone: true);
        _table.Remove(Published(new Apple()));

        Assert.Equal<ContextObject>([live, other], _table.Live);
        Assert.Equal<ContextObject>([reserved, live, other], _table.Taken);
    }

    [Fact]
    public void Only_a_reserved_object_is_published_and_only_a_live_one_starts_to_die()
    {
        Apple apple = _table.Reserve(new Apple());
        Assert.Throws<InvariantBrokenException>(() => _table.Hide(apple));
        _table.Publish(apple);

        Assert.Throws<InvariantBrokenException>(() => _table.Publish(apple));
    }

    [Fact]
    public void A_recorded_id_leaves_those_that_it_leaps_over_free()
    {
        Apple apple = _table.Reserve(new Apple(), forcedId: 4);

        Assert.Equal(4u, apple.Id);
        Assert.Equal([1u, 2u, 3u, 5u], Enumerable.Range(0, 4).Select(_ => _table.Reserve(new Apple()).Id));
        _table.Publish(apple);
        Assert.Same(apple, _table.Find<Apple>(4));
    }

    [Fact]
    public void A_recorded_id_that_was_given_back_is_not_given_out_twice()
    {
        List<Apple> apples = Apples(5);
        _table.Remove(apples[1]);
        _table.Remove(apples[3]);

        Assert.Equal(4u, _table.Reserve(new Apple(), forcedId: 4).Id);

        Assert.Equal([2u, 6u], Enumerable.Range(0, 2).Select(_ => _table.Reserve(new Apple()).Id));
    }

    [Theory]
    [InlineData(2u)]
    [InlineData(3u)]
    [InlineData(4u + (1 << 20))]
    public void A_recorded_id_that_is_taken_or_far_away_is_a_broken_journal(uint id)
    {
        Apples(3);

        Assert.Throws<InvariantBrokenException>(() => _table.Reserve(new Apple(), id));
    }

    [Fact]
    public void The_furthest_recorded_id_is_2_to_the_20th_less_1_past_the_next()
    {
        Assert.Equal(1u << 20, _table.Reserve(new Apple(), 1u << 20).Id);
    }

    [Fact]
    public void A_recorded_id_may_be_the_next_one()
    {
        Apples(2);

        Assert.Equal(3u, _table.Reserve(new Apple(), forcedId: 3).Id);
    }

    [Fact]
    public void A_recorded_id_may_lie_beyond_all_that_were_given_back()
    {
        _table.Remove(_table.Reserve(new Apple()));

        Assert.Equal(128u, _table.Reserve(new Apple(), forcedId: 128).Id);
    }

    [Fact]
    public void A_recorded_id_that_is_taken_is_a_broken_journal_also_beside_one_that_was_given_back()
    {
        List<Apple> apples = Apples(3);
        _table.Remove(apples[0]);

        Assert.Throws<InvariantBrokenException>(() => _table.Reserve(new Apple(), 2));
    }

    private List<Apple> Apples(int count) => [.. Enumerable.Range(0, count).Select(_ => _table.Reserve(new Apple()))];

    private T Published<T>(T made)
        where T : ContextObject
    {
        _table.Reserve(made);
        _table.Publish(made);
        return made;
    }

    private sealed class Apple : ContextObject;

    private sealed class Pear : ContextObject;
}
