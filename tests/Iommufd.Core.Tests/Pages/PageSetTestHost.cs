using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

/// <summary>A machine with one user, processes as the tests want them, and buffers of known address.</summary>
internal sealed class PageSetTestHost
{
    public const ulong Page = HostPage.Size;
    public const ulong BufferAddress = 0x100_0000_0000;

    private uint _numbers;
    private int _processes;

    public PhysicalMemory Physical { get; } = new();

    public UserAccount User { get; } = new();

    /// <summary>A process; with a limit it lacks CAP_IPC_LOCK.</summary>
    public ProcessMemory Process(ulong? limitPages = null, UserAccount? user = null)
    {
        var spec = new ProcessSpec($"p{_processes}", (limitPages ?? 0) * Page, CapIpcLock: limitPages is null);
        return new ProcessMemory(_processes++, spec, Physical, user ?? User);
    }

    /// <summary>A process with a populated read-write buffer at <see cref="BufferAddress"/>.</summary>
    public ProcessMemory ProcessWithBuffer(
        ulong pages,
        ulong? limitPages = null,
        MemoryKind kind = MemoryKind.Anonymous
    )
    {
        ProcessMemory process = Process(limitPages);
        ulong length = kind == MemoryKind.Huge2M ? pages * ProcessMemory.HugePageSize : pages * Page;
        Errno mapped = process.Map(BufferAddress, length, kind, ReadWrite, populate: true, out _);
        Assert.Equal(Errno.OK, mapped);
        return process;
    }

    public static MemoryProtection ReadWrite => MemoryProtection.Read | MemoryProtection.Write;

    public PageSet UserPages(
        ProcessMemory owner,
        ulong pages,
        bool writable = true,
        AccountingMode mode = AccountingMode.User,
        ulong at = BufferAddress
    )
    {
        Assert.Equal(
            Errno.OK,
            PageSet.TryCreateUser(_numbers++, owner, at, pages * Page, writable, mode, out PageSet set)
        );
        return set;
    }

    public PageSet FilePages(
        ProcessMemory owner,
        MemoryFile file,
        ulong start,
        ulong length,
        AccountingMode mode = AccountingMode.User
    )
    {
        Assert.Equal(
            Errno.OK,
            PageSet.TryCreateFile(_numbers++, owner, file, start, length, true, mode, out PageSet set)
        );
        return set;
    }

    /// <summary>Pins on the frames of a buffer's pages, in order.</summary>
    public int[] Pins(ProcessMemory process, ulong pages, ulong at = BufferAddress)
    {
        var pins = new int[pages];
        for (ulong i = 0; i < pages; i++)
        {
            Assert.True(process.TryGetPfn(at + (i * Page), out Pfn pfn));
            pins[i] = Physical.PinCount(pfn);
        }

        return pins;
    }
}

/// <summary>The IOPTEs of a domain for one page set, as the tests see them.</summary>
internal sealed class TestDomain : IPfnSource
{
    private readonly SortedDictionary<ulong, Pfn> _entries = [];

    public void Install(ulong first, IReadOnlyList<PfnRun> runs, int from = 0)
    {
        ulong index = first;
        for (int r = from; r < runs.Count; r++)
        {
            for (ulong i = 0; i < runs[r].Count; i++)
            {
                _entries[index++] = new Pfn(runs[r].First.Value + i);
            }
        }
    }

    public List<PfnRun> Clear(ulong first, ulong last)
    {
        var cleared = new List<PfnRun>();
        for (ulong index = first; index <= last; index++)
        {
            cleared.Add(new PfnRun(_entries[index], 1));
            _entries.Remove(index);
        }

        return cleared;
    }

    public bool TryReadPfn(ulong pageIndex, out Pfn pfn) => _entries.TryGetValue(pageIndex, out pfn);
}

/// <summary>An area with one domain on a page set: begins, installs, commits; and the way back.</summary>
internal sealed class TestArea(PageSet set, ulong key, ulong first, ulong last)
{
    public TestDomain Domain { get; } = new();

    public List<PfnRun> Runs { get; } = [];

    public List<PinnedRun> NewlyPinned { get; } = [];

    public Errno Begin(bool charge = true) => set.FillBegin(key, first, last, charge, Runs, NewlyPinned);

    public Errno Fill()
    {
        Errno result = Begin();
        if (result == Errno.OK)
        {
            Domain.Install(first, Runs);
            set.FillCommit(key, Domain);
        }

        return result;
    }

    public void Unfill() => set.Unfill(key, Domain.Clear(first, last));
}
