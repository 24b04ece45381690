using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Persistence.Tests;

/// <summary>A context brought back from its events is the context that wrote them.</summary>
public sealed class ReplayTests
{
    private const ulong Buffer = 0x10_0000_0000;

    [Fact]
    public void A_replay_has_the_digest_of_the_context_that_wrote_the_events()
    {
        var written = Written(context =>
        {
            var ioas = context.Ok(new IoasAlloc()).OutIoasId;
            var device = context.Ok(new TestMockDomain { PtId = ioas });
            context.Map(ioas, 0x1000000, 0x8000);
            var other = context.Ok(new IoasAlloc()).OutIoasId;
            context.Ok(
                new IoasCopy
                {
                    SrcIoasId = ioas,
                    DstIoasId = other,
                    SrcIova = 0x1001000,
                    DstIova = 0x2000000,
                    Length = 0x2000,
                    Flags = IoasMapFlags.Readable | IoasMapFlags.FixedIova,
                }
            );
            context.Ok(new HwptAlloc { DevId = device.OutIdevId, PtId = other });
            var access = context.Ok(new CreateAccess(ioas, NeedsPinPages: true)).OutAccessId;
            context.Ok(new PinAccessPages(access, 0x1002000, 0x3000, Write: true));
        });

        Assert.Equal(written.Digest, Replayed(written.Events).Digest);
    }

    [Fact]
    public void Ids_that_were_freed_and_taken_again_come_back_the_same()
    {
        var written = Written(context =>
        {
            var first = context.Ok(new IoasAlloc()).OutIoasId;
            context.Ok(new IoasAlloc());
            context.Ok(new Destroy { Id = first });
            Assert.Equal(first, context.Ok(new IoasAlloc()).OutIoasId);
        });

        Assert.Equal(written.Digest, Replayed(written.Events).Digest);
    }

    [Fact]
    public void An_unmap_that_failed_half_way_is_replayed_as_far_as_it_went()
    {
        var written = Written(context =>
        {
            var ioas = context.Ok(new IoasAlloc()).OutIoasId;
            context.Ok(new TestMockDomain { PtId = ioas });
            context.Map(ioas, 0x1000000, 0x1000);
            context.Map(ioas, 0x1002000, 0x4000);
            var half = new IoasUnmap
            {
                IoasId = ioas,
                Iova = 0x1000000,
                Length = 0x3000,
            };
            Assert.Equal(Errno.ENOENT, context.Call(half).Errno);
        });

        Assert.Equal(written.Digest, Replayed(written.Events).Digest);
    }

    [Fact]
    public void A_recorded_digest_that_differs_is_reported_with_its_event()
    {
        var written = Written(context => context.Ok(new IoasAlloc()));
        written.Events.Add(new DigestRecorded(written.Digest));
        written.Events.Add(new DigestRecorded(written.Digest + 1));

        var replayed = Replayed(written.Events);

        Assert.Equal(1, replayed.DigestsVerified);
        Assert.Equal(written.Events.Count, Assert.Single(replayed.Mismatches).Event);
        Assert.Empty(replayed.Suspects);
    }

    [Fact]
    public void What_was_touched_since_the_last_good_digest_is_under_suspicion()
    {
        var written = Written(context => context.Ok(new IoasAlloc()));
        written.Events.Add(new DigestRecorded(written.Digest));
        written.Events.Add(new IoasAllocated(2));
        written.Events.Add(new DigestRecorded(1));

        var suspects = Replayed(written.Events).Suspects;

        Assert.Contains(suspects, l => l.StartsWith("IoasObject 2", StringComparison.Ordinal));
        Assert.DoesNotContain(suspects, l => l.StartsWith("IoasObject 1", StringComparison.Ordinal));
    }

    [Fact]
    public void An_event_that_does_not_fit_the_state_is_named()
    {
        var written = Written(context => context.Ok(new IoasAlloc()));
        written.Events.Add(new ObjectDestroyed(77));

        var failure = Assert.Throws<JournalFormatException>(() => Replayed(written.Events));

        Assert.Contains(nameof(ObjectDestroyed), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_journal_of_a_newer_version_is_refused()
    {
        var context = new ReplayedContext(1);
        var failure = Assert.Throws<JournalFormatException>(() =>
            context.Apply(new ContextOpened(EventTypes.Version + 1, 1, 1))
        );
        Assert.Contains("version", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_event_type_survives_its_payload()
    {
        var written = Written(context =>
        {
            var ioas = context.Ok(new IoasAlloc()).OutIoasId;
            context.Ok(new TestMockDomain { PtId = ioas });
            context.Map(ioas, 0x1000000, 0x8000);
        });
        foreach (var change in written.Events)
        {
            var again = EventPayload.FromBytes(EventPayload.ToBytes(change));
            Assert.Equal(change.GetType(), again.GetType());
            Assert.Equal(EventPayload.ToBytes(change), EventPayload.ToBytes(again));
        }
    }

    [Fact]
    public void A_payload_that_is_no_event_is_refused()
    {
        Assert.Throws<JournalFormatException>(() => EventPayload.FromBytes([0xfe, 0xff, 0xff]));
    }

    [Fact]
    public void A_payload_of_a_type_that_does_not_exist_yet_is_refused_with_its_number()
    {
        var failure = Assert.Throws<JournalFormatException>(() => EventPayload.FromBytes([0xfe, 0xe8, 0x03, 1, 2]));
        Assert.Contains("event type 1000", failure.Message, StringComparison.Ordinal);
        Assert.Contains("newer version", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_payload_of_a_foreign_type_is_refused_with_its_name()
    {
        var name = "Other.Thing, Other"u8;
        byte[] payload = [0xff, (byte)name.Length, 0, 0, 0, .. name, 1];
        var failure = Assert.Throws<JournalFormatException>(() => EventPayload.FromBytes(payload));
        Assert.Contains("Other.Thing, Other", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_order_of_event_types_only_grows()
    {
        // The position of a type is its name in every journal ever written.
        string[] first =
        [
            "ContextOpened",
            "ProcessSeen",
            "IoasAllocated",
            "AreaMapped",
            "AreasCopied",
            "AreasUnmapped",
            "AllowedReplaced",
            "LargePagesSet",
            "AccountingModeSet",
            "RangeReserved",
            "HwptAllocated",
            "DeviceBound",
            "DeviceUnbound",
            "DeviceAttached",
            "DeviceReplaced",
            "DeviceDetached",
            "MockDeviceMade",
            "AccessCreated",
            "AccessMoved",
            "AccessPinned",
            "AccessUnpinned",
            "AccessDestroyed",
            "ObjectDestroyed",
            "DigestRecorded",
            "ContextClosed",
        ];
        Assert.Equal(first, EventTypes.InFileOrder.Take(first.Length).Select(t => t.Name));
        Assert.Equal(EventTypes.InFileOrder.Count, EventTypes.InFileOrder.Distinct().Count());
    }

    private static (List<ContextEvent> Events, ulong Digest) Written(Action<Driver> use)
    {
        var driver = new Driver();
        use(driver);
        List<ContextEvent> events =
        [
            new ContextOpened(EventTypes.Version, 1, driver.Caller.ProcessId),
            new ProcessSeen(driver.Caller.ProcessId, ulong.MaxValue, true, true),
            .. driver.Context.Events,
        ];
        var describe = new DescribeContextFlow(driver.Context.Core, driver.Caller, withText: false);
        driver.Context.Run(describe);
        return (events, describe.Digest);
    }

    private static ReplayedContext Replayed(IEnumerable<ContextEvent> events)
    {
        var context = new ReplayedContext(1);
        foreach (var change in events)
        {
            context.Apply(change);
        }

        return context;
    }

    private sealed class Driver
    {
        public Driver()
        {
            var machine = new HostMachine();
            Caller = machine.StartProcess(new ProcessSpec("client"));
            Context = new SequentialContext(machine, 1);
            Caller.Memory.Map(
                Buffer,
                1 << 20,
                MemoryKind.Anonymous,
                MemoryProtection.Read | MemoryProtection.Write,
                populate: false,
                out _
            );
        }

        public Caller Caller { get; }

        public SequentialContext Context { get; }

        public IoctlResult Call(IoctlCommand command) => Context.Execute(Caller, command);

        public T Ok<T>(T command)
            where T : IoctlCommand
        {
            var result = Call(command);
            Assert.Equal(Errno.OK, result.Errno);
            return (T)(result.WriteBack ?? command);
        }

        public void Map(uint ioas, ulong iova, ulong length) =>
            Ok(
                new IoasMap
                {
                    IoasId = ioas,
                    Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
                    UserVa = Buffer,
                    Iova = iova,
                    Length = length,
                }
            );
    }
}
