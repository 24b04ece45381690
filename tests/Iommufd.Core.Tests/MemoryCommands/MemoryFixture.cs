using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Core.Tests.Objects;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.MemoryCommands;

/// <summary>A context with files, dma-bufs and a second process beside what <see cref="ObjectsFixture"/> has.</summary>
public abstract class MemoryFixture : ObjectsFixture
{
    protected const IoasMapFlags FixedReadWrite =
        IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable;

    protected int File(MemoryFileKind kind, ulong size) =>
        Client.Descriptors.Open(new FileDescriptor(Machine.CreateFile(kind, size)));

    protected MemoryFile FileOf(int fd) => ((FileDescriptor)Client.Descriptors.Find(fd)!).File;

    protected void CloseFd(int fd) => Client.Descriptors.Close(fd)!.Release();

    protected Caller Process(ulong limit = ulong.MaxValue, bool ipcLock = false) =>
        Machine.StartProcess(new ProcessSpec("other", limit, ipcLock), Client);

    protected IoasMapFile MapFileCommand(
        uint ioas,
        int fd,
        ulong length = 0x4000,
        ulong iova = Iova,
        ulong start = 0
    ) =>
        new()
        {
            Flags = FixedReadWrite,
            IoasId = ioas,
            Fd = fd,
            Start = start,
            Length = length,
            Iova = iova,
        };

    protected IoasMap MapCommand(uint ioas, ulong length = 0x4000, ulong iova = Iova, ulong va = Buffer) =>
        new()
        {
            Flags = FixedReadWrite,
            IoasId = ioas,
            UserVa = va,
            Length = length,
            Iova = iova,
        };

    protected int Dmabuf(uint length = 0x4000) => (int)Value(new TestDmabufGet { Length = length });

    protected Errno TryAs(Caller caller, IoctlCommand command) => Context.Execute(caller, command).Errno;

    protected T DoAs<T>(Caller caller, T command)
        where T : IoctlCommand
    {
        var result = Context.Execute(caller, command);
        Assert.Equal(Errno.OK, result.Errno);
        return result.WriteBack as T ?? command;
    }

    protected byte[] Bytes(ulong address, int count)
    {
        var bytes = new byte[count];
        Assert.True(Client.Memory.TryRead(address, bytes));
        return bytes;
    }
}
