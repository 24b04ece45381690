using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Pages;

/// <summary>
/// A dma-buf: device memory in one contiguous run, which its exporter can revoke. Revoking takes it from every importer
/// for good; after it is allowed again, only new imports work. Safe from any thread.
/// </summary>
public sealed class Dmabuf : IMappableFile
{
    private readonly PhysicalMemory _physical;

    private readonly SortedSet<int> _importers = [];

    /// <summary>Guards the importers and the four fields below; nothing is called with it held but the frame table.</summary>
    private readonly Lock _state = new();
    private int _references = 1;
    private int _livePins;
    private uint _revocations;
    private volatile bool _revoked;

    /// <summary>Makes a buffer; the caller (its descriptor) holds the first reference.</summary>
    /// <param name="physical">Where its run comes from.</param>
    /// <param name="length">Bytes, at least 1; rounded up to pages.</param>
    public Dmabuf(PhysicalMemory physical, ulong length)
    {
        ArgumentNullException.ThrowIfNull(physical);
        ArgumentOutOfRangeException.ThrowIfZero(length);
        _physical = physical;
        ulong pages = ((length - 1) >> HostPage.Shift) + 1;
        Run = new PfnRun(physical.AllocateContiguous(pages), pages);
    }

    /// <summary>Makes a buffer of a run that is known (a replay); the caller holds the first reference.</summary>
    public Dmabuf(PhysicalMemory physical, PfnRun run)
    {
        ArgumentNullException.ThrowIfNull(physical);
        _physical = physical;
        Run = run;
    }

    /// <inheritdoc/>
    public uint Number { get; init; }

    /// <summary>The frames.</summary>
    public PfnRun Run { get; }

    /// <summary>Size in bytes, whole pages.</summary>
    public ulong Size => Run.Count << HostPage.Shift;

    /// <summary>Whether the exporter refuses imports now.</summary>
    public bool IsRevoked => _revoked;

    /// <summary>
    /// Revokes the buffer, or allows imports again. Either way every import made so far is revoked: nothing is filled from it any
    /// more. Its pin stays until <see cref="EndRevocation"/>.
    /// </summary>
    /// <returns>How many imports were revoked.</returns>
    public int BeginRevocation(bool revoked)
    {
        lock (_state)
        {
            int imports = _livePins;
            _livePins = 0;
            _revocations++;
            _revoked = revoked;
            return imports;
        }
    }

    /// <summary>The revoked imports' pins go: every context has unmapped them from all its domains.</summary>
    /// <param name="imports">How many were revoked.</param>
    public void EndRevocation(int imports)
    {
        lock (_state)
        {
            for (; imports > 0; imports--)
            {
                _physical.Unpin(Run.First);
            }
        }
    }

    /// <summary>Both at once, for who has no domain.</summary>
    public void SetRevoked(bool revoked) => EndRevocation(BeginRevocation(revoked));

    /// <summary>A context is about to import it; it is asked to clear its domains at each revocation from now on.</summary>
    public void AddImporter(int context)
    {
        lock (_state)
        {
            _importers.Add(context);
        }
    }

    /// <summary>The contexts that import it, or did, but one, lowest number first.</summary>
    public IReadOnlyList<int> ImportersBut(int context)
    {
        lock (_state)
        {
            return [.. _importers.Where(i => i != context)];
        }
    }

    /// <summary>Adds a reference (another descriptor).</summary>
    public void Acquire()
    {
        lock (_state)
        {
            _references++;
        }
    }

    /// <summary>Drops a reference; the last one frees the run.</summary>
    public void Release()
    {
        lock (_state)
        {
            _references--;
            if (_references < 0)
            {
                throw new InvalidOperationException("a dma-buf is released more often than acquired");
            }

            if (_references == 0)
            {
                _physical.Release(Run.First);
            }
        }
    }

    /// <summary>Imports the buffer: takes a reference and a pin. False (ENODEV) while it is revoked.</summary>
    internal bool TryImport(out uint revocations)
    {
        lock (_state)
        {
            revocations = _revocations;
            if (_revoked)
            {
                return false;
            }

            _references++;
            _livePins++;
            _physical.Pin(Run.First);
            return true;
        }
    }

    /// <summary>Whether an import has been revoked since.</summary>
    internal bool IsStale(uint revocations) => Volatile.Read(ref _revocations) != revocations;

    /// <summary>Ends an import.</summary>
    internal void EndImport(uint revocations)
    {
        lock (_state)
        {
            if (_revocations == revocations)
            {
                _livePins--;
                _physical.Unpin(Run.First);
            }
        }

        Release();
    }
}
