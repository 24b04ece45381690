using Iommufd.Core.Dma;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.MemoryCommands;

public sealed class DirtyBitmapTests : MemoryFixture
{
    [Fact]
    public void A_range_sets_its_bits_across_bytes_and_pages()
    {
        var bitmap = Over(0x10_0000, Scratch + 0xfff);
        bitmap.Set(0x7000, 0x3000);
        Assert.Equal([0x80, 0x03], Bytes(Scratch + 0xfff, 2));
    }

    [Fact]
    public void A_range_past_the_end_sets_bits_after_the_bitmap_up_to_the_end_of_its_page()
    {
        var bitmap = Over(0x8000, Scratch);
        bitmap.Set(0x7000, 0x1000 * 40_000);
        Assert.Equal([0x80, 0xff], Bytes(Scratch, 2));
        Assert.Equal([0xff, 0x00], Bytes(Scratch + 0xfff, 2));
    }

    [Fact]
    public void A_range_that_starts_past_the_end_sets_nothing()
    {
        var bitmap = Over(0x8000, Scratch);
        bitmap.Set(0x8000, 0x1000);
        Assert.Equal(0, Bytes(Scratch, 2)[1]);
    }

    [Fact]
    public void The_part_before_a_page_that_cannot_be_written_is_set()
    {
        Assert.Equal(Errno.OK, Client.Memory.Protect(Scratch + 0x1000, 0x1000, MemoryProtection.Read));
        var bitmap = Over(0x10_0000, Scratch + 0xfff);
        bitmap.Set(0x7000, 0x3000);
        bitmap.Set(0x9000, 0x1000);
        Assert.Equal([0x80, 0x00], Bytes(Scratch + 0xfff, 2));
    }

    [Fact]
    public void Of_a_page_size_that_is_no_power_of_two_the_lowest_bit_counts()
    {
        var bitmap = new DirtyBitmap(Client.Memory, Scratch, new IovaRange(0, 0x2fff), 0x3000);
        bitmap.Set(0x1000, 0x1000);
        Assert.Equal(0b10, Bytes(Scratch, 1)[0]);
    }

    [Fact]
    public void A_bitmap_of_more_than_a_window_is_set_to_its_end()
    {
        const ulong bytes = (2ul << 20) + 0x2000;
        Assert.Equal(
            Errno.OK,
            Client.Memory.Map(
                0x14_0000_0000,
                bytes,
                MemoryKind.Anonymous,
                MemoryProtection.Read | MemoryProtection.Write,
                false,
                out var at
            )
        );
        var bitmap = Over(bytes * 8 * 0x1000, at);
        bitmap.Set(0, bytes * 8 * 0x1000);
        Assert.Equal(0xff, Bytes(at + bytes - 1, 1)[0]);
        Assert.Equal(0xff, Bytes(at + (2ul << 20), 1)[0]);
    }

    private DirtyBitmap Over(ulong length, ulong data) =>
        new(Client.Memory, data, new IovaRange(0, length - 1), 0x1000);
}
