namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoTable
{
    private const string NativeText = """
        IOMMU_DESTROY
          ENOENT no object has the id: never made, not finished, going, or a tombstone
          EBUSY the object is in use; a DEVICE and an ACCESS always are
        IOMMU_IOAS_ALLOC
          EOPNOTSUPP flags is not 0
        IOMMU_IOAS_ALLOW_IOVAS
          EOPNOTSUPP the reserved word is not 0
          ENOENT no such IOAS
          EFAULT the array cannot be read
          EINVAL a range has start >= last, or overlaps an earlier one of the call
          EADDRINUSE a range overlaps a reserved range; the old list stays
        IOMMU_IOAS_COPY
          EOPNOTSUPP an unknown flag
          EOVERFLOW length or an IOVA is 2^64 - 1, or a range passes it; automatic IOVA: half the space or more
          EINVAL neither readable nor writeable; length 0; misaligned; reserved; no alignment for an automatic IOVA
          ENOENT no such IOAS; the source is not mapped without a gap
          EPERM writeable is asked of memory that was mapped read-only
          EEXIST the destination is mapped
          ENOSPC no room for an automatic IOVA
          EFAULT a page of the source cannot be pinned for the destination's domains
          ENOMEM the pages do not fit the limit of locked memory
        IOMMU_IOAS_IOVA_RANGES
          EOPNOTSUPP the reserved word is not 0
          ENOENT no such IOAS
          EFAULT the array cannot be written
          EMSGSIZE more ranges than the array takes; their number is written back
        IOMMU_IOAS_MAP
          EOPNOTSUPP an unknown flag, or the reserved word is not 0
          EOVERFLOW iova or length is 2^64 - 1; the address or the IOVA range passes 2^64
          EINVAL neither readable nor writeable; length 0; misaligned; reserved; no alignment for an automatic IOVA
          ENOENT no such IOAS
          EEXIST something is mapped there, or about to be
          ENOSPC no room for an automatic IOVA
          EFAULT a page cannot be pinned for the domains
          ENOMEM the pages do not fit the limit of locked memory
        IOMMU_IOAS_MAP_FILE
          EOPNOTSUPP an unknown flag
          EOVERFLOW iova or length is 2^64 - 1; the range of the file or the IOVA range passes 2^64
          EINVAL as MAP; beyond the end of a dma-buf; pages that a file does not have, where a domain wants them
          ENOENT no such IOAS
          EBADF the descriptor is not open
          ENODEV the dma-buf is revoked
          EEXIST something is mapped there, or about to be
          ENOSPC no room for an automatic IOVA
          ENOMEM the pages do not fit the limit of locked memory
        IOMMU_IOAS_UNMAP
          ENOENT no such IOAS; nothing is mapped there; a mapping reaches out of the range
          EOVERFLOW iova or length is 2^64 - 1 (but not 0 and 2^64 - 1), or the range passes it
          EINVAL length 0
          EBUSY a mapping is about to come or go, or a hardware queue is in it
          EDEADLK an access does not let go, a hundred times
        IOMMU_OPTION
          EOPNOTSUPP the reserved word, an unknown option or operation; RLIMIT_MODE of an object
          EPERM RLIMIT_MODE is set without CAP_SYS_RESOURCE
          EBUSY RLIMIT_MODE is set while any object exists
          EINVAL a value above 1; HUGE_PAGES 0 with a domain and a mapping
          ENOENT HUGE_PAGES: no such IOAS
          EADDRINUSE HUGE_PAGES 0: a mapping is not page aligned
        IOMMU_VFIO_IOAS
          EOPNOTSUPP the reserved word, or an unknown operation
          ENODEV GET: none is set
          ENOENT SET: no such IOAS
        IOMMU_HWPT_ALLOC
          EOPNOTSUPP reserved; a flag the parent's kind does not take; no data for a nested one; data of an unknown kind
          EINVAL data without a type or a type without data; pt_id is nothing that takes a HWPT; data too short, too long or senseless
          EIO SMMUv3: an illegal stream table entry
          ENOENT no such DEVICE; no such fault queue
          EADDRINUSE a mapping does not fit the page size or the aperture; an allowed range lies outside of it
          EFAULT the data cannot be read; a page cannot be pinned
          ENOMEM the pages do not fit the limit of locked memory
        IOMMU_GET_HW_INFO
          EOPNOTSUPP an unknown flag, a reserved byte; a type that the device does not have
          ENOENT no such DEVICE
          EFAULT the buffer cannot be written
        IOMMU_HWPT_SET_DIRTY_TRACKING
          EOPNOTSUPP an unknown flag; the HWPT does not track
          ENOENT no such paging HWPT
        IOMMU_HWPT_GET_DIRTY_BITMAP
          EOPNOTSUPP an unknown flag, the reserved word; the HWPT does not track
          ENOENT no such paging HWPT
          EOVERFLOW the range passes 2^64; length 0 with an IOVA
          EINVAL iova or length is not a multiple of the alignment or of the page size; page size 0
        IOMMU_HWPT_INVALIDATE
          EOPNOTSUPP the reserved word; an entry's unknown flag
          EINVAL an array without address or entry length, with too long or too many entries; another kind of object; a bad entry
          ENOENT no such object
          EFAULT an entry cannot be read
          E2BIG an entry for a vIOMMU has a tail that is not 0
          EIO SMMUv3: a command that a guest may not send
        IOMMU_FAULT_QUEUE_ALLOC
          EOPNOTSUPP flags is not 0
          EMFILE no descriptor is free
        IOMMU_VIOMMU_ALLOC
          EOPNOTSUPP flags is not 0; type 0 or one that the device's driver does not have
          ENOENT no such DEVICE; no such paging HWPT
          EINVAL the HWPT is no nesting parent; data too short or too long
          EFAULT the data cannot be read or written
        IOMMU_VDEVICE_ALLOC
          ENOENT no such vIOMMU; no such DEVICE
          EEXIST the device has a vDEVICE; the number is taken
          EINVAL the device is behind another unit
        IOMMU_IOAS_CHANGE_PROCESS
          EOPNOTSUPP the reserved word is not 0
          EINVAL something mapped is not a file
          EBUSY a mapping is about to come or go
          ENOMEM the new owner's limit does not take the pages
        IOMMU_VEVENTQ_ALLOC
          EOPNOTSUPP flags, the reserved word, or type 0
          EINVAL a depth of 0 or above 2^19
          ENOENT no such vIOMMU
          EEXIST the vIOMMU has a queue of the type
          EMFILE no descriptor is free
        IOMMU_HW_QUEUE_ALLOC
          EOPNOTSUPP flags is not 0; type 0 or one that the driver does not have
          EINVAL length 0; the mapping is being unmapped, or a dma-buf's; a number above the last
          EOVERFLOW the range passes 2^64
          ENOENT no such vIOMMU; a page is not mapped
          ERANGE the whole pages of the range do not fit 64 bits
          ENOMEM more pages than an array takes
          EADDRINUSE a mapping of the IOAS is not page aligned
          EPERM the mapping is not readable
          EFAULT the pages do not follow each other in memory
          EEXIST the number is taken
          EIO the number before is free
        """;
}
