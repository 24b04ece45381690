using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Dma;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Actors.Tests;

/// <summary>A dma-buf is taken back: from every context that imported it, whatever these are doing.</summary>
public sealed class RevocationTests : HostFixture
{
    private const ulong Iova = 0x4000_0000;
    private const uint Bytes = 16 * (uint)HostPage.Size;
    private readonly List<IActorRef> _contexts = [];

    [Fact]
    public void When_the_command_answers_no_device_of_any_context_reaches_the_buffer()
    {
        Start();
        var buffer = Import("nic", "disk", "gpu");
        Assert.All(new[] { "nic", "disk", "gpu" }, d => Assert.Equal((0ul, 0ul), Outcome(Dma(d))));
        foreach (var revoked in new[] { 1u, 0u })
        {
            Use(0);
            Ok(new TestDmabufRevoke { DmabufFd = buffer, Revoked = revoked });
            Assert.All(new[] { "nic", "disk", "gpu" }, d => Assert.Equal((64ul, 0ul), Outcome(Dma(d))));
        }

        // Allowed again: new imports work, the old ones stay dead.
        Use(1);
        Ok(Map(AllocIoas(), buffer));
        CloseAll();
    }

    [Fact]
    public void Devices_that_are_busy_are_waited_for()
    {
        Start();
        var buffer = Import("nic", "disk");
        var dma = CreateTestProbe();
        Host.Machine.Tell(Run("disk", 1_000_000), dma.Ref);
        Ok(new TestDmabufRevoke { DmabufFd = buffer, Revoked = 1 });
        Assert.Equal((64ul, 0ul), Outcome(Dma("disk")));
        Assert.Equal(0ul, dma.ExpectMsg<DmaDone>().Report.Violations);
        CloseAll();
    }

    [Fact]
    public void Contexts_that_revoke_for_each_other_while_they_map_and_are_checked_all_get_their_answers()
    {
        Start();
        var buffer = Import("nic", "disk", "gpu");
        for (var round = 0; round < 30; round++)
        {
            foreach (var context in _contexts)
            {
                context.Tell(
                    new IoctlRequest(
                        1,
                        ProcessId,
                        new TestDmabufRevoke { DmabufFd = buffer, Revoked = (uint)round & 1 }
                    ),
                    TestActor
                );
                context.Tell(new CheckInvariants(), TestActor);
                context.Tell(
                    new IoctlRequest(2, ProcessId, new IoasUnmap { IoasId = 1, Length = ulong.MaxValue }),
                    TestActor
                );
                context.Tell(new IoctlRequest(3, ProcessId, Map(1, buffer)), TestActor);
            }

            if (round % 7 == 3)
            {
                _contexts[1].Tell(new CrashContext());
            }

            for (var answers = 0; answers < 4 * _contexts.Count; answers++)
            {
                if (ExpectMsg<object>() is InvariantReport report)
                {
                    Assert.Empty(report.Violations);
                }
            }
        }

        Assert.All(new[] { "nic", "disk", "gpu" }, d => Assert.Equal(0ul, Dma(d).Violations));
        CloseAll();
    }

    [Fact]
    public void A_context_that_closes_meanwhile_holds_nobody_up()
    {
        Start();
        for (var round = 0; round < 20; round++)
        {
            var buffer = Import("nic", "disk");
            var (mine, other) = (_contexts[^2], _contexts[^1]);
            other.Tell(new CloseIommufd(), TestActor);
            mine.Tell(
                new IoctlRequest(7, ProcessId, new TestDmabufRevoke { DmabufFd = buffer, Revoked = 1 }),
                TestActor
            );
            var answers = new[] { ExpectMsg<object>(), ExpectMsg<object>() };
            Assert.Equal(0, Assert.Single(answers.OfType<IommufdClosed>()).Leaked);
            Assert.Equal(Errno.OK, Assert.Single(answers.OfType<IoctlAnswer>()).Result.Errno);
            mine.Tell(new CloseIommufd(), TestActor);
            Assert.Equal(0, ExpectMsg<IommufdClosed>().Leaked);
        }

        Assert.Equal(0, Host.State.Physical.TotalPins);
    }

    // A context for each device, which maps the same buffer at the same IOVA; the first is in use afterwards.
    private int Import(params string[] devices)
    {
        var first = _contexts.Count;
        var buffer = 0;
        foreach (var device in devices)
        {
            Reopen();
            _contexts.Add(Iommufd);
            var ioas = AllocIoas();
            Assert.Equal(1u, ioas);
            Ok(new AttachDevice(Bind(device), ioas));
            if (buffer == 0)
            {
                buffer = (int)Call(new TestDmabufGet { Length = Bytes }).ReturnValue;
            }

            Ok(Map(ioas, buffer));
        }

        Use(first);
        return buffer;
    }

    private void Use(int context) => Use(_contexts[context]);

    private void CloseAll()
    {
        foreach (var context in _contexts)
        {
            Use(context);
            CloseAndCheck();
        }
    }

    private static IoasMapFile Map(uint ioas, int buffer) =>
        new()
        {
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            IoasId = ioas,
            Fd = buffer,
            Length = Bytes,
            Iova = Iova,
        };

    private DmaReport Dma(string device) => Tell<DmaDone>(Host.Machine, Run(device, 64)).Report;

    private static (ulong Faults, ulong Violations) Outcome(DmaReport report) => (report.Faults, report.Violations);

    private static RunDma Run(string device, long transfers) =>
        new(
            1,
            device,
            new DmaPattern(DmaPatternKind.Random, new IovaRange(Iova, Iova + Bytes - 1), 64, 50, 0),
            transfers
        );
}
