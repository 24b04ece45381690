namespace Iommufd.Messages.Commands;

/// <summary>
/// The argument struct of one ioctl, decoded. Sender: a client, through a door. Receiver: the context that the
/// descriptor stands for. The record holds every member of the struct, inputs and outputs alike, because the kernel
/// copies whole structs back: an answer is the same record with its outputs filled in.
/// </summary>
public abstract record IoctlCommand;

/// <summary>How one ioctl ended.</summary>
/// <param name="Errno"><see cref="Errno.OK"/> or the error.</param>
/// <param name="ReturnValue">The call's return value when it succeeded: 0 for most commands.</param>
/// <param name="WriteBack">
/// The struct to copy back to the caller, or null when the command writes nothing (most errors). Some commands write
/// back with an error too (IOVA_RANGES with EMSGSIZE, HWPT_INVALIDATE, VFIO UNMAP_DMA).
/// </param>
public sealed record IoctlResult(Errno Errno, long ReturnValue, IoctlCommand? WriteBack)
{
    /// <summary>Success that writes nothing back.</summary>
    public static readonly IoctlResult Success = new(Errno.OK, 0, null);

    /// <summary>A failure that writes nothing back.</summary>
    public static IoctlResult Fail(Errno errno) => new(errno, 0, null);

    /// <summary>Success, with the struct to copy back.</summary>
    public static IoctlResult Ok(IoctlCommand writeBack) => new(Errno.OK, 0, writeBack);

    /// <summary>Whether the call succeeded.</summary>
    public bool IsOk => Errno == Errno.OK;
}
