using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Iommufd.Messages.Events;

namespace Iommufd.Scenarios.Conformance;

/// <summary>Nesting, faults, virtual IOMMUs.</summary>
internal sealed partial class TraceScript
{
    private const uint SelftestInvalidation = 0xdead_beef;
    private const int FaultSize = 40;
    private const int ResponseSize = 8;
    private const int EventSize = 12;
    private readonly List<(uint Id, uint Device, uint Viommu, ulong VirtId)> _vdevices = [];
    private readonly Dictionary<uint, uint> _viommusOfQueues = [];
    private readonly Dictionary<ulong, Stack<JsonObject>> _windows = [];

    private IEnumerable<TraceCall>? OfQueue(ContextEvent change) =>
        change switch
        {
            FaultQueueAllocated e =>
            [
                CallWithHandle("FAULT_QUEUE_ALLOC", new() { ["flags"] = 0 }, "fault", e.FaultId, "out_fault_id"),
            ],
            FaultReported e =>
            [
                Call(
                    "TEST_TRIGGER_IOPF",
                    new()
                    {
                        ["dev_id"] = Id(e.DeviceId),
                        ["pasid"] = e.Pasid,
                        ["grpid"] = e.GroupId,
                        ["perm"] = e.Permissions,
                        ["addr"] = Hex(e.Address),
                    }
                ),
            ],
            FaultsRead e =>
            [
                Call("FAULT_READ", new() { ["handle"] = Handle(e.FaultId), ["count"] = e.Groups * FaultSize }),
            ],
            FaultsAnswered e => [Answer(e)],
            QueueDescriptorClosed e => [Call("CLOSE", new() { ["handle"] = Handle(e.ObjectId) })],
            IotlbInvalidated e =>
            [
                Invalidate(e.HwptId, "entries", 8, [.. Bits(e.Mask).Select(n => new JsonArray(0, n))]),
            ],
            CachesInvalidated e => InvalidateCaches(e),
            _ => OfViommu(change),
        };

    private IEnumerable<TraceCall>? OfViommu(ContextEvent change) =>
        change switch
        {
            ViommuAllocated e => [Allocate(e)],
            VdeviceAllocated e => [Allocate(e)],
            VeventqAllocated e => [Allocate(e)],
            VeventReported e => [Trigger(e)],
            VeventsRead e =>
            [
                Call("VEVENT_READ", new() { ["handle"] = Handle(e.VeventqId), ["count"] = e.Count * EventSize }),
            ],
            HwQueueAllocated e =>
            [
                Call(
                    "HW_QUEUE_ALLOC",
                    new()
                    {
                        ["flags"] = 0,
                        ["viommu_id"] = Id(e.ViommuId),
                        ["type"] = e.Type,
                        ["index"] = e.Index,
                        ["nesting_parent_iova"] = Hex(e.Iova),
                        ["length"] = Hex(e.Length),
                    },
                    "out_hw_queue_id",
                    e.HwQueueId
                ),
            ],
            WindowMapped e =>
            [
                new TraceCall(
                    "MMAP",
                    new()
                    {
                        ["fd"] = new JsonObject { ["iommufd"] = 0 },
                        ["offset"] = Hex(e.Offset),
                        ["length"] = Hex(e.Length),
                        ["prot"] = "rw",
                        ["shared"] = 1,
                    },
                    [],
                    _ => NoteWindow(e.Offset)
                ),
            ],
            WindowUnmapped e => [Call("MMAP_UNMAP", new() { ["handle"] = _windows[e.Offset].Pop() })],
            _ => null,
        };

    private void NoteWindow(ulong offset)
    {
        if (!_windows.TryGetValue(offset, out Stack<JsonObject>? made))
        {
            _windows.Add(offset, made = []);
        }

        made.Push(Made("mmap"));
    }

    // The youngest: one that a device had before is gone, or a tombstone.
    private (uint Viommu, ulong VirtId) VdeviceOf(uint device)
    {
        int at = _vdevices.FindLastIndex(v => v.Device == device);
        return at >= 0
            ? (_vdevices[at].Viommu, _vdevices[at].VirtId)
            : throw new KeyNotFoundException(FormattableString.Invariant($"device {device} is no vdevice"));
    }

    private static IEnumerable<int> Bits(uint mask) => Enumerable.Range(0, 32).Where(n => (mask >> n & 1) != 0);

    private TraceCall Answer(FaultsAnswered e)
    {
        var responses = new JsonArray();
        for (int i = 0; i < e.Cookies.Length; i++)
        {
            responses.Add((JsonNode)new JsonArray(e.Cookies[i], e.Codes[i]));
        }

        return Call(
            "FAULT_WRITE",
            new()
            {
                ["handle"] = Handle(e.FaultId),
                ["count"] = e.Cookies.Length * ResponseSize,
                ["responses"] = responses,
            }
        );
    }

    private TraceCall Invalidate(uint id, string name, int size, JsonNode[] entries) =>
        Call(
            "HWPT_INVALIDATE",
            new()
            {
                ["hwpt_id"] = Id(id),
                ["data_type"] = SelftestInvalidation,
                ["entry_len"] = size,
                ["entry_num"] = entries.Length,
                [name] = new JsonArray(entries),
            },
            "entry_num"
        );

    private IEnumerable<TraceCall> InvalidateCaches(CachesInvalidated e)
    {
        foreach (
            IGrouping<uint, int> of in Enumerable
                .Range(0, e.DeviceIds.Length)
                .GroupBy(i => VdeviceOf(e.DeviceIds[i]).Viommu)
        )
        {
            yield return Invalidate(
                of.Key,
                "ventries",
                EventSize,
                [
                    .. of.SelectMany(i =>
                        Bits(e.Masks[i]).Select(n => new JsonArray(0, (uint)VdeviceOf(e.DeviceIds[i]).VirtId, n))
                    ),
                ]
            );
        }
    }

    private TraceCall Allocate(ViommuAllocated e)
    {
        var input = new JsonObject
        {
            ["flags"] = 0,
            ["type"] = e.Type,
            ["dev_id"] = Id(e.DeviceId),
            ["hwpt_id"] = Id(e.HwptId),
            ["data_len"] = e.HasWindow ? 24 : 0,
        };
        if (e.HasWindow)
        {
            input["data"] = Convert.ToHexStringLower(Words(e.WindowWord, 0, 0, 0, 0, 0));
        }

        return Call("VIOMMU_ALLOC", input, "out_viommu_id", e.ViommuId);
    }

    private TraceCall Allocate(VdeviceAllocated e)
    {
        _vdevices.Add((e.VdeviceId, e.DeviceId, e.ViommuId, e.VirtId));
        return Call(
            "VDEVICE_ALLOC",
            new()
            {
                ["viommu_id"] = Id(e.ViommuId),
                ["dev_id"] = Id(e.DeviceId),
                ["virt_id"] = Hex(e.VirtId),
            },
            "out_vdevice_id",
            e.VdeviceId
        );
    }

    private TraceCall Allocate(VeventqAllocated e)
    {
        _viommusOfQueues[e.VeventqId] = e.ViommuId;
        return CallWithHandle(
            "VEVENTQ_ALLOC",
            new()
            {
                ["flags"] = 0,
                ["viommu_id"] = Id(e.ViommuId),
                ["type"] = e.Type,
                ["veventq_depth"] = e.Depth,
            },
            "veventq",
            e.VeventqId,
            "out_veventq_id"
        );
    }

    // The event's payload is the device's virtual id.
    private TraceCall Trigger(VeventReported e)
    {
        ulong virtId = BinaryPrimitives.ReadUInt32LittleEndian(e.Payload);
        uint viommu = _viommusOfQueues[e.VeventqId];
        int at = _vdevices.FindLastIndex(v => v.Viommu == viommu && (uint)v.VirtId == (uint)virtId);
        uint device =
            at >= 0
                ? _vdevices[at].Device
                : throw new KeyNotFoundException(
                    FormattableString.Invariant($"nobody is 0x{virtId:x} of vIOMMU {viommu}")
                );
        return Call("TEST_TRIGGER_VEVENT", new() { ["dev_id"] = Id(device) });
    }
}
