namespace Iommufd.Messages;

/// <summary>
/// A client's address space as the kernel's user-copy functions see it. Safe from any thread; a copy is not atomic.
/// </summary>
public interface IUserMemory
{
    /// <summary>Copies from user memory; false (EFAULT) when any byte cannot be read.</summary>
    bool TryRead(ulong address, Span<byte> destination);

    /// <summary>Copies to user memory; false (EFAULT) when any byte cannot be written. Bytes before the fault may be written.</summary>
    bool TryWrite(ulong address, ReadOnlySpan<byte> source);
}
