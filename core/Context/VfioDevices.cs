// VFIO's character devices. VfioDevices: the nodes of a machine; VfioFile: one open of a node, which descriptors share; VfioCalls: what
// can be answered without an iommufd, and which context answers the rest.
using System.Collections.Concurrent;
using Iommufd.Core.Flows;
using Iommufd.Messages;

namespace Iommufd.Core.Context;

/// <summary>
/// A descriptor of an open VFIO device. A call on it does not hold it: the close waits for calls under way by itself
/// (<see cref="VfioFile.Lock"/>), and whoever lets go of the last descriptor has to unbind the device (<see cref="VfioCalls.Dropped"/>).
/// </summary>
/// <param name="File">The open; the descriptor holds a reference on it.</param>
public sealed record VfioDescriptor(VfioFile File) : Descriptor;

/// <summary>The VFIO character devices of a machine: one for each physical device, made when it is first opened. Thread-safe.</summary>
public sealed class VfioDevices
{
    private readonly ConcurrentDictionary<string, VfioNode> _nodes = new(StringComparer.Ordinal);

    /// <summary>Opens a device once more; the caller holds the first reference.</summary>
    /// <param name="device">The physical device's name; it is there.</param>
    public VfioFile Open(string device) => new(device, _nodes.GetOrAdd(device, static _ => new VfioNode()));
}

/// <summary>A physical device's character device. The object is its own lock.</summary>
internal sealed class VfioNode
{
    /// <summary>The open that is bound, or about to be: the only one.</summary>
    public VfioFile? Bound { get; set; }
}

/// <summary>
/// One open of a VFIO character device (facts sheet B.23). Descriptors share it by dup, fork and passing; the last one that is closed
/// unbinds the device. To what it is bound can be read on any thread; what it has attached belongs to the context it is bound to.
/// </summary>
public sealed class VfioFile
{
    private readonly VfioNode _node;
    private int _references = 1;
    private int _context;
    private uint _deviceId;

    internal VfioFile(string device, VfioNode node) => (Device, _node) = (device, node);

    /// <summary>The physical device's name.</summary>
    public string Device { get; }

    /// <summary>The context and the DEVICE that it is bound to; null where it is not.</summary>
    public (int Context, uint DeviceId)? Bound
    {
        get
        {
            lock (_node)
            {
                return ReferenceEquals(_node.Bound, this) && _deviceId != 0 ? (_context, _deviceId) : null;
            }
        }
    }

    /// <summary>dev_set->lock: attach, detach and close take turns. Used by the context it is bound to.</summary>
    public FlowLock Lock { get; } = new();

    /// <summary>Whether the device's own requests were attached through it.</summary>
    public bool IsAttached { get; set; }

    /// <summary>PASIDs attached through it. 0 stands beside <see cref="IsAttached"/>, as in the kernel: each knows nothing of the other.</summary>
    public SortedSet<uint> Pasids { get; } = [];

    /// <summary>One descriptor more.</summary>
    public void Acquire() => Interlocked.Increment(ref _references);

    /// <summary>One descriptor less; true for the last. Whoever closed it unbinds the device then.</summary>
    public bool Release() => Interlocked.Decrement(ref _references) == 0;

    /// <summary>Begins to bind; false where another open of the device is bound, or this one.</summary>
    internal bool TryBeginBind()
    {
        lock (_node)
        {
            if (_node.Bound is not null)
            {
                return false;
            }

            _node.Bound = this;
            return true;
        }
    }

    /// <summary>It is bound.</summary>
    internal void EndBind(int context, uint deviceId)
    {
        lock (_node)
        {
            (_context, _deviceId) = (context, deviceId);
        }
    }

    /// <summary>It is not bound any more, or could not be: it may be again.</summary>
    internal void Unbind()
    {
        lock (_node)
        {
            Invariant.Holds(ReferenceEquals(_node.Bound, this), "a VFIO device is unbound by the open that bound it");
            IsAttached = false;
            Pasids.Clear();
            _deviceId = 0;
            _node.Bound = null;
        }
    }
}
