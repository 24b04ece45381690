using System.Text.Json.Nodes;
using Iommufd.Messages.Events;

namespace Iommufd.Scenarios.Conformance;

/// <summary>A call of a trace.</summary>
/// <param name="Op">Its name in the format.</param>
/// <param name="Input">Its inputs.</param>
/// <param name="Outputs">Members whose values are written down.</param>
/// <param name="Learn">Takes what the call gave; null when nothing has to be known of it.</param>
internal sealed record TraceCall(string Op, JsonObject Input, string[] Outputs, Action<JsonObject>? Learn = null);

/// <summary>
/// Says with which calls a client makes the changes of a context's events. Ids are those that the calls give, which are the
/// journal's as long as every object of it is made. Asked for one event after the other; not thread-safe.
/// </summary>
internal sealed partial class TraceScript(TraceScenery scenery)
{
    private readonly Dictionary<uint, uint> _ids = [];
    private readonly Dictionary<uint, JsonObject> _handles = [];
    private readonly Dictionary<string, int> _made = new(StringComparer.Ordinal);
    private readonly Dictionary<uint, JsonObject> _dmabufs = [];
    private readonly List<ulong> _cuts = [];
    private bool _isType1;

    /// <summary>The calls of an event.</summary>
    /// <param name="events">The context's events.</param>
    /// <param name="at">Which.</param>
    /// <exception cref="NotSupportedException">The format has no words for it.</exception>
    /// <exception cref="KeyNotFoundException">It names an object that no call made.</exception>
    public IEnumerable<TraceCall> CallsOf(IReadOnlyList<ContextEvent> events, int at)
    {
        ContextEvent? next = at + 1 < events.Count ? events[at + 1] : null;
        switch (events[at])
        {
            case ContextOpened or ProcessSeen or DigestRecorded or ContextClosed or HwptFaultSet:
                return [];
            case IoasAllocated e:
                return [Call("IOAS_ALLOC", new() { ["flags"] = 0 }, "out_ioas_id", e.IoasId)];
            case ObjectDestroyed e:
                return Destroy(e.ObjectId);
            case AccountingModeSet e:
                return [Option(0, 0, e.ChargeProcess ? 1u : 0)];
            case LargePagesSet e:
                return [Option(1, Id(e.IoasId), e.Enabled ? 1u : 0)];
            case RangeReserved e:
                return
                [
                    Call(
                        "TEST_ADD_RESERVED",
                        new()
                        {
                            ["id"] = Id(e.IoasId),
                            ["start"] = Hex(e.First),
                            ["length"] = Hex(unchecked(e.Last - e.First + 1)),
                        }
                    ),
                ];
            case AllowedReplaced e:
                return [Allow(e)];
            case ProcessChanged e:
                return
                [
                    Call("IOAS_CHANGE_PROCESS", new() { ["proc"] = e.ProcessId == scenery.Owner ? "self" : "child" }),
                ];
            default:
                return OfMemory(events[at]) ?? OfDevice(events[at], next) ?? OfQueue(events[at]) ?? Unsaid();
        }
    }

    private static IEnumerable<TraceCall> Unsaid() => throw new NotSupportedException("there is no such operation");

    private static JsonNode Hex(ulong value) => TraceValue.Hex(value);

    private static JsonObject Absolute(ulong address) => new() { ["abs"] = TraceValue.Hex(address) };

    private uint Id(uint id) =>
        id == 0 ? 0
        : _ids.TryGetValue(id, out uint known) ? known
        : throw new KeyNotFoundException(FormattableString.Invariant($"object {id} was not made by a call"));

    private static TraceCall Call(string op, JsonObject input, params string[] outputs) => new(op, input, outputs);

    // A call that makes the object that the journal has under this id.
    private TraceCall Call(string op, JsonObject input, string output, uint id) =>
        new(op, input, [output], given => _ids[id] = (uint)given[output]!.GetValue<ulong>());

    // The same, with a descriptor.
    private TraceCall CallWithHandle(string op, JsonObject input, string kind, uint id, string? output) =>
        new(
            op,
            input,
            output is null ? [] : [output],
            given =>
            {
                _ids[id] = output is null ? 0 : (uint)given[output]!.GetValue<ulong>();
                _handles[id] = Made(kind);
            }
        );

    private JsonObject Made(string kind)
    {
        int number = _made.GetValueOrDefault(kind);
        _made[kind] = number + 1;
        return new JsonObject { [kind] = number };
    }

    private JsonNode Handle(uint id) =>
        _handles.TryGetValue(id, out JsonObject? handle)
            ? handle.DeepClone()
            : throw new KeyNotFoundException(FormattableString.Invariant($"object {id} has no descriptor"));

    private static TraceCall Option(uint option, uint id, uint value) =>
        Call(
            "OPTION",
            new()
            {
                ["option_id"] = option,
                ["op"] = 0,
                ["object_id"] = id,
                ["val64"] = Hex(value),
            },
            "val64"
        );

    private TraceCall Allow(AllowedReplaced e)
    {
        var ranges = new JsonArray();
        for (int i = 0; i + 1 < e.Ranges.Length; i += 2)
        {
            ranges.Add((JsonNode)new JsonArray(Hex(e.Ranges[i]), Hex(e.Ranges[i + 1])));
        }

        return Call(
            "IOAS_ALLOW_IOVAS",
            new()
            {
                ["ioas_id"] = Id(e.IoasId),
                ["num_iovas"] = ranges.Count,
                ["ranges"] = ranges,
            }
        );
    }

    private IEnumerable<TraceCall> Destroy(uint id)
    {
        yield return Call("DESTROY", new() { ["id"] = Id(id) });
        _ids.Remove(id);
        _vdevices.RemoveAll(v => v.Id == id);
    }
}
