using System.Text.Json.Nodes;
using Iommufd.Messages;
using Iommufd.Messages.Events;
using Iommufd.Persistence;

namespace Iommufd.Scenarios.Conformance;

/// <summary>The memory and the files that the calls of a journal need, as a trace's header describes them.</summary>
internal sealed class TraceScenery
{
    private const ulong Huge = 2ul << 20;
    private const int UnmappedBuffer = 3;
    private const int ScratchBuffer = 5;
    private const ulong UnmappedAddress = 0x7e00_0000_0000;
    private const ulong ScratchAddress = 0x7e10_0000_0000;
    private const ulong ScratchSize = 0x20000;
    private readonly List<(ulong First, ulong End, bool IsHuge)> _buffers = [];
    private readonly Dictionary<uint, (int Number, uint Kind, ulong Size)> _files = [];
    private ProcessSeen? _owner;

    /// <summary>The process that opened the context.</summary>
    public uint Owner { get; private set; }

    /// <summary>The number in the header of a file of the machine; null for a dma-buf.</summary>
    public int? File(uint number) => _files.TryGetValue(number, out var known) ? known.Number : null;

    /// <summary>Looks through a context's events.</summary>
    public static TraceScenery Of(IReadOnlyList<ContextEvent> events)
    {
        var scenery = new TraceScenery();
        var sets = new Dictionary<uint, ulong>();
        foreach (ContextEvent change in events)
        {
            switch (change)
            {
                case ContextOpened e:
                    scenery.Owner = e.ProcessId;
                    break;
                case ProcessSeen e when e.ProcessId == scenery.Owner:
                    scenery._owner = e;
                    break;
                case AreaMapped e:
                    sets[e.PageSet] = e.UserVa & ~HostPage.OffsetMask;
                    break;
                case VfioMapped e:
                    sets[e.PageSet] = e.UserVa & ~HostPage.OffsetMask;
                    break;
                case FileMapped { FileKind: not MappedFileKind.Dmabuf } e:
                    scenery._files.TryAdd(e.FileNumber, (scenery._files.Count, e.FileKind, e.FileSize));
                    break;
                default:
                    break;
            }

            scenery.Lay(PinnedPages.Of(change), sets);
        }

        return scenery;
    }

    /// <summary>The header line.</summary>
    public JsonObject ToHeader(string name)
    {
        var buffers = new JsonArray(
            Buffer(UnmappedBuffer, UnmappedAddress, 0x10000, "none", "none", "unmapped"),
            Buffer(ScratchBuffer, ScratchAddress, ScratchSize, "rw", "zero", "anon4k")
        );
        int id = 0;
        foreach ((ulong first, ulong end, bool isHuge) in _buffers)
        {
            while (id is UnmappedBuffer or ScratchBuffer)
            {
                id++;
            }

            buffers.Add((JsonNode)Buffer(id++, first, end - first, "rw", "zero", isHuge ? "hugetlb2m" : "anon4k"));
        }

        return new JsonObject
        {
            ["trace"] = name,
            ["kernel"] = "simulated",
            ["seed"] = 0,
            ["page_size"] = 4096,
            ["mock_io_page_size"] = 2048,
            ["thp_compiled_in"] = true,
            ["cap_ipc_lock"] = _owner?.CapIpcLock ?? true,
            ["rlimit_memlock"] = TraceValue.Hex(_owner?.RlimitMemlock ?? ulong.MaxValue),
            ["arena"] = 8192,
            ["scratch_buf"] = ScratchBuffer,
            ["buffers"] = buffers,
            ["files"] = new JsonArray(
                [
                    .. _files.Values.Select(f => new JsonObject
                    {
                        ["id"] = f.Number,
                        ["va"] = "0x0",
                        ["size"] = TraceValue.Hex(f.Size),
                        ["kind"] = KindOf(f.Kind),
                        ["fill"] = "none",
                    }),
                ]
            ),
        };
    }

    private static JsonObject Buffer(int id, ulong va, ulong size, string prot, string fill, string kind) =>
        new()
        {
            ["id"] = id,
            ["va"] = TraceValue.Hex(va),
            ["size"] = TraceValue.Hex(size),
            ["prot"] = prot,
            ["fill"] = fill,
            ["kind"] = kind,
        };

    private static string KindOf(uint kind) =>
        kind switch
        {
            MappedFileKind.Memfd => "memfd",
            MappedFileKind.MemfdHuge2M => "memfd_hugetlb2m",
            MappedFileKind.MemfdSparse => "memfd_sparse",
            _ => "eventfd",
        };

    // Memory is needed where pages were pinned; more may have been mapped, which nobody looked at. What followed each other was made
    // of large pages: the format's small ones never do.
    private void Lay(ulong[] pinned, Dictionary<uint, ulong> sets)
    {
        for (int i = 0; i + 3 < pinned.Length; i += 4)
        {
            if (sets.TryGetValue((uint)pinned[i], out ulong start))
            {
                ulong first = start + (pinned[i + 1] << HostPage.Shift);
                Lay(first, first + (pinned[i + 3] << HostPage.Shift), pinned[i + 3] > 1);
            }
        }
    }

    // Ranges that overlap or touch are one buffer, of large pages if one of them is.
    private void Lay(ulong first, ulong end, bool isHuge)
    {
        for (int i = _buffers.Count - 1; i >= -1; i--)
        {
            if (isHuge)
            {
                first &= ~(Huge - 1);
                end = (end + Huge - 1) & ~(Huge - 1);
            }

            if (i < 0)
            {
                break;
            }

            (ulong otherFirst, ulong otherEnd, bool otherHuge) = _buffers[i];
            if (otherFirst <= end && first <= otherEnd)
            {
                first = Math.Min(first, otherFirst);
                end = Math.Max(end, otherEnd);
                isHuge |= otherHuge;
                _buffers.RemoveAt(i);
                i = _buffers.Count;
            }
        }

        _buffers.Add((first, end, isHuge));
    }
}
