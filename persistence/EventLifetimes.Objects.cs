using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>The events of devices, HWPTs, accesses and destruction.</summary>
internal sealed partial class EventLifetimes
{
    private bool TryFollowObject(int node, ContextEvent change)
    {
        switch (change)
        {
            case DeviceBound e:
                return Open(node, e.DeviceId, new Tracked(Kind.Device, node));
            case DeviceUnbound e:
                return Unbind(node, e.DeviceId);
            case HwptAllocated e:
                return AllocateHwpt(node, e);
            case DeviceAttached e:
                return !_attachments.ContainsKey((e.DeviceId, e.Pasid))
                    && Attach(node, e.DeviceId, e.Pasid, e.PtId, e.HwptId);
            case DeviceReplaced e:
                return Replace(node, e);
            case DeviceDetached e:
                return Detach(node, e.DeviceId, e.Pasid);
            case MockDeviceMade e:
                return Open(node, e.StdevId, new Tracked(Kind.Stdev, node) { Device = e.DeviceId })
                    && _objects.TryAdd(e.DeviceId, new Tracked(Kind.Device, node))
                    && Attach(node, e.DeviceId, 0, e.PtId, e.HwptId);
            case AccessCreated e:
                return CreateAccess(node, e);
            case AccessMoved e:
                return Move(node, e);
            case AccessPinned e:
                return Pin(node, e);
            case AccessUnpinned e:
                return Unpin(node, e.AccessId, e.PinId);
            case AccessDestroyed e:
                return DestroyAccess(node, e.AccessId);
            case ObjectDestroyed e:
                return Destroy(node, e.ObjectId);
            default:
                return false;
        }
    }

    private bool AllocateHwpt(int node, HwptAllocated e)
    {
        if (Find(e.DeviceId, Kind.Device) is not { } device || Find(e.IoasId, Kind.Ioas) is not { } ioas)
        {
            return false;
        }

        Refer(node, device);
        Refer(node, ioas);
        var made = new Tracked(Kind.Hwpt, node) { Ioas = e.IoasId };
        return Open(node, e.HwptId, made) && _hwpts.TryAdd(e.HwptId, made);
    }

    private bool Unbind(int node, uint id)
    {
        if (Find(id, Kind.Device) is not { } device || !DetachAll(node, id))
        {
            return false;
        }

        _objects.Remove(id);
        Gone(node, device);
        return true;
    }

    private bool Attach(int node, uint device, uint pasid, uint ptId, uint hwptId)
    {
        if (Find(device, Kind.Device) is not { } bound)
        {
            return false;
        }

        Refer(node, bound);
        if (Find(hwptId, Kind.Hwpt) is { } known)
        {
            Refer(node, known);
            if (known.IsAutomatic)
            {
                // Which attachment made it and which keeps it decides its place among the HWPTs of the IOAS.
                _groups.Join(node, known.Node);
                known.Users++;
            }
        }
        else
        {
            if (ptId == hwptId || Find(ptId, Kind.Ioas) is not { } ioas)
            {
                return false;
            }

            Refer(node, ioas);
            var made = new Tracked(Kind.Hwpt, node)
            {
                Ioas = ptId,
                IsAutomatic = true,
                Users = 1,
            };
            if (!Open(node, hwptId, made))
            {
                return false;
            }

            _hwpts.Add(hwptId, made);
        }

        _groups.Open(node);
        _attachments[(device, pasid)] = new Attachment(node, hwptId);
        bound.Parts.Add(pasid);
        return true;
    }

    private bool Replace(int node, DeviceReplaced e)
    {
        if (!_attachments.Remove((e.DeviceId, e.Pasid), out var old))
        {
            return false;
        }

        Find(e.DeviceId, Kind.Device)?.Parts.Remove(e.Pasid);
        _groups.Join(node, old.Node);
        if (!Attach(node, e.DeviceId, e.Pasid, e.PtId, e.HwptId))
        {
            return false;
        }

        _groups.Close(node);
        return LeaveHwpt(node, old.Hwpt);
    }

    private bool Detach(int node, uint device, uint pasid)
    {
        if (!_attachments.Remove((device, pasid), out var old))
        {
            return false;
        }

        Find(device, Kind.Device)?.Parts.Remove(pasid);
        _groups.Join(node, old.Node);
        _groups.Close(node);
        return LeaveHwpt(node, old.Hwpt);
    }

    private bool DetachAll(int node, uint device)
    {
        var pasids = Find(device, Kind.Device)?.Parts ?? [];
        return pasids.ToArray().All(pasid => Detach(node, device, pasid));
    }

    private bool LeaveHwpt(int node, uint id)
    {
        if (Find(id, Kind.Hwpt) is not { } hwpt)
        {
            return false;
        }

        if (!hwpt.IsAutomatic || --hwpt.Users > 0)
        {
            return true;
        }

        return RemoveHwpt(node, id, hwpt);
    }

    private bool RemoveHwpt(int node, uint id, Tracked hwpt)
    {
        _objects.Remove(id);
        _hwpts.Remove(id);
        HandPinsOver(hwpt.Node, hwpt.Ioas, 0, ulong.MaxValue);
        Gone(node, hwpt);
        return true;
    }

    private bool CreateAccess(int node, AccessCreated e)
    {
        if (Find(e.IoasId, Kind.Ioas) is { } ioas)
        {
            Refer(node, ioas);
        }

        return Open(node, e.AccessId, new Tracked(Kind.Access, node) { Ioas = e.IoasId });
    }

    private bool Move(int node, AccessMoved e)
    {
        if (Find(e.AccessId, Kind.Access) is not { } access)
        {
            return false;
        }

        _groups.Join(node, access.Node);
        access.Ioas = e.IoasId;
        if (Find(e.IoasId, Kind.Ioas) is { } ioas)
        {
            Refer(node, ioas);
        }

        return true;
    }

    private bool Pin(int node, AccessPinned e)
    {
        if (
            e.Length == 0
            || Find(e.AccessId, Kind.Access) is not { } access
            || Find(access.Ioas, Kind.Ioas) is not { } ioas
        )
        {
            return false;
        }

        var last = e.Iova + (e.Length - 1);
        for (var at = e.Iova; ; )
        {
            if (AreaAt(ioas, at) is not { } area)
            {
                return false;
            }

            area.Referrers.Add(node, _groups);
            if (area.Last >= last)
            {
                break;
            }

            at = area.Last + 1;
        }

        Refer(node, access);
        Refer(node, ioas);
        _groups.Open(node);
        access.Parts.Add(e.PinId);
        return _pins.TryAdd((e.AccessId, e.PinId), new OpenPin(node, access.Ioas, e.Iova, last));
    }

    private bool Unpin(int node, uint access, uint pinId)
    {
        if (!_pins.Remove((access, pinId), out var pin))
        {
            return false;
        }

        Find(access, Kind.Access)?.Parts.Remove(pinId);
        _groups.Join(node, pin.Node);
        HandPinsOver(pin.Node, pin.Ioas, pin.First, pin.Last);
        _groups.Close(node);
        return true;
    }

    private bool DestroyAccess(int node, uint id)
    {
        if (Find(id, Kind.Access) is not { } access)
        {
            return false;
        }

        foreach (var pinId in access.Parts.ToArray())
        {
            Unpin(node, id, pinId);
        }

        _objects.Remove(id);
        Gone(node, access);
        return true;
    }

    private bool Destroy(int node, uint id)
    {
        if (!_objects.TryGetValue(id, out var gone))
        {
            return false;
        }

        switch (gone.Kind)
        {
            case Kind.Ioas:
                // Its areas go with it, in one step with everything that was done to them.
                foreach (var area in gone.Areas.Values)
                {
                    Unmapped(node, area);
                }

                break;
            case Kind.Hwpt when !gone.IsAutomatic:
                return RemoveHwpt(node, id, gone);
            case Kind.Stdev:
                if (!DetachAll(node, gone.Device))
                {
                    return false;
                }

                if (_objects.Remove(gone.Device, out var device))
                {
                    device.Referrers.GoneWith(node, _groups);
                }

                break;
            default:
                return false;
        }

        _objects.Remove(id);
        Gone(node, gone);
        return true;
    }

    // Pages that a HWPT or an access pinned first are still pinned when it goes, if another holds them that came later: that one's
    // event does not name their frames, so the earlier one's event is needed as long as the later one's.
    private void HandPinsOver(int node, uint ioas, ulong first, ulong last)
    {
        foreach (var holder in _hwpts.Values)
        {
            if (holder.Node > node && (_sharesPages || holder.Ioas == ioas))
            {
                _groups.Join(node, holder.Node);
            }
        }

        foreach (var pin in _pins.Values)
        {
            if (pin.Node > node && (_sharesPages || (pin.Ioas == ioas && pin.First <= last && first <= pin.Last)))
            {
                _groups.Join(node, pin.Node);
            }
        }
    }
}
