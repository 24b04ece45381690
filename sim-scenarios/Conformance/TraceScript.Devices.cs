using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Iommufd.Messages.Events;

namespace Iommufd.Scenarios.Conformance;

/// <summary>Devices, HWPTs, accesses.</summary>
internal sealed partial class TraceScript
{
    private const uint SelftestData = 57005;
    private const uint FaultIdValid = 4;
    private readonly Dictionary<uint, uint> _stdevs = [];
    private readonly HashSet<uint> _bound = [];
    private readonly Dictionary<(uint Access, uint Pin), JsonNode> _pins = [];

    private IEnumerable<TraceCall>? OfDevice(ContextEvent change, ContextEvent? next) =>
        change switch
        {
            // A scenario's device is there for the format once it is attached: the selftest makes its devices attached.
            DeviceBound e => Bind(e.DeviceId),
            DeviceUnbound e => Unbind(e.DeviceId),
            MockDeviceMade e => [Make(e.StdevId, e.DeviceId, e.PtId, e.HwptId, e.Flags)],
            DeviceAttached { Pasid: 0 } e when _bound.Contains(e.DeviceId) =>
            [
                Make(0, e.DeviceId, e.PtId, e.HwptId, 0),
            ],
            DeviceAttached { Pasid: not 0 } e => [Switch("TEST_PASID_ATTACH", e.DeviceId, e.Pasid, e.PtId, e.HwptId)],
            DeviceReplaced { Pasid: 0 } e => [Switch("TEST_MOCK_DOMAIN_REPLACE", e.DeviceId, 0, e.PtId, e.HwptId)],
            DeviceReplaced e => [Switch("TEST_PASID_REPLACE", e.DeviceId, e.Pasid, e.PtId, e.HwptId)],
            DeviceDetached { Pasid: 0 } e when _bound.Contains(e.DeviceId) => Leave(e.DeviceId),
            DeviceDetached { Pasid: not 0 } e =>
            [
                Call("TEST_PASID_DETACH", new() { ["id"] = Stdev(e.DeviceId), ["pasid"] = e.Pasid }),
            ],
            DeviceAttached or DeviceDetached => throw new NotSupportedException(
                "a selftest device is attached from its making to its end"
            ),
            HwptAllocated e => [Allocate(e, next as HwptFaultSet)],
            NestedHwptAllocated e => [Allocate(e)],
            _ => OfAccess(change),
        };

    private IEnumerable<TraceCall>? OfAccess(ContextEvent change) =>
        change switch
        {
            AccessCreated e =>
            [
                CallWithHandle(
                    "TEST_CREATE_ACCESS",
                    new() { ["id"] = Id(e.IoasId), ["flags"] = e.Pins ? 1 : 0 },
                    "access",
                    e.AccessId,
                    null
                ),
            ],
            AccessMoved e =>
            [
                Call("TEST_ACCESS_REPLACE_IOAS", new() { ["handle"] = Handle(e.AccessId), ["ioas_id"] = Id(e.IoasId) }),
            ],
            AccessPinned e => [Pin(e)],
            AccessUnpinned e =>
            [
                Call(
                    "TEST_DESTROY_ACCESS_PAGES",
                    new()
                    {
                        ["handle"] = Handle(e.AccessId),
                        ["access_pages_id"] = _pins[(e.AccessId, e.PinId)].DeepClone(),
                    }
                ),
            ],
            AccessDestroyed e => [Call("CLOSE", new() { ["handle"] = Handle(e.AccessId) })],
            _ => null,
        };

    private TraceCall Pin(AccessPinned e) =>
        new(
            "TEST_ACCESS_PAGES",
            new()
            {
                ["handle"] = Handle(e.AccessId),
                ["flags"] = e.Write ? 1 : 0,
                ["iova"] = Hex(e.Iova),
                ["length"] = Hex(e.Length),
                ["uptr"] = Absolute(0),
            },
            ["out_access_pages_id"],
            given => _pins[(e.AccessId, e.PinId)] = given["out_access_pages_id"]!.DeepClone()
        );

    private IEnumerable<TraceCall> Bind(uint device)
    {
        _bound.Add(device);
        return [];
    }

    private IEnumerable<TraceCall> Unbind(uint device)
    {
        IEnumerable<TraceCall> calls = _stdevs.ContainsKey(device) ? Leave(device) : [];
        _bound.Remove(device);
        return calls;
    }

    private IEnumerable<TraceCall> Leave(uint device)
    {
        yield return Call("DESTROY", new() { ["id"] = Stdev(device) });
        _stdevs.Remove(device);
        _ids.Remove(device);
    }

    private uint Stdev(uint device) =>
        _stdevs.TryGetValue(device, out uint stdev)
            ? stdev
            : throw new KeyNotFoundException(FormattableString.Invariant($"device {device} is not attached there"));

    private TraceCall Make(uint stdevId, uint deviceId, uint asked, uint hwptId, uint flags)
    {
        var input = new JsonObject { ["id"] = Id(asked) };
        if (flags != 0)
        {
            input["dev_flags"] = flags;
        }

        return new TraceCall(
            flags == 0 ? "TEST_MOCK_DOMAIN" : "TEST_MOCK_DOMAIN_FLAGS",
            input,
            ["out_stdev_id", "out_hwpt_id", "out_idev_id"],
            given =>
            {
                _stdevs[deviceId] = (uint)given["out_stdev_id"]!.GetValue<ulong>();
                _ids[deviceId] = (uint)given["out_idev_id"]!.GetValue<ulong>();
                _ids[hwptId] = (uint)given["out_hwpt_id"]!.GetValue<ulong>();
                if (stdevId != 0)
                {
                    _ids[stdevId] = _stdevs[deviceId];
                }
            }
        );
    }

    private TraceCall Switch(string op, uint device, uint pasid, uint asked, uint hwptId)
    {
        var input = new JsonObject { ["id"] = Stdev(device) };
        if (pasid != 0)
        {
            input["pasid"] = pasid;
        }

        input["pt_id"] = Id(asked);
        return new TraceCall(op, input, ["pt_id"], given => _ids[hwptId] = (uint)given["pt_id"]!.GetValue<ulong>());
    }

    private TraceCall Allocate(HwptAllocated e, HwptFaultSet? fault)
    {
        bool hasFault = fault?.HwptId == e.HwptId;
        return AllocateHwpt(
            e.HwptId,
            e.DeviceId,
            e.IoasId,
            (e.Flags & ~FaultIdValid) | (hasFault ? FaultIdValid : 0),
            hasFault ? fault!.FaultId : 0,
            e.TableType == 0 ? null : Words(0, e.TableType)
        );
    }

    private TraceCall Allocate(NestedHwptAllocated e) =>
        AllocateHwpt(
            e.HwptId,
            e.DeviceId,
            e.PtId,
            (e.Flags & ~FaultIdValid) | (e.FaultId != 0 ? FaultIdValid : 0),
            e.FaultId,
            Words(e.Iotlb, 0)
        );

    private TraceCall AllocateHwpt(uint id, uint device, uint parent, uint flags, uint fault, byte[]? data)
    {
        var input = new JsonObject
        {
            ["dev_id"] = Id(device),
            ["pt_id"] = Id(parent),
            ["flags"] = flags,
            ["data_type"] = data is null ? 0 : SelftestData,
            ["data_len"] = data?.Length ?? 0,
            ["fault_id"] = Id(fault),
        };
        if (data is not null)
        {
            input["data"] = Convert.ToHexStringLower(data);
        }

        return Call("HWPT_ALLOC", input, "out_hwpt_id", id);
    }

    private static byte[] Words(params uint[] words)
    {
        var bytes = new byte[words.Length * sizeof(uint)];
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint)), words[i]);
        }

        return bytes;
    }
}
