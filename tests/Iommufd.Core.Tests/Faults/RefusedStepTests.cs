using Iommufd.Core.Faults;
using Iommufd.Core.Tests.Objects;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Core.Tests.Faults;

/// <summary>A fault in the middle of a command gives its errno, and leaves the context as it was.</summary>
public sealed class RefusedStepTests : ObjectsFixture
{
    private readonly uint _ioas;
    private readonly TestMockDomainFlags _device;

    public RefusedStepTests()
    {
        _ioas = Ioas();
        _device = Mock(_ioas);
        Do(Map(Iova, Buffer));
    }

    [Theory]
    [InlineData("command.copy-in", Errno.EFAULT)]
    [InlineData("command.alloc", Errno.ENOMEM)]
    [InlineData("area.alloc", Errno.ENOMEM)]
    [InlineData("pin.fault", Errno.EFAULT)]
    [InlineData("pin.out-of-memory", Errno.ENOMEM)]
    [InlineData("pin.limit", Errno.ENOMEM)]
    [InlineData("iopte.install", Errno.EADDRINUSE)]
    public void A_map_that_is_struck_leaves_no_trace(string point, Errno errno) =>
        LeavesNoTrace(point, errno, Map(0x4000_0000, Buffer + (8 * HostPage.Size)));

    [Theory]
    [InlineData("hwpt.alloc", Errno.ENOMEM)]
    [InlineData("domain.join", Errno.ENOMEM)]
    [InlineData("table.alloc", Errno.ENOMEM)]
    [InlineData("iopte.install", Errno.EADDRINUSE)]
    public void A_HWPT_that_cannot_be_filled_leaves_no_trace(string point, Errno errno) =>
        LeavesNoTrace(point, errno, new HwptAlloc { DevId = _device.OutIdevId, PtId = _ioas });

    [Fact]
    public void A_replace_that_the_driver_refuses_leaves_the_device_where_it_was()
    {
        var other = Ioas();
        LeavesNoTrace(
            "device.attach",
            Errno.ENODEV,
            new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = other }
        );
    }

    [Fact]
    public void A_response_that_is_lost_makes_the_device_ask_again()
    {
        var fault = Do(new FaultQueueAlloc()).OutFaultId;
        var hwpt = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.FaultIdValid, fault);
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = hwpt });
        Do(
            new TestTriggerIopf
            {
                DevId = _device.OutIdevId,
                GrpId = 5,
                Perm = 1,
                Addr = 0x5000,
            }
        );
        Assert.Equal(40, Value(new ReadFaultQueue(fault, Scratch, 80)));
        Put(Scratch, 1, 0);
        Strike(FaultPoints.PriResponseLost);
        Assert.Equal(8, Value(new WriteFaultQueue(fault, Scratch, 8)));
        Context.Core.Engine.Faults = null;
        Assert.Equal(40, Value(new ReadFaultQueue(fault, Scratch, 80)));
        Put(Scratch, 1, 0);
        Assert.Equal(8, Value(new WriteFaultQueue(fault, Scratch, 8)));
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _ioas });
    }

    private IoasMap Map(ulong iova, ulong address) =>
        new()
        {
            IoasId = _ioas,
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            UserVa = address,
            Length = 8 * HostPage.Size,
            Iova = iova,
        };

    private void LeavesNoTrace(string point, Errno errno, IoctlCommand command)
    {
        var before = Described();
        var pins = Machine.Physical.TotalPins;
        var locked = Machine.User.LockedPages;
        var source = Strike(FaultPoints.Find(point)!);
        // Not through the fixture: what an IOMMU driver returns is no rule of iommufd's own.
        Assert.Equal(errno, Context.Execute(Client, command).Errno);
        Context.Core.Engine.Faults = null;
        Assert.True(source.Struck, $"{point} was not reached");
        Assert.Equal(before, Described());
        Assert.Equal((pins, locked), (Machine.Physical.TotalPins, Machine.User.LockedPages));
        CheckInvariants();
        Do(command);
    }

    private IReadOnlyList<string> Described() =>
        (
            (Flows.DescribeContextFlow)Context.Run(new Flows.DescribeContextFlow(Context.Core, Client, withText: true))
        ).Lines;

    private OneStrike Strike(FaultPoint point)
    {
        var source = new OneStrike(point);
        Context.Core.Engine.Faults = source;
        return source;
    }

    private sealed class OneStrike(FaultPoint point) : IFaultSource
    {
        public bool Struck { get; private set; }

        public bool ShouldFail(FaultPoint asked, in FaultSite site)
        {
            var strikes = !Struck && ReferenceEquals(asked, point);
            Struck |= strikes;
            return strikes;
        }

        // The middle: some pages are pinned by then; the first table for tables.
        public ulong Choose(ulong below) => ReferenceEquals(point, FaultPoints.TableAlloc) ? 0 : below / 2;

        public void Begun(int context, ulong flow, string operation, long tag) { }

        public void Saw(Sight sight) { }

        public void Ended(int context, ulong flow) { }
    }
}
