using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Core.Tests.MemoryCommands;

public sealed class ChangeProcessTests : MemoryFixture
{
    private readonly uint _ioas;
    private readonly int _fd;
    private readonly Caller _poor;

    public ChangeProcessTests()
    {
        _ioas = Ioas();
        Mock(_ioas);
        _fd = File(MemoryFileKind.Memfd, 0x8000);
        _poor = Process(limit: 6 * HostPage.Size);
    }

    [Fact]
    public void A_reserved_word_is_EOPNOTSUPP_and_an_empty_context_changes_hands()
    {
        Refuses(Errno.EOPNOTSUPP, new IoasChangeProcess { Reserved = 1 });
        Do(new IoasChangeProcess());
        Assert.Equal(new ProcessChanged(Client.ProcessId), Context.Events[^1]);
    }

    [Fact]
    public void User_memory_and_dma_bufs_are_EINVAL()
    {
        Do(MapCommand(_ioas));
        Refuses(Errno.EINVAL, new IoasChangeProcess());
        Do(new IoasUnmap { IoasId = _ioas, Length = ulong.MaxValue });
        Do(MapFileCommand(_ioas, Dmabuf()));
        Refuses(Errno.EINVAL, new IoasChangeProcess());
    }

    [Fact]
    public void The_charge_moves_with_the_owner()
    {
        var other = Process();
        DoAs(_poor, MapFileCommand(_ioas, _fd));
        Assert.Equal(4, _poor.Memory.PinnedVmPages);
        DoAs(other, new IoasChangeProcess());
        Assert.Equal((0L, 4L), (_poor.Memory.PinnedVmPages, other.Memory.PinnedVmPages));
        Do(new IoasUnmap { IoasId = _ioas, Length = ulong.MaxValue });
        Assert.Equal((0L, 0L), (other.Memory.PinnedVmPages, Machine.User.LockedPages));
    }

    [Fact]
    public void Above_half_the_limit_of_the_user_it_is_ENOMEM_and_nothing_moves()
    {
        var other = Process(limit: 6 * HostPage.Size);
        DoAs(_poor, MapFileCommand(_ioas, _fd));
        Assert.Equal(Errno.ENOMEM, TryAs(other, new IoasChangeProcess()));
        Assert.Equal((4L, 0L, 4L), (_poor.Memory.PinnedVmPages, other.Memory.PinnedVmPages, Machine.User.LockedPages));
    }

    [Fact]
    public void With_CAP_IPC_LOCK_the_count_stays_and_the_new_owner_goes_below_zero()
    {
        var other = Process(ipcLock: true);
        Do(MapFileCommand(_ioas, _fd));
        DoAs(other, new IoasChangeProcess());
        Do(new IoasUnmap { IoasId = _ioas, Length = ulong.MaxValue });
        Assert.Equal((4L, -4L), (Client.Memory.PinnedVmPages, other.Memory.PinnedVmPages));
    }

    [Fact]
    public void A_page_set_with_several_areas_is_charged_once_and_its_owner_may_be_gone()
    {
        var other = Process();
        DoAs(_poor, MapFileCommand(_ioas, _fd));
        Do(
            new IoasCopy
            {
                Flags = FixedReadWrite,
                DstIoasId = _ioas,
                SrcIoasId = _ioas,
                Length = 0x4000,
                DstIova = Iova * 2,
                SrcIova = Iova,
            }
        );
        DoAs(other, new IoasChangeProcess());
        Assert.Equal(4, other.Memory.PinnedVmPages);
        other.Memory.Exit();
        Do(new IoasChangeProcess());
    }
}
