namespace Iommufd.Core.Context;

/// <summary>What a descriptor refers to.</summary>
public abstract record Descriptor
{
    /// <summary>The number of the context, where it is a descriptor of an iommufd.</summary>
    public virtual int? IommufdContext => null;

    /// <summary>Keeps what it refers to, for a call that is using it.</summary>
    public virtual void Acquire() { }

    /// <summary>Lets go of it: the call is over, or the descriptor was closed.</summary>
    public virtual void Release() { }
}

/// <summary>A descriptor of an access (selftest CREATE_ACCESS).</summary>
/// <param name="Context">The context's number.</param>
/// <param name="AccessId">The ACCESS id.</param>
public sealed record AccessDescriptor(int Context, uint AccessId) : Descriptor;

/// <summary>A descriptor of a fault queue.</summary>
/// <param name="Context">The context's number.</param>
/// <param name="FaultId">The FAULT id.</param>
public sealed record FaultDescriptor(int Context, uint FaultId) : Descriptor;

/// <summary>A descriptor of a vIOMMU's event queue.</summary>
/// <param name="Context">The context's number.</param>
/// <param name="VeventqId">The VEVENTQ id.</param>
public sealed record VeventqDescriptor(int Context, uint VeventqId) : Descriptor;

/// <summary>The open descriptors of a process, possibly shared with its children: lowest free number from 3. Thread-safe.</summary>
public sealed class DescriptorTable
{
    private readonly Lock _lock = new();
    private readonly List<Descriptor?> _open = [];

    /// <summary>Opens a descriptor.</summary>
    public int Open(Descriptor descriptor)
    {
        lock (_lock)
        {
            var free = _open.IndexOf(null);
            if (free < 0)
            {
                free = _open.Count;
                _open.Add(null);
            }

            _open[free] = descriptor;
            return free + 3;
        }
    }

    /// <summary>What a descriptor refers to; null when it is not open.</summary>
    public Descriptor? Find(int fd)
    {
        lock (_lock)
        {
            return fd >= 3 && fd - 3 < _open.Count ? _open[fd - 3] : null;
        }
    }

    /// <summary>What a descriptor refers to, kept until released even if the descriptor is closed; null when it is not open.</summary>
    public Descriptor? Hold(int fd)
    {
        lock (_lock)
        {
            var found = fd >= 3 && fd - 3 < _open.Count ? _open[fd - 3] : null;
            found?.Acquire();
            return found;
        }
    }

    /// <summary>Closes a descriptor; what it referred to, or null.</summary>
    public Descriptor? Close(int fd)
    {
        lock (_lock)
        {
            if (fd < 3 || fd - 3 >= _open.Count)
            {
                return null;
            }

            var gone = _open[fd - 3];
            _open[fd - 3] = null;
            return gone;
        }
    }
}
