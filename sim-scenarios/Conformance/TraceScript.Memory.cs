using System.Numerics;
using System.Text.Json.Nodes;
using Iommufd.Messages;
using Iommufd.Messages.Events;

namespace Iommufd.Scenarios.Conformance;

/// <summary>Areas, files, dirty pages, VFIO's own calls.</summary>
internal sealed partial class TraceScript
{
    private const uint FixedIova = 1;
    private const uint ReadWriteBits = 6;
    private const int ScratchBuffer = 5;
    private const ulong MostBits = 0x40_000;

    private IEnumerable<TraceCall>? OfMemory(ContextEvent change) =>
        change switch
        {
            AreaMapped e when e.ProcessId != scenery.Owner => throw new NotSupportedException(
                "a second process has no memory of its own there"
            ),
            AreaMapped e =>
            [
                Call(
                    "IOAS_MAP",
                    new()
                    {
                        ["ioas_id"] = Id(e.IoasId),
                        ["flags"] = (e.Flags & ReadWriteBits) | FixedIova,
                        ["user_va"] = Absolute(e.UserVa),
                        ["length"] = Hex(e.Length),
                        ["iova"] = Hex(e.Iova),
                    },
                    "iova"
                ),
            ],
            FileMapped { FileKind: MappedFileKind.NotMemory } => throw new NotSupportedException(
                "what was mapped is no memory"
            ),
            FileMapped e => MapFile(e),
            AreasCopied e =>
            [
                Call(
                    "IOAS_COPY",
                    new()
                    {
                        ["dst_ioas_id"] = Id(e.DstIoasId),
                        ["src_ioas_id"] = Id(e.SrcIoasId),
                        ["flags"] = (e.Flags & ReadWriteBits) | FixedIova,
                        ["length"] = Hex(e.Length),
                        ["dst_iova"] = Hex(e.DstIova),
                        ["src_iova"] = Hex(e.SrcIova),
                    },
                    "dst_iova"
                ),
            ],
            AreasUnmapped e => Unmap(e),
            AreaCutInTwo e => Cut(e),
            DmabufRevoked e => Revoke(e),
            CompatIoasSet e =>
            [
                Call("VFIO_IOAS", new() { ["op"] = e.IoasId == 0 ? 2 : 1, ["ioas_id"] = Id(e.IoasId) }, "ioas_id"),
            ],
            VfioMapped e => [MapVfio(e)],
            _ => OfDirty(change),
        };

    private IEnumerable<TraceCall>? OfDirty(ContextEvent change) =>
        change switch
        {
            DirtyTrackingSet e =>
            [
                Call("HWPT_SET_DIRTY_TRACKING", new() { ["hwpt_id"] = Id(e.HwptId), ["flags"] = e.Enabled ? 1 : 0 }),
            ],
            DirtyCleared e => [Clear(e)],
            PagesMarkedDirty e =>
            [
                Call(
                    "TEST_DIRTY",
                    new()
                    {
                        ["id"] = Id(e.HwptId),
                        ["iova"] = Hex(e.Iova),
                        ["length"] = Hex(e.PageSize * e.Pages),
                        ["page_size"] = Hex(e.PageSize),
                        ["bits"] = Convert.ToHexStringLower(e.Bits),
                    },
                    "out_nr_dirty"
                ),
            ],
            _ => null,
        };

    private IEnumerable<TraceCall> MapFile(FileMapped e)
    {
        JsonNode file;
        if (scenery.File(e.FileNumber) is { } number)
        {
            file = new JsonObject { ["file"] = number };
        }
        else
        {
            if (!_dmabufs.TryGetValue(e.FileNumber, out JsonObject? known))
            {
                yield return new TraceCall(
                    "TEST_DMABUF_GET",
                    new() { ["length"] = Hex(e.FileSize), ["open_flags"] = 0 },
                    [],
                    _ => _dmabufs[e.FileNumber] = Made("dmabuf")
                );
                known = _dmabufs[e.FileNumber];
            }

            file = known.DeepClone();
        }

        yield return Call(
            "IOAS_MAP_FILE",
            new()
            {
                ["ioas_id"] = Id(e.IoasId),
                ["flags"] = (e.Flags & ReadWriteBits) | FixedIova,
                ["fd"] = file,
                ["start"] = Hex(e.Start),
                ["length"] = Hex(e.Length),
                ["iova"] = Hex(e.Iova),
            },
            "iova"
        );
    }

    // VFIO's cuts come just before what is unmapped between them, and only its own unmap makes them.
    private IEnumerable<TraceCall> Unmap(AreasUnmapped e)
    {
        if (_cuts.Count > 0 && e.Removed.Length >= 2)
        {
            _cuts.Clear();
            if (!_isType1)
            {
                _isType1 = true;
                yield return Call("VFIO_SET_IOMMU", new() { ["type"] = 1 });
            }

            ulong first = e.Removed.Where((_, i) => i % 2 == 0).Min();
            ulong last = e.Removed.Where((_, i) => i % 2 == 1).Max();
            yield return Call(
                "VFIO_IOMMU_UNMAP_DMA",
                new()
                {
                    ["argsz"] = 24,
                    ["flags"] = 0,
                    ["iova"] = Hex(first),
                    ["size"] = Hex(last - first + 1),
                },
                "size"
            );
            yield break;
        }

        for (int i = 0; i + 1 < e.Removed.Length; i += 2)
        {
            if (e.Removed[i + 1] == ulong.MaxValue)
            {
                throw new NotSupportedException("an area that ends with the address space goes with all others only");
            }

            yield return Call(
                "IOAS_UNMAP",
                new()
                {
                    ["ioas_id"] = Id(e.IoasId),
                    ["iova"] = Hex(e.Removed[i]),
                    ["length"] = Hex(unchecked(e.Removed[i + 1] - e.Removed[i] + 1)),
                },
                "length"
            );
        }
    }

    private IEnumerable<TraceCall> Cut(AreaCutInTwo e)
    {
        _cuts.Add(e.LastOfLeft);
        return [];
    }

    private IEnumerable<TraceCall> Revoke(DmabufRevoked e) =>
        _dmabufs.TryGetValue(e.FileNumber, out JsonObject? handle)
            ? [Call("TEST_DMABUF_REVOKE", new() { ["handle"] = handle.DeepClone(), ["revoked"] = e.Revoked ? 1 : 0 })]
            : [];

    private TraceCall MapVfio(VfioMapped e) =>
        Call(
            "VFIO_IOMMU_MAP_DMA",
            new()
            {
                ["argsz"] = 32,
                ["flags"] = ((e.Permissions & 1) != 0 ? 2 : 0) | ((e.Permissions & 2) != 0 ? 1 : 0),
                ["vaddr"] = Absolute(e.UserVa),
                ["iova"] = Hex(e.Iova),
                ["size"] = Hex(e.Length),
            }
        );

    // Pages of 4 KiB, or larger ones where the bitmap would not fit into the scratch buffer.
    private TraceCall Clear(DirtyCleared e)
    {
        ulong length = unchecked(e.Last - e.First + 1);
        ulong either = e.First | length;
        int largest = either == 0 ? HostPage.Shift : BitOperations.TrailingZeroCount(either);
        int shift = Math.Min(largest, HostPage.Shift);
        while (shift < largest && length >> shift > MostBits)
        {
            shift++;
        }

        return Call(
            "HWPT_GET_DIRTY_BITMAP",
            new()
            {
                ["hwpt_id"] = Id(e.HwptId),
                ["flags"] = 0,
                ["iova"] = Hex(e.First),
                ["length"] = Hex(length),
                ["page_size"] = Hex(1ul << shift),
                ["data"] = new JsonObject { ["buf"] = ScratchBuffer, ["off"] = "0x0" },
                ["prefill"] = 0,
            }
        );
    }
}
