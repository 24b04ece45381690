namespace Iommufd.Messages;

/// <summary>
/// The errors a command can end with, by their Linux names; the value is the x86-64 errno number.
/// <see cref="OK"/> (0) is success.
/// </summary>
public enum Errno
{
    /// <summary>Success.</summary>
    OK = 0,

    /// <summary>Operation not permitted.</summary>
    EPERM = 1,

    /// <summary>No such object, area or mapping.</summary>
    ENOENT = 2,

    /// <summary>Interrupted by a signal.</summary>
    EINTR = 4,

    /// <summary>Input or output error.</summary>
    EIO = 5,

    /// <summary>No such device or address.</summary>
    ENXIO = 6,

    /// <summary>Argument too big: a struct tail that this kernel does not know is not zero.</summary>
    E2BIG = 7,

    /// <summary>Bad descriptor.</summary>
    EBADF = 9,

    /// <summary>Try again.</summary>
    EAGAIN = 11,

    /// <summary>Out of memory, or over the locked-memory limit.</summary>
    ENOMEM = 12,

    /// <summary>Permission denied.</summary>
    EACCES = 13,

    /// <summary>Bad user address.</summary>
    EFAULT = 14,

    /// <summary>Object in use.</summary>
    EBUSY = 16,

    /// <summary>Exists already.</summary>
    EEXIST = 17,

    /// <summary>No such device.</summary>
    ENODEV = 19,

    /// <summary>Invalid argument.</summary>
    EINVAL = 22,

    /// <summary>Too many open files in the system.</summary>
    ENFILE = 23,

    /// <summary>Too many open files in the process.</summary>
    EMFILE = 24,

    /// <summary>Unknown command.</summary>
    ENOTTY = 25,

    /// <summary>No room left: no free IOVA range fits.</summary>
    ENOSPC = 28,

    /// <summary>Descriptor cannot seek, or a record count that is not whole.</summary>
    ESPIPE = 29,

    /// <summary>Result out of range.</summary>
    ERANGE = 34,

    /// <summary>An operation would wait for ever.</summary>
    EDEADLK = 35,

    /// <summary>Bad exchange: the pages pinned are not the ones expected.</summary>
    EBADE = 52,

    /// <summary>Value too large: an address range passes 2^64 - 1.</summary>
    EOVERFLOW = 75,

    /// <summary>Descriptor in a bad state or of the wrong kind.</summary>
    EBADFD = 77,

    /// <summary>Message too long: the caller's array is too small.</summary>
    EMSGSIZE = 90,

    /// <summary>Operation not supported: unknown flags, non-zero reserved fields.</summary>
    EOPNOTSUPP = 95,

    /// <summary>Address in use: a reservation meets an area or an allowed range.</summary>
    EADDRINUSE = 98,

    /// <summary>Timed out.</summary>
    ETIMEDOUT = 110,
}
