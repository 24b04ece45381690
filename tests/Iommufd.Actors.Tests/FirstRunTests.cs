using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Dma;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Actors.Tests;

/// <summary>The shortest way through every layer.</summary>
public sealed class FirstRunTests : HostFixture
{
    [Fact]
    public void A_device_reaches_mapped_memory_and_faults_elsewhere()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        Ok(MapAt(ioas, 0x100000, length: 0x10000));

        var mapped = Dma(new IovaRange(0x100000, 0x10ffff));
        Assert.True(mapped.Translations > 0);
        Assert.Equal(0ul, mapped.Faults);
        Assert.Equal(0ul, mapped.Violations);

        var unmapped = Dma(new IovaRange(0x300000, 0x30ffff));
        Assert.Equal(unmapped.Translations, unmapped.Faults);
        CloseAndCheck();
    }

    [Fact]
    public void After_an_unmap_has_replied_no_device_reaches_the_pages()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        Ok(MapAt(ioas, 0x100000));
        Assert.Equal(0ul, Dma(new IovaRange(0x100000, 0x103fff)).Faults);
        Ok(
            new IoasUnmap
            {
                IoasId = ioas,
                Iova = 0x100000,
                Length = 0x4000,
            }
        );

        Assert.Equal(0, Host.State.Physical.TotalPins);
        var after = Dma(new IovaRange(0x100000, 0x103fff));
        Assert.Equal(after.Translations, after.Faults);
        Assert.Equal(0ul, after.Violations);
    }

    [Fact]
    public void Each_page_is_pinned_once_however_many_share_it()
    {
        Start();
        var first = AllocIoas();
        var second = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), first));
        Ok(new AttachDevice(Bind("disk"), second));
        Ok(MapAt(first, 0x100000));
        Assert.Equal(4, Host.State.Physical.TotalPins);
        Ok(
            new IoasCopy
            {
                SrcIoasId = first,
                DstIoasId = second,
                SrcIova = 0x100000,
                DstIova = 0x500000,
                Length = 0x4000,
                Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable,
            }
        );
        Assert.Equal(4, Host.State.Physical.TotalPins);
        var access = Ok(new CreateAccess(second, NeedsPinPages: true)).OutAccessId;
        Ok(new PinAccessPages(access, 0x500000, 0x4000, Write: false));
        Assert.Equal(4, Host.State.Physical.TotalPins);
        CloseAndCheck();
    }

    [Fact]
    public void Two_contexts_cannot_have_devices_of_one_group()
    {
        Start();
        Bind("nic");
        Host.Machine.Tell(new Messages.Host.OpenIommufd(ProcessId));
        var other = ExpectMsg<IommufdOpened>().Context;
        other.Tell(new Messages.Host.IoctlRequest(0, ProcessId, new BindDevice("nic")));
        Assert.Equal(Errno.EBUSY, ExpectMsg<Messages.Host.IoctlAnswer>().Result.Errno);
    }

    private DmaReport Dma(IovaRange window)
    {
        Host.Machine.Tell(
            new RunDma(1, "nic", new DmaPattern(DmaPatternKind.Ring, window, 4096, 50, 0), 256),
            TestActor
        );
        return ExpectMsg<DmaDone>().Report;
    }
}
