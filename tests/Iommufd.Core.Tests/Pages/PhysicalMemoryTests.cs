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
