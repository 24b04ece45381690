using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Actors.Tests;

/// <summary>What a context leaves when it is closed: nothing. And what is said where something is left.</summary>
public sealed class CloseTests : HostFixture
{
    [Fact]
    public void Page_tables_are_freed_with_the_context_that_made_them()
    {
        Start();
        var ioas = AllocIoas();
        Ok(MapAt(ioas, 0x100000));
        var nic = Bind("nic");
        Ok(new AttachDevice(nic, ioas));
        Ok(new HwptAlloc { DevId = nic, PtId = ioas });
        Assert.Equal(2, Host.State.Tables);
        Watch(Iommufd);
        Iommufd.Tell(new CloseIommufd(), TestActor);
        Assert.Equal(0, ExpectMsg<IommufdClosed>().Leaked);
        ExpectTerminated(Iommufd);
        Assert.Equal(0, Host.State.Tables);
    }

    [Fact]
    public void A_flow_that_crashed_after_the_last_check_is_told_with_the_close()
    {
        Start(makeFlow: (context, caller, command) => command is IoasUnmap ? new Failing(context, caller) : null);
        Assert.Equal(Errno.EIO, Call(new IoasUnmap()).Errno);
        Iommufd.Tell(new CheckInvariants(), TestActor);
        Assert.Single(ExpectMsg<InvariantReport>().Violations);
        Assert.Equal(Errno.EIO, Call(new IoasUnmap()).Errno);
        Iommufd.Tell(new CloseIommufd(), TestActor);
        Assert.Contains("on purpose", Assert.Single(ExpectMsg<IommufdClosed>().Crashes), StringComparison.Ordinal);
    }

    private sealed class Failing(ContextCore context, Caller caller) : Flow(context, caller)
    {
        protected override IEnumerator<FlowWait> Run() => throw new InvalidOperationException("on purpose");
    }

    [Fact]
    public void A_pin_that_belongs_to_no_page_set_is_found()
    {
        var machine = new HostMachine();
        var caller = machine.StartProcess(new ProcessSpec("client"));
        caller.Memory.Map(0x10000, HostPage.Size, MemoryKind.Anonymous, MemoryProtection.Read, populate: true, out _);
        Assert.Null(new PinsBelongToPageSets().Broken(new MachineSums(machine, 1, 0, 0, 0)));
        Assert.Equal(Errno.OK, caller.Memory.PinPage(0x10000, write: false, out _));
        Assert.NotNull(new PinsBelongToPageSets().Broken(new MachineSums(machine, 1, 0, 0, 0)));
        Assert.Null(new PinsBelongToPageSets().Broken(new MachineSums(machine, 1, 1, 0, 0)));
        Assert.NotNull(new NothingLeftWhenClosed().Broken(new MachineSums(machine, 0, 1, 0, 0)));
    }

    [Fact]
    public void A_charge_that_belongs_to_no_page_set_is_found()
    {
        var machine = new HostMachine();
        machine.User.TryCharge(3, 100);
        Assert.NotNull(new AccountingEqualsPins().Broken(new MachineSums(machine, 1, 0, 0, 0)));
        Assert.Null(new AccountingEqualsPins().Broken(new MachineSums(machine, 1, 0, 3, 0)));
    }
}
