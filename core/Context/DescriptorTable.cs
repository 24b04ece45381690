namespace Iommufd.Core.Context;

/// <summary>What a descriptor refers to.</summary>
public abstract record Descriptor
{
    /// <summary>The number of the context, where it is a descriptor of an iommufd.</summary>
    public virtual int? IommufdContext => null;

    /// <summary>The number of the context that it goes with: an iommufd's, or one of the files that an iommufd made.</summary>
    public virtual int? HeldContext => null;

    /// <summary>Keeps what it refers to, for a call that is using it.</summary>
    public virtual void Acquire() { }

    /// <summary>Lets go of it: the call is over, or the descriptor was closed.</summary>
    public virtual void Release() { }
}

/// <summary>A descriptor of an open /dev/iommu.</summary>
/// <param name="Number">The context's number.</param>
public sealed record IommufdDescriptor(int Number) : Descriptor
{
    /// <inheritdoc/>
    public override int? IommufdContext => Number;

    /// <inheritdoc/>
    public override int? HeldContext => Number;
}

/// <summary>A descriptor of an access (selftest CREATE_ACCESS).</summary>
/// <param name="Context">The context's number.</param>
/// <param name="AccessId">The ACCESS id.</param>
public sealed record AccessDescriptor(int Context, uint AccessId) : Descriptor
{
    /// <inheritdoc/>
    public override int? HeldContext => Context;
}

/// <summary>A descriptor of a fault queue.</summary>
/// <param name="Context">The context's number.</param>
/// <param name="FaultId">The FAULT id.</param>
public sealed record FaultDescriptor(int Context, uint FaultId) : Descriptor
{
    /// <inheritdoc/>
    public override int? HeldContext => Context;
}

/// <summary>A descriptor of a vIOMMU's event queue.</summary>
/// <param name="Context">The context's number.</param>
/// <param name="VeventqId">The VEVENTQ id.</param>
public sealed record VeventqDescriptor(int Context, uint VeventqId) : Descriptor
{
    /// <inheritdoc/>
    public override int? HeldContext => Context;
}

/// <summary>
/// The open descriptors of a process, possibly shared with its children: lowest free number from 3 (the first three are its standard
/// streams). Thread-safe.
/// </summary>
public sealed class DescriptorTable
{
    /// <summary>The first number that is given out.</summary>
    public const int First = 3;

    /// <summary>What an open is answered with that would pass the limit.</summary>
    public const int None = -1;

    private readonly Lock _lock = new();
    private readonly List<Descriptor?> _open = [];

    /// <summary>Opens a descriptor; <see cref="None"/> where the lowest free number is not below the limit (EMFILE).</summary>
    public int Open(Descriptor descriptor, ulong limit = ulong.MaxValue)
    {
        lock (_lock)
        {
            var free = _open.IndexOf(null);
            free = free < 0 ? _open.Count : free;
            if ((ulong)free + First >= limit)
            {
                return None;
            }

            if (free == _open.Count)
            {
                _open.Add(null);
            }

            _open[free] = descriptor;
            return free + First;
        }
    }

    /// <summary>Takes a number that nobody can use yet, for a file that is still being made; <see cref="None"/> as <see cref="Open"/>.</summary>
    public int Reserve(ulong limit) => Open(Reserved.Instance, limit);

    /// <summary>The file behind a reserved number is made.</summary>
    public void Install(int fd, Descriptor descriptor)
    {
        lock (_lock)
        {
            Invariant.Holds(_open[fd - First] is Reserved, "a descriptor is installed where one was reserved");
            _open[fd - First] = descriptor;
        }
    }

    /// <summary>What a descriptor refers to; null when it is not open.</summary>
    public Descriptor? Find(int fd)
    {
        lock (_lock)
        {
            return At(fd);
        }
    }

    /// <summary>What a descriptor refers to, kept until released even if the descriptor is closed; null when it is not open.</summary>
    public Descriptor? Hold(int fd)
    {
        lock (_lock)
        {
            var found = At(fd);
            found?.Acquire();
            return found;
        }
    }

    /// <summary>Closes a descriptor; what it referred to, or null.</summary>
    public Descriptor? Close(int fd)
    {
        lock (_lock)
        {
            var gone = At(fd);
            if (gone is not null)
            {
                _open[fd - First] = null;
            }

            return gone;
        }
    }

    /// <summary>Gives a reserved number back: its file could not be made.</summary>
    public void Cancel(int fd)
    {
        lock (_lock)
        {
            Invariant.Holds(_open[fd - First] is Reserved, "a descriptor is cancelled where one was reserved");
            _open[fd - First] = null;
        }
    }

    /// <summary>Closes every descriptor that meets a condition; what they referred to, by number.</summary>
    public IReadOnlyList<Descriptor> CloseAll(Predicate<Descriptor> which)
    {
        lock (_lock)
        {
            var gone = new List<Descriptor>();
            for (var i = 0; i < _open.Count; i++)
            {
                if (_open[i] is { } open and not Reserved && which(open))
                {
                    gone.Add(open);
                    _open[i] = null;
                }
            }

            return gone;
        }
    }

    private Descriptor? At(int fd) =>
        fd >= First && fd - First < _open.Count && _open[fd - First] is not Reserved ? _open[fd - First] : null;

    private sealed record Reserved : Descriptor
    {
        public static readonly Reserved Instance = new();
    }
}
