using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Tests.Errnos;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

/// <summary>
/// A context without actors and one client. Every test ends with the invariants of the whole context, and with a close that must
/// leave nothing behind.
/// </summary>
public abstract class ObjectsFixture : IDisposable
{
    protected const ulong Buffer = 0x10_0000_0000;
    protected const ulong Huge = 0x11_0000_0000;
    protected const ulong Scratch = 0x12_0000_0000;
    protected const ulong Nowhere = 0x13_0000_0000;
    protected const ulong Iova = 0x0100_0000;
    protected const uint InitialIotlb = 0xbad_beef;

    protected ObjectsFixture()
    {
        Client = Machine.StartProcess(new ProcessSpec("client"));
        Map(Buffer, 16 * HostPage.Size, MemoryKind.Anonymous);
        Map(Huge, 2ul << 20, MemoryKind.Huge2M);
        Map(Scratch, 4 * HostPage.Size, MemoryKind.Anonymous);
        Context = new SequentialContext(Machine, 1);
    }

    protected HostMachine Machine { get; } = new();

    protected Caller Client { get; }

    protected SequentialContext Context { get; }

    public void Dispose()
    {
        CheckInvariants();
        Assert.Equal(0, Context.Close(Client));
        Assert.Equal(0, (long)Machine.Physical.TotalPins);
        GC.SuppressFinalize(this);
    }

    protected void CheckInvariants()
    {
        var check = (CheckContextFlow)Context.Run(new CheckContextFlow(Context.Core, Client));
        Assert.Empty(check.Broken);
    }

    protected T Do<T>(T command)
        where T : IoctlCommand
    {
        var result = Call(command);
        Assert.Equal(Errno.OK, result.Errno);
        return result.WriteBack as T ?? command;
    }

    protected Errno Try(IoctlCommand command) => Call(command).Errno;

    protected void Refuses(Errno errno, IoctlCommand command) => Assert.Equal(errno, Try(command));

    protected long Value(IoctlCommand command)
    {
        var result = Call(command);
        Assert.Equal(Errno.OK, result.Errno);
        return result.ReturnValue;
    }

    // Whatever these tests provoke, an errno that the table does not have for the command is a bug of one of the two.
    private IoctlResult Call(IoctlCommand command)
    {
        var result = Context.Execute(Client, command);
        Assert.True(ErrnoTable.Has(ErrnoTable.NameOf(command), result.Errno), $"{command} ended with {result.Errno}");
        return result;
    }

    protected uint Ioas() => Do(new IoasAlloc()).OutIoasId;

    protected TestMockDomainFlags Mock(uint ptId, MockDeviceFlags flags = MockDeviceFlags.None) =>
        Do(new TestMockDomainFlags { PtId = ptId, DevFlags = flags });

    protected uint Paging(uint deviceId, uint ioasId, HwptAllocFlags flags, uint faultId = 0) =>
        Do(
            new HwptAlloc
            {
                DevId = deviceId,
                PtId = ioasId,
                Flags = flags,
                FaultId = faultId,
            }
        ).OutHwptId;

    protected HwptAlloc NestedCommand(
        uint deviceId,
        uint ptId,
        HwptAllocFlags flags = HwptAllocFlags.None,
        uint faultId = 0
    )
    {
        Put(Scratch, InitialIotlb);
        return new HwptAlloc
        {
            DevId = deviceId,
            PtId = ptId,
            Flags = flags,
            FaultId = faultId,
            DataType = HwptDataType.Selftest,
            DataLen = 4,
            DataUptr = Scratch,
        };
    }

    protected uint Nested(uint deviceId, uint ptId, HwptAllocFlags flags = HwptAllocFlags.None, uint faultId = 0) =>
        Do(NestedCommand(deviceId, ptId, flags, faultId)).OutHwptId;

    protected uint Viommu(uint deviceId, uint parentId) =>
        Do(
            new ViommuAlloc
            {
                Type = ViommuType.Selftest,
                DevId = deviceId,
                HwptId = parentId,
            }
        ).OutViommuId;

    protected uint Vdevice(uint viommuId, uint deviceId, ulong virtId) =>
        Do(
            new VdeviceAlloc
            {
                ViommuId = viommuId,
                DevId = deviceId,
                VirtId = virtId,
            }
        ).OutVdeviceId;

    protected void Destroy(uint id) => Do(new Destroy { Id = id });

    protected void Put(ulong address, params ReadOnlySpan<uint> words)
    {
        Span<byte> bytes = stackalloc byte[words.Length * sizeof(uint)];
        for (var i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[(i * sizeof(uint))..], words[i]);
        }

        Assert.True(Client.Memory.TryWrite(address, bytes));
    }

    protected uint[] Words(ulong address, int count)
    {
        var bytes = new byte[count * sizeof(uint)];
        Assert.True(Client.Memory.TryRead(address, bytes));
        var words = new uint[count];
        for (var i = 0; i < count; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint)));
        }

        return words;
    }

    private void Map(ulong address, ulong length, MemoryKind kind) =>
        Assert.Equal(
            Errno.OK,
            Client.Memory.Map(
                address,
                length,
                kind,
                MemoryProtection.Read | MemoryProtection.Write,
                populate: true,
                out _
            )
        );
}
