using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Messages.Tests.Abi;

/// <summary>The codec is on every ioctl's way, so what it allocates is part of its contract.</summary>
public sealed class AllocationTests
{
    private const int Rounds = 1000;
    private readonly FlatMemory memory = new();

    [Fact]
    public void Decoding_allocates_the_record_and_nothing_else()
    {
        IoctlCodec.Encode(new IoasMap { IoasId = 1, Length = 0x1000 }, memory.Bytes);
        long record = Allocated(() => GC.KeepAlive(new IoasMap { IoasId = 1, Length = 0x1000 }));

        long decoding = Allocated(() => GC.KeepAlive(IoctlCodec.Decode(memory, 0x3b85, 0).Command));

        Assert.InRange(record, 1, 200 * Rounds);
        Assert.Equal(record, decoding);
    }

    [Fact]
    public void Writing_an_answer_back_allocates_nothing()
    {
        IoctlCodec.Encode(new IoasMap { IoasId = 1, Length = 0x1000 }, memory.Bytes);
        var answer = new IoasMap { IoasId = 1, Iova = 0x1000 };
        IoctlCall call = IoctlCodec.Decode(memory, 0x3b85, 0);

        Assert.Equal(0, Allocated(() => IoctlCodec.WriteBack(memory, call, answer)));
    }

    private static long Allocated(Action action)
    {
        action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Rounds; i++)
        {
            action();
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private sealed class FlatMemory : IUserMemory
    {
        public byte[] Bytes { get; } = new byte[4096];

        public bool TryRead(ulong address, Span<byte> destination)
        {
            Bytes.AsSpan((int)address, destination.Length).CopyTo(destination);
            return true;
        }

        public bool TryWrite(ulong address, ReadOnlySpan<byte> source)
        {
            source.CopyTo(Bytes.AsSpan((int)address));
            return true;
        }
    }
}
