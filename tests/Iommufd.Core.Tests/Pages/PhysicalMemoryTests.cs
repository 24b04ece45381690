using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class PhysicalMemoryTests
{
    private readonly PhysicalMemory _memory = new();

    [Fact]
    public void No_two_frames_are_ever_neighbours_even_after_reuse()
    {
        var frames = new List<Pfn>();
        for (int i = 0; i < 3000; i++)
        {
            frames.Add(_memory.AllocatePage());
        }

        for (int i = 0; i < frames.Count; i += 3)
        {
            _memory.Release(frames[i]);
        }

        for (int i = 0; i < frames.Count; i += 3)
        {
            frames[i] = _memory.AllocatePage();
        }

        var all = new HashSet<ulong>(frames.Select(frame => frame.Value));
        Assert.Equal(3000, all.Count);
        Assert.DoesNotContain(frames, frame => all.Contains(frame.Value + 1));
    }

    [Fact]
    public void The_frame_freed_last_is_reused_first_and_reads_as_zeros()
    {
        Pfn a = _memory.AllocatePage();
        Pfn b = _memory.AllocatePage();
        _memory.Write(b, 0, [1, 2, 3]);
        _memory.Release(a);
        _memory.Release(b);
        Assert.Equal(b, _memory.AllocatePage());
        var bytes = new byte[3];
        _memory.Read(b, 0, bytes);
        Assert.Equal(new byte[3], bytes);
        Assert.Equal(a, _memory.AllocatePage());
    }

    [Fact]
    public void A_released_frame_that_is_pinned_keeps_its_contents_and_is_reused_only_after_the_last_unpin()
    {
        Pfn frame = _memory.AllocatePage();
        _memory.Write(frame, 4090, [1, 2, 3]);
        _memory.Pin(frame);
        _memory.Pin(frame);
        _memory.Release(frame);
        Assert.NotEqual(frame, _memory.AllocatePage());
        var bytes = new byte[3];
        _memory.Read(frame, 4090, bytes);
        Assert.Equal([1, 2, 3], bytes);
        _memory.Unpin(frame);
        Assert.NotEqual(frame, _memory.AllocatePage());
        _memory.Unpin(frame);
        Assert.Equal(frame, _memory.AllocatePage());
    }

    [Fact]
    public void Pins_are_counted_for_each_frame_and_in_total()
    {
        Pfn a = _memory.AllocatePage();
        Pfn b = _memory.AllocatePage();
        _memory.Pin(a);
        _memory.Pin(a);
        _memory.Pin(b);
        Assert.Equal((2, 1), (_memory.PinCount(a), _memory.PinCount(b)));
        Assert.Equal(3, _memory.TotalPins);
        _memory.Unpin(b);
        Assert.False(_memory.IsPinned(b));
        Assert.True(_memory.IsPinned(a));
        Assert.Equal(2, _memory.TotalPins);
    }

    [Fact]
    public void Unpinning_what_is_not_pinned_is_a_bug_that_is_reported()
    {
        Pfn frame = _memory.AllocatePage();
        Assert.Throws<InvalidOperationException>(() => _memory.Unpin(frame));
    }

    [Fact]
    public void Pinning_a_free_frame_is_a_bug_that_is_reported()
    {
        Pfn frame = _memory.AllocatePage();
        _memory.Release(frame);
        Assert.Throws<InvalidOperationException>(() => _memory.Pin(frame));
    }

    [Fact]
    public void Releasing_a_frame_twice_is_a_bug_that_is_reported()
    {
        Pfn frame = _memory.AllocatePage();
        _memory.Release(frame);
        Assert.Throws<InvalidOperationException>(() => _memory.Release(frame));
    }

    [Fact]
    public void Huge_pages_are_aligned_and_never_follow_one_another()
    {
        Pfn first = _memory.AllocateHugePage();
        Pfn second = _memory.AllocateHugePage();
        Assert.Equal(0ul, first.Value % 512);
        Assert.Equal(0ul, second.Value % 512);
        Assert.NotEqual(first.Value + 512, second.Value);
        Assert.True(PhysicalMemory.IsCompound(new Pfn(second.Value + 511)));
    }

    [Fact]
    public void Parts_of_a_huge_page_are_counted_frame_by_frame()
    {
        Pfn first = _memory.AllocateHugePage();
        _memory.PinRun(new PfnRun(first, 512));
        _memory.UnpinRun(new PfnRun(first, 100));
        Assert.Equal(0, _memory.PinCount(new Pfn(first.Value + 99)));
        Assert.Equal(1, _memory.PinCount(new Pfn(first.Value + 100)));
        Assert.Equal(412, _memory.TotalPins);
        _memory.Release(first);
        _memory.UnpinRun(new PfnRun(new Pfn(first.Value + 100), 412));
        Assert.Equal(0, _memory.AllocationsInUse);
        Assert.Equal(first, _memory.AllocateHugePage());
        Assert.Equal(0, _memory.PinCount(new Pfn(first.Value + 99)));
    }

    [Fact]
    public void Dma_buf_runs_are_aligned_to_their_size_and_reused()
    {
        Pfn three = _memory.AllocateContiguous(3);
        Pfn large = _memory.AllocateContiguous(512);
        Assert.Equal(0ul, three.Value % 4);
        Assert.Equal(0ul, large.Value % 512);
        _memory.Pin(new Pfn(three.Value + 2));
        Assert.True(_memory.IsPinned(three));
        Assert.False(_memory.IsPinned(large));
        _memory.Release(three);
        _memory.Unpin(three);
        Assert.Equal(three, _memory.AllocateContiguous(4));
    }

    [Fact]
    public void Contents_cross_frames_that_are_physically_consecutive()
    {
        Pfn first = _memory.AllocateHugePage();
        _memory.Write(first, 4095, [7, 8]);
        var next = new byte[2];
        _memory.Read(new Pfn(first.Value + 1), 0, next);
        Assert.Equal([8, 0], next);
    }

    [Fact]
    public void Frames_filled_with_one_byte_take_no_memory_each()
    {
        byte[] filling = new byte[4096];
        filling.AsSpan().Fill(0x5a);
        Pfn[] frames = [.. Enumerable.Range(0, 1000).Select(_ => _memory.AllocatePage())];
        _memory.Write(frames[0], 0, filling);
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (Pfn frame in frames)
        {
            _memory.Write(frame, 0, filling);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        byte[] read = new byte[4096];
        Assert.All(
            frames,
            frame =>
            {
                _memory.Read(frame, 0, read);
                Assert.Equal(filling, read);
            }
        );
    }

    [Theory]
    [InlineData(0x5a)]
    [InlineData(0)]
    public void A_write_to_a_filled_frame_is_seen_in_that_frame_only(byte value)
    {
        byte[] filling = new byte[4096];
        filling.AsSpan().Fill(value);
        Pfn one = _memory.AllocatePage();
        Pfn other = _memory.AllocatePage();
        _memory.Write(one, 0, filling);
        _memory.Write(other, 0, filling);
        _memory.Write(one, 7, [1]);
        ulong word = _memory.ReadWord(other, 8);
        Assert.True(_memory.TryReplaceWord(one, 8, word, 2));
        Assert.Equal(word, _memory.ReadWord(other, 8));
        byte[] read = new byte[4096];
        _memory.Read(other, 0, read);
        Assert.Equal(filling, read);
        _memory.Read(one, 0, read);
        filling[7] = 1;
        filling.AsSpan(8, 8).Clear();
        filling[8] = 2;
        Assert.Equal(filling, read);
    }

    [Fact]
    public void A_frame_is_filled_over_and_over_whatever_it_held()
    {
        Pfn frame = _memory.AllocatePage();
        byte[] filling = new byte[4096];
        byte[] read = new byte[4096];
        foreach (byte value in (byte[])[3, 3, 0, 4, 255])
        {
            filling.AsSpan().Fill(value);
            _memory.Write(frame, 0, filling);
            _memory.Read(frame, 0, read);
            Assert.Equal(filling, read);
        }

        _memory.Write(frame, 100, [9]);
        filling.AsSpan().Fill(4);
        _memory.Write(frame, 0, filling);
        _memory.Read(frame, 0, read);
        Assert.Equal(filling, read);
    }

    [Fact]
    public void Threads_that_write_to_a_filled_frame_at_once_lose_no_byte()
    {
        byte[] filling = new byte[4096];
        filling.AsSpan().Fill(0x5a);
        byte[] read = new byte[4096];
        for (int round = 0; round < 2_000; round++)
        {
            Pfn frame = _memory.AllocatePage();
            _memory.Write(frame, 0, filling);
            Parallel.For(0, 4, writer => _memory.Write(frame, writer, [(byte)(writer + 1)]));
            _memory.Read(frame, 0, read);
            Assert.Equal([1, 2, 3, 4, 0x5a], read[..5]);
            _memory.Release(frame);
        }
    }

    [Fact]
    public void Threads_that_allocate_pin_and_free_at_once_never_share_a_frame()
    {
        var owners = new int[8192];
        Parallel.For(
            0,
            4,
            worker =>
            {
                var mine = new Queue<Pfn>();
                for (int i = 0; i < 20_000; i++)
                {
                    Pfn frame = _memory.AllocatePage();
                    int slot = (int)((frame.Value >> 1) & 8191);
                    Assert.Equal(0, Interlocked.CompareExchange(ref owners[slot], worker + 1, 0));
                    _memory.Pin(frame);
                    mine.Enqueue(frame);
                    if (mine.Count > 50)
                    {
                        Free(mine.Dequeue());
                    }
                }

                while (mine.TryDequeue(out Pfn left))
                {
                    Free(left);
                }
            }
        );
        Assert.Equal(0, _memory.TotalPins);
        Assert.Equal(0, _memory.AllocationsInUse);

        void Free(Pfn frame)
        {
            Volatile.Write(ref owners[(int)((frame.Value >> 1) & 8191)], 0);
            _memory.Release(frame);
            _memory.Unpin(frame);
        }
    }
}
