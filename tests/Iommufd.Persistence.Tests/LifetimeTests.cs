using FsCheck;
using FsCheck.Fluent;
using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Persistence.Tests;

/// <summary>Leaving out the events that are over gives the state that all events give.</summary>
public sealed class LifetimeTests
{
    [Fact]
    public void At_every_event_of_random_histories_the_events_that_matter_give_the_state_that_all_give() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<int>(),
                seed => SameEverywhere(new RandomHistory(seed, 90, isPlain: seed % 2 == 0).Events)
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(MaxTest));

    [Fact]
    public void Of_a_long_history_only_what_is_there_at_its_end_matters()
    {
        List<ContextEvent> events =
        [
            new ContextOpened(EventTypes.Version, 1, 1),
            new IoasAllocated(1),
            new DeviceBound(2, "a", []),
            new HwptAllocated(3, 2, 1, 0, 0, []),
        ];
        for (var i = 0u; i < 1000; i++)
        {
            events.Add(new AreaMapped(1, 1, i * 0x1000, 0x1000, 0x10000, 7, i + 1, []));
            events.Add(new DeviceAttached(2, 0, 3, 3, []));
            events.Add(new AccessCreated(4, 1, true));
            events.Add(new AccessPinned(4, 1, i * 0x1000, 0x1000, true, []));
            events.Add(new AccessUnpinned(4, 1));
            events.Add(new AccessDestroyed(4));
            events.Add(new DeviceDetached(2, 0));
            events.Add(new AreasUnmapped(1, [i * 0x1000, (i * 0x1000) + 0xfff]));
        }

        Assert.Equal([1u, 2u, 3u, 4u], Lifetimes(events, events.Count).LiveRows());
    }

    [Fact]
    public void A_map_and_its_unmap_are_over_and_what_is_mapped_is_not()
    {
        List<ContextEvent> events =
        [
            new ContextOpened(EventTypes.Version, 1, 1),
            new IoasAllocated(1),
            new AreaMapped(1, 1, 0x1000, 0x1000, 0x10000, 7, 1, []),
            new AreaMapped(1, 1, 0x2000, 0x1000, 0x10000, 7, 2, []),
            new AreasUnmapped(1, [0x1000, 0x1fff]),
        ];
        Assert.Equal([1u, 2u, 4u], Lifetimes(events, events.Count).LiveRows());
    }

    [Fact]
    public void What_an_unmap_does_not_fit_is_kept()
    {
        List<ContextEvent> events =
        [
            new ContextOpened(EventTypes.Version, 1, 1),
            new IoasAllocated(1),
            new AreaMapped(1, 1, 0x1000, 0x1000, 0x10000, 7, 1, []),
            new AreasUnmapped(1, [0x1000, 0x17ff]),
            new ObjectDestroyed(1),
        ];
        Assert.Equal([1u, 2u, 3u, 4u, 5u], Lifetimes(events, events.Count).LiveRows());
    }

    // IOMMUFD_MANY_HISTORIES is set by the nightly run.
    private static int MaxTest => Environment.GetEnvironmentVariable("IOMMUFD_MANY_HISTORIES") is null ? 25 : 1000;

    private static bool SameEverywhere(List<ContextEvent> events)
    {
        var all = new ReplayedContext(1);
        var lifetimes = new EventLifetimes();
        for (var i = 0; i < events.Count; i++)
        {
            all.Apply(events[i]);
            lifetimes.Add((uint)(i + 1), events[i]);
            if (Partial(events, lifetimes.LiveRows()).Digest != all.Digest)
            {
                throw new InvalidOperationException($"after event {i + 1}, {events[i]}");
            }
        }

        if (all.Mismatches.Count > 0)
        {
            throw new InvalidOperationException("a replay does not find the recorded digest again");
        }

        // The deaths say afterwards what was known at the time.
        var deaths = lifetimes.Deaths();
        var middle = (uint)(events.Count / 2);
        var then = Enumerable.Range(1, (int)middle).Select(n => (uint)n).Where(n => deaths[n - 1] > middle);
        return then.SequenceEqual(Lifetimes(events, (int)middle).LiveRows());
    }

    private static EventLifetimes Lifetimes(List<ContextEvent> events, int count)
    {
        var lifetimes = new EventLifetimes();
        for (var i = 0; i < count; i++)
        {
            lifetimes.Add((uint)(i + 1), events[i]);
        }

        return lifetimes;
    }

    private static ReplayedContext Partial(List<ContextEvent> events, List<uint> live)
    {
        var context = new ReplayedContext(1) { IsPartial = true };
        foreach (var row in live)
        {
            context.Apply(events[(int)row - 1]);
        }

        return context;
    }
}
