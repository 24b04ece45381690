using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>An area as a story sees it: which pages of which page set its IOVAs are.</summary>
/// <param name="Ioas">Its IOAS.</param>
/// <param name="First">First IOVA.</param>
/// <param name="Last">Last IOVA, inclusive.</param>
/// <param name="PageSet">The page set; 0 when it is not known.</param>
/// <param name="Offset">Bytes from the page set's first page to the first IOVA.</param>
internal sealed record StoryArea(uint Ioas, ulong First, ulong Last, uint PageSet, ulong Offset)
{
    /// <summary>Whether an IOVA is in it.</summary>
    public bool Covers(ulong iova) => First <= iova && iova <= Last;

    /// <summary>The index in the page set of the page that an IOVA is in.</summary>
    public ulong PageOf(ulong iova) => (Offset + (iova - First)) >> 12;
}

/// <summary>
/// What a story has to remember of a context to tell what an event means: areas, tables, who uses them. It follows the events and
/// checks nothing. Not thread-safe.
/// </summary>
internal sealed class StoryModel
{
    private const ulong PageMask = 0xfff;
    private readonly Dictionary<uint, string> _names = [];
    private readonly Dictionary<uint, uint> _devicesOfStdevs = [];
    private readonly Dictionary<uint, (uint Ioas, bool IsAutomatic)> _hwpts = [];
    private readonly SortedDictionary<(uint Device, uint Pasid), uint> _attachments = [];
    private readonly Dictionary<uint, uint> _accesses = [];

    /// <summary>The areas, in the order in which they came.</summary>
    public List<StoryArea> Areas { get; } = [];

    /// <summary>The tables that an IOAS's areas are in, each with the devices that use it.</summary>
    public string TablesOf(uint ioas)
    {
        var tables = _hwpts.Where(h => h.Value.Ioas == ioas).Select(h => h.Key).Order().Select(Table).ToList();
        return tables.Count == 0 ? string.Empty : string.Join(" and ", tables);
    }

    /// <summary>The IOAS that a HWPT belongs to; null for one that is not known.</summary>
    public uint? IoasOf(uint hwpt) => _hwpts.TryGetValue(hwpt, out var known) ? known.Ioas : null;

    /// <summary>The HWPT that a device uses; null for none.</summary>
    public uint? HwptOf(uint device, uint pasid) =>
        _attachments.TryGetValue((device, pasid), out var hwpt) ? hwpt : null;

    /// <summary>The IOAS of an access; null for one that is not known.</summary>
    public uint? IoasOfAccess(uint access) => _accesses.TryGetValue(access, out var ioas) ? ioas : null;

    /// <summary>A device with its name.</summary>
    public string Device(uint id) =>
        _names.TryGetValue(id, out var name)
            ? FormattableString.Invariant($"device {id} ({name})")
            : FormattableString.Invariant($"device {id}");

    /// <summary>Takes the next event.</summary>
    public void Apply(ContextEvent change)
    {
        switch (change)
        {
            case AreaMapped e:
                Add(e.IoasId, e.Iova, e.Length, e.PageSet, e.UserVa & PageMask);
                break;
            case FileMapped e:
                Add(e.IoasId, e.Iova, e.Length, e.PageSet, e.Start & PageMask);
                break;
            case VfioMapped e:
                Add(e.IoasId, e.Iova, e.Length, e.PageSet, e.UserVa & PageMask);
                break;
            case AreasCopied e:
                Copy(e);
                break;
            case AreasUnmapped e:
                for (var i = 0; i + 1 < e.Removed.Length; i += 2)
                {
                    Areas.RemoveAll(a => a.Ioas == e.IoasId && a.First == e.Removed[i]);
                }

                break;
            case AreaCutInTwo e:
                Cut(e);
                break;
            case ContextClosed:
                Areas.Clear();
                _hwpts.Clear();
                _attachments.Clear();
                break;
            default:
                ApplyObject(change);
                break;
        }
    }

    private void ApplyObject(ContextEvent change)
    {
        switch (change)
        {
            case DeviceBound e:
                _names[e.DeviceId] = e.Name;
                break;
            case MockDeviceMade e:
                _names[e.DeviceId] = "a selftest device";
                _devicesOfStdevs[e.StdevId] = e.DeviceId;
                Attach(e.DeviceId, 0, e.PtId, e.HwptId);
                break;
            case HwptAllocated e:
                _hwpts[e.HwptId] = (e.IoasId, false);
                break;
            case DeviceAttached e:
                Attach(e.DeviceId, e.Pasid, e.PtId, e.HwptId);
                break;
            case DeviceReplaced e:
                Attach(e.DeviceId, e.Pasid, e.PtId, e.HwptId);
                break;
            case DeviceDetached e:
                Leave((e.DeviceId, e.Pasid));
                break;
            case DeviceUnbound e:
                Unbind(e.DeviceId);
                break;
            case AccessCreated e:
                _accesses[e.AccessId] = e.IoasId;
                break;
            case AccessMoved e:
                _accesses[e.AccessId] = e.IoasId;
                break;
            case ObjectDestroyed e:
                Destroy(e.ObjectId);
                break;
            default:
                break;
        }
    }

    private string Table(uint hwpt)
    {
        var users = _attachments
            .Where(a => a.Value == hwpt)
            .Select(a => _names.GetValueOrDefault(a.Key.Device) ?? "device " + a.Key.Device)
            .ToList();
        var used = users.Count switch
        {
            0 => "no device uses it",
            <= 4 => "used by " + string.Join(", ", users),
            _ => FormattableString.Invariant($"used by {users.Count} devices"),
        };
        return FormattableString.Invariant($"HWPT {hwpt} ({used})");
    }

    private void Add(uint ioas, ulong iova, ulong length, uint pageSet, ulong offset) =>
        Areas.Add(new StoryArea(ioas, iova, unchecked(iova + length - 1), pageSet, offset));

    private void Copy(AreasCopied e)
    {
        var last = unchecked(e.SrcIova + e.Length - 1);
        foreach (
            var source in Areas.Where(a => a.Ioas == e.SrcIoasId && a.First <= last && e.SrcIova <= a.Last).ToArray()
        )
        {
            var first = Math.Max(source.First, e.SrcIova);
            var end = Math.Min(source.Last, last);
            Areas.Add(
                new StoryArea(
                    e.DstIoasId,
                    first - e.SrcIova + e.DstIova,
                    end - e.SrcIova + e.DstIova,
                    source.PageSet,
                    source.Offset + (first - source.First)
                )
            );
        }
    }

    private void Cut(AreaCutInTwo e)
    {
        var at = Areas.FindIndex(a => a.Ioas == e.IoasId && a.Covers(e.LastOfLeft));
        if (at < 0)
        {
            return;
        }

        var whole = Areas[at];
        Areas[at] = whole with { Last = e.LastOfLeft };
        var first = e.LastOfLeft + 1;
        Areas.Add(whole with { First = first, Offset = whole.Offset + (first - whole.First) });
    }

    private void Attach(uint device, uint pasid, uint asked, uint hwpt)
    {
        Leave((device, pasid));
        if (asked != hwpt)
        {
            _hwpts[hwpt] = (asked, true);
        }

        _attachments[(device, pasid)] = hwpt;
    }

    // An automatic HWPT goes with the last device that uses it.
    private void Leave((uint Device, uint Pasid) key)
    {
        if (
            _attachments.Remove(key, out var hwpt)
            && _hwpts.TryGetValue(hwpt, out var table)
            && table.IsAutomatic
            && !_attachments.ContainsValue(hwpt)
        )
        {
            _hwpts.Remove(hwpt);
        }
    }

    private void Unbind(uint device)
    {
        foreach (var key in _attachments.Keys.Where(k => k.Device == device).ToArray())
        {
            Leave(key);
        }

        _names.Remove(device);
    }

    private void Destroy(uint id)
    {
        Areas.RemoveAll(a => a.Ioas == id);
        _hwpts.Remove(id);
        _accesses.Remove(id);
        if (_devicesOfStdevs.Remove(id, out var device))
        {
            Unbind(device);
        }
    }
}
