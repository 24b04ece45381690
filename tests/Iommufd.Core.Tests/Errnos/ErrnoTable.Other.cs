namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoTable
{
    private const string OtherText = """
        (no such command)
          EFAULT a hole in the table of numbers, and the size cannot be read
          ENOTTY a number that is no command, another type byte, a direction or a size in the word
        VFIO_CHECK_EXTENSION
          ENODEV DMA_CC_IOMMU without a compatibility IOAS
        VFIO_SET_IOMMU
          EINVAL another type than 1 and 3; type 1 with a domain and a mapping
          ENODEV no compatibility IOAS
          EADDRINUSE type 1: a mapping is not page aligned
        VFIO_IOMMU_GET_INFO
          ENODEV no compatibility IOAS
          EFAULT a capability cannot be written
        VFIO_IOMMU_MAP_DMA
          EINVAL an unknown flag; size 0; misaligned; reserved; no direction, where a domain is to map it
          ENODEV no compatibility IOAS
          EOVERFLOW the address or the IOVA range passes 2^64
          EEXIST something is mapped there, or about to be
          EFAULT a page cannot be pinned for the domains
          ENOMEM the pages do not fit the limit of locked memory
        VFIO_IOMMU_UNMAP_DMA
          EINVAL an unknown flag; a range with ALL; size 0; a cut that an access or the alignment forbids
          ENODEV no compatibility IOAS
          ENOENT a mapping reaches out of the range
          EOVERFLOW the range passes 2^64
          EBUSY a mapping is about to come or go, or a hardware queue is in it
          EOPNOTSUPP a cut through a dma-buf
          EDEADLK an access does not let go, a hundred times
        VFIO_IOMMU_DIRTY_PAGES
          ENOTTY always: the type 1 driver's own tracking is not offered
        VFIO_DEVICE_GET_INFO
          EINVAL the device is not bound
          ENOTTY of a bound device: simulated ones have neither regions nor interrupts to tell of
        VFIO_DEVICE_BIND_IOMMUFD
          EINVAL an unknown flag; iommufd < 0; this open, or another one of the device, is bound; a token
          EBADF the iommufd is not open
          EBADFD the descriptor is no iommufd's
          ENODEV the device was removed
          EBUSY a driver has the device, or another context one of its group
        VFIO_DEVICE_ATTACH_IOMMUFD_PT
          EINVAL not bound; an unknown flag; PASID without room for it; as AttachDevice and ReplaceDevice
          ENOSPC a PASID above 2^31 - 1
          ENOENT pt_id names nothing
          EBUSY PASID 0, the device itself, which is attached without the flag, or the other way round
          EADDRINUSE a mapping or an allowed range is in the way of the aperture or of the device's reserved regions
          EFAULT a page cannot be pinned
          ENOMEM the pages do not fit the limit of locked memory
        VFIO_DEVICE_DETACH_IOMMUFD_PT
          EINVAL not bound; an unknown flag; PASID without room for it
        OpenVfioDevice
          EMFILE no descriptor is free
          ENOENT no such device on the machine
        DuplicateVfioDevice
          EBADF the descriptor is not open, or no VFIO device's
          EMFILE no descriptor is free
        CloseVfioDevice
          EBADF the descriptor is not open, or no VFIO device's
        UnbindVfioDevice
          ENOENT no DEVICE that is bound through VFIO
        ReadFaultQueue
          ESPIPE the count is not a multiple of a record
          EINVAL the first group does not fit
          EFAULT the buffer cannot be written
          ENOENT no such fault queue
        WriteFaultQueue
          ESPIPE the count is not a multiple of a response
          EINVAL an unknown code, or a cookie that waits for nothing
          EFAULT the responses cannot be read
          ENOENT no such fault queue
        PollFaultQueue
          ENOENT no such fault queue
        CloseFaultQueue
          ENOENT no such fault queue, or its descriptor is closed
        ReadVeventq
          EINVAL less than a header, or the first event does not fit
          EFAULT the buffer cannot be written
          ENOENT no such event queue
        PollVeventq
          ENOENT no such event queue
        CloseVeventq
          ENOENT no such event queue, or its descriptor is closed
        MapWindow
          EINVAL no whole pages, or a private mapping
          EPERM an executable mapping
          ENXIO no window is exactly there
        UnmapWindow
          EINVAL nothing is mapped there
        BindDevice
          ENODEV no such device on the machine
          EBUSY the device, or one of its group, belongs to another context or is bound
        UnbindDevice
          ENOENT no such DEVICE, or a mock device's
          EBUSY the device is bound through VFIO
        AttachDevice
          ENOENT no such DEVICE; pt_id names nothing
          EINVAL pt_id is no IOAS or HWPT; another HWPT than the group's; a HWPT that does not suit the device
          EBUSY the device is attached, or bound through VFIO
          EADDRINUSE a mapping or an allowed range is in the way of the aperture or of the device's reserved regions
          EFAULT a page cannot be pinned
          ENOMEM the pages do not fit the limit of locked memory
        ReplaceDevice
          ENOENT no such DEVICE; pt_id names nothing
          EINVAL not attached; pt_id is no IOAS or HWPT; a HWPT that does not suit the device
          EBUSY the device is bound through VFIO
          EADDRINUSE a mapping or an allowed range is in the way of the aperture or of the device's reserved regions
          EFAULT a page cannot be pinned
          ENOMEM the pages do not fit the limit of locked memory
        DetachDevice
          ENOENT no such DEVICE
          EBUSY the device is bound through VFIO
        CreateAccess
          ENOENT no such IOAS
          EADDRINUSE a pinning access, and a mapping that is not page aligned
        ReplaceAccessIoas
          ENOENT no such ACCESS or IOAS
          EADDRINUSE a mapping there is not page aligned
        DestroyAccess
          ENOENT no such ACCESS
        PinAccessPages
          ENOENT no such ACCESS; a part is not mapped
          EOPNOTSUPP an access that does not pin
          EINVAL length 0; not on whole pages; being unmapped; a dma-buf; pages that a file does not have
          EOVERFLOW the range passes 2^64
          EPERM the mapping does not allow it
          EFAULT a page cannot be pinned
          ENOMEM the pages do not fit the limit of locked memory
        UnpinAccessPages
          ENOENT no such ACCESS or pin
        ReadWriteAccess
          ENOENT no such ACCESS; a part is not mapped
          EINVAL length 0; being unmapped; a dma-buf; pages that a file does not have
          EOVERFLOW the range passes 2^64
          EPERM the mapping, or the memory behind it, does not allow it
          EFAULT the memory is not there
        SetAllowedRanges
          ENOENT no such IOAS
          EADDRINUSE a range overlaps a reserved range
        AllocatePagingHwpt
          ENOENT no such DEVICE
          EINVAL pt_id is no IOAS
          EOPNOTSUPP a flag that the device does not take; an unknown table
          EADDRINUSE as HWPT_ALLOC
          EFAULT a page cannot be pinned
          ENOMEM the pages do not fit the limit of locked memory
        RequestPages
          ENOENT no such DEVICE
          EOPNOTSUPP no fault queue takes requests of the device; no address
        ReportDmaFault
          ENOENT no such DEVICE; no vIOMMU knows it
          EOPNOTSUPP the vIOMMU has no event queue
        SetEntryPolicy
          EOPNOTSUPP an unknown policy
          ENOENT no such object
          EINVAL neither an IOAS nor a paging HWPT
        ResizeEntries
          EINVAL length 0; a page size that the table does not have, or that the range is no multiple of
          EOVERFLOW the range passes 2^64
          ENOENT no such paging HWPT
        AllocateSharedHwpt
          EOPNOTSUPP another flag than PASID
          ENOENT no such DEVICE
          EBADF the descriptor is not open
          EINVAL the descriptor is no virtual machine's, or its table is none that the device's unit walks
        """;
}
