using Iommufd.Messages;
using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Persistence.Tests;

/// <summary>The run's own events, events of earlier versions, and the log of replies.</summary>
public sealed class RunStreamTests
{
    private static readonly RunStarted Started = new(
        EventTypes.Version,
        "1.0.0",
        "a.yaml",
        "iommufd: 1\ntitle: ü\n",
        ["rounds", "4", "ram", "2M"],
        IsSeeded: true,
        7,
        "group",
        ["faults", "light"]
    );

    [Fact]
    public void The_runs_events_survive_their_payload()
    {
        RunEvent[] events =
        [
            Started,
            new ClientFinished(3),
            new BarrierOpened("ready"),
            new RunStopping("a deadline"),
            new RunContinued("1.0.1", [1, 5]),
            new RunFinished(0xfedcba9876543210, 0, ""),
        ];
        foreach (var change in events)
        {
            var again = EventPayload.FromBytes(EventPayload.ToBytes(change));
            Assert.Equal(EventText.Of(change), EventText.Of(again));
        }
    }

    [Fact]
    public void A_run_says_how_far_it_came()
    {
        var run = new JournaledRun(
            [
                Started,
                new BarrierOpened("ready"),
                new BarrierOpened("ready"),
                new ClientFinished(3),
                new RunContinued("1.0.1", []),
            ]
        );
        Assert.Equal([3L], run.FinishedClients);
        Assert.Equal(2, run.OpenedBarriers["ready"]);
        Assert.Null(run.Finished);
        Assert.False(run.IsRepeatable);
        Assert.True(new JournaledRun([Started]).IsRepeatable);
        Assert.False(new JournaledRun([Started, new RunStopping("x")]).IsRepeatable);
        Assert.Equal(
            "iommufd run a.yaml --seed 7 --set rounds=4 --set ram=2M --faults light --durability group",
            run.CommandFor("a.yaml")
        );
    }

    [Fact]
    public void A_run_that_does_not_begin_with_its_beginning_is_refused() =>
        Assert.Throws<JournalFormatException>(() => new JournaledRun([new ClientFinished(3)]));

    [Fact]
    public void Events_of_earlier_versions_go_up_step_by_step()
    {
        var upcasting = new EventUpcasting(
            new Dictionary<Type, Func<ContextEvent, ContextEvent>>
            {
                [typeof(IoasAllocated)] = e => new AccessDestroyed(((IoasAllocated)e).IoasId + 1),
                [typeof(AccessDestroyed)] = e => new ObjectDestroyed(((AccessDestroyed)e).AccessId * 10),
            }
        );
        Assert.Equal(new ObjectDestroyed(80), upcasting.ToCurrent(new IoasAllocated(7)));
        Assert.Equal(new DeviceUnbound(7), upcasting.ToCurrent(new DeviceUnbound(7)));
        Assert.Equal([new ObjectDestroyed(80)], upcasting.FromJournal(new IoasAllocated(7), "").Events);
    }

    [Fact]
    public void A_logged_reply_names_the_last_event_that_it_may_show_and_the_hash_of_all_before()
    {
        string file = Path.GetTempFileName();
        try
        {
            ContextEvent[] events = [new IoasAllocated(1), new IoasAllocated(2), new ObjectDestroyed(1)];
            using (var log = new ReplyLog(file))
            {
                log.Recorded(4, 1, events[0]);
                log.Recorded(4, 2, events[1]);
                log.Replied(4, 1, 10, Errno.OK);
                log.Recorded(4, 3, events[2]);
                log.Replied(4, 3, 11, Errno.EBUSY);
            }

            ulong first = ReplyLog.Chain(ReplyLog.EmptyChain, EventPayload.ToBytes(events[0]));
            ulong third = events.Aggregate(ReplyLog.EmptyChain, (c, e) => ReplyLog.Chain(c, EventPayload.ToBytes(e)));
            Assert.Equal(
                [$"iommufd-4 1 {first:x16} 10 OK", $"iommufd-4 3 {third:x16} 11 EBUSY"],
                File.ReadAllLines(file)
            );
        }
        finally
        {
            File.Delete(file);
        }
    }
}
