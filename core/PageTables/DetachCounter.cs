using System.Runtime.InteropServices;

namespace Iommufd.Core.PageTables;

/// <summary>
/// A counter on cache lines of its own: readers of what lies beside it never wait for the writers that count.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 192)]
internal struct DetachCounter
{
    [FieldOffset(64)]
    private ulong _count;

    public DetachCounter() => _count = 1;

    /// <summary>The count; acquire, so that loads after it are not older.</summary>
    internal readonly ulong Current => Volatile.Read(in _count);

    /// <summary>Counts one; a full fence.</summary>
    internal void Bump() => Interlocked.Increment(ref _count);
}
