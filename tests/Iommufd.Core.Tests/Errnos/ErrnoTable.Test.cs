namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoTable
{
    private const string TestText = """
        IOMMU_TEST_CMD
          EOPNOTSUPP an unknown operation
        IOMMU_TEST_OP_ADD_RESERVED
          EINVAL length 0
          EOVERFLOW the range passes 2^64
          ENOENT no such IOAS
          EADDRINUSE something is mapped or allowed there
        IOMMU_TEST_OP_MOCK_DOMAIN
          ENOENT pt_id names nothing; its vIOMMU does not know the device
          EINVAL pt_id is no IOAS or HWPT; the HWPT does not suit the device
          EADDRINUSE a mapping does not fit the page size or the aperture; an allowed range lies outside of it
          EFAULT a page cannot be pinned
          ENOMEM the pages do not fit the limit of locked memory
        IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS
          EINVAL an unknown device flag; as MOCK_DOMAIN
          ENOENT as MOCK_DOMAIN
          EADDRINUSE as MOCK_DOMAIN
          EFAULT a page cannot be pinned
          ENOMEM the pages do not fit the limit of locked memory
        IOMMU_TEST_OP_MD_CHECK_MAP
          ENOENT no such paging HWPT
          EINVAL misaligned, or the address passes 2^64; a page is not the expected one
          EFAULT the memory to compare with is not there
        IOMMU_TEST_OP_MD_CHECK_REFS
          EINVAL misaligned, or the address passes 2^64
          EFAULT the memory is not there
          EIO a page is pinned another number of times
        IOMMU_TEST_OP_CREATE_ACCESS
          EOPNOTSUPP an unknown flag
          ENOMEM no descriptor is free
          ENOENT no such IOAS
          EADDRINUSE a pinning access, and a mapping that is not page aligned
        IOMMU_TEST_OP_DESTROY_ACCESS_PAGES
          EBADFD the descriptor is no access's
          ENOENT no such pin
        IOMMU_TEST_OP_ACCESS_PAGES
          ENOMEM more than 16 MiB; the limit of locked memory
          EOPNOTSUPP an unknown flag; an access that does not pin
          EBADFD the descriptor is no access's
          EINVAL length 0; not on whole pages; being unmapped; a dma-buf; pages that a file does not have
          EOVERFLOW the range passes 2^64
          ENOENT a part is not mapped
          EPERM the mapping does not allow it
          EFAULT a page cannot be pinned
          EBADE a page is not the expected one
        IOMMU_TEST_OP_ACCESS_RW
          ENOMEM more than 16 MiB
          EOPNOTSUPP an unknown flag
          EBADFD the descriptor is no access's
          EFAULT the caller's buffer, or the memory behind the mapping, is not there
          EINVAL length 0; being unmapped; a dma-buf; pages that a file does not have
          EOVERFLOW the range passes 2^64
          ENOENT a part is not mapped
          EPERM the mapping, or the memory behind it, does not allow it
        IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT
          EINVAL a limit below 12
        IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE
          ENOENT no such mock device; pt_id names nothing; its vIOMMU does not know the device
          EINVAL not attached; pt_id is no IOAS or HWPT; the HWPT does not suit the device
          EADDRINUSE as MOCK_DOMAIN
          EFAULT a page cannot be pinned
          ENOMEM the pages do not fit the limit of locked memory
        IOMMU_TEST_OP_ACCESS_REPLACE_IOAS
          EBADFD the descriptor is no access's
          ENOENT no such IOAS
          EADDRINUSE a mapping there is not page aligned
        IOMMU_TEST_OP_DIRTY
          EINVAL page size, length or address 0; misaligned; tracking is off
          EOVERFLOW more than 2^27 pages
          ENOENT no such paging HWPT
          EFAULT the bitmap cannot be read
        IOMMU_TEST_OP_MD_CHECK_IOTLB
          ENOENT no such nested HWPT
          EINVAL no such entry, or another value
        IOMMU_TEST_OP_TRIGGER_IOPF
          ENOENT no such DEVICE
        IOMMU_TEST_OP_DEV_CHECK_CACHE
          ENOENT no such DEVICE
          EINVAL no such entry, or another value
        IOMMU_TEST_OP_TRIGGER_VEVENT
          ENOENT no such DEVICE; it is not behind a vIOMMU, or has the number 0 there
          EOPNOTSUPP the vIOMMU has no queue for such events
        IOMMU_TEST_OP_PASID_ATTACH
          ENOENT no such mock device; pt_id names nothing; PASID 0: its vIOMMU does not know the device
          EINVAL pt_id is no HWPT that takes PASIDs; the device's own HWPT does not, or the PASID is too large
          EBUSY the PASID is attached
          ENOMEM PASID 0 to an IOAS: the pages do not fit the limit of locked memory
          EADDRINUSE PASID 0 to an IOAS: as MOCK_DOMAIN
          EFAULT PASID 0 to an IOAS: a page cannot be pinned
        IOMMU_TEST_OP_PASID_REPLACE
          ENOENT no such mock device; pt_id names nothing; PASID 0: its vIOMMU does not know the device
          EINVAL the PASID is not attached; pt_id is no HWPT that takes PASIDs
          ENOMEM PASID 1024, every second time; an IOAS: the limit of locked memory
          EADDRINUSE an IOAS, which is filled before the PASID is looked at: as MOCK_DOMAIN
          EFAULT an IOAS: a page cannot be pinned
        IOMMU_TEST_OP_PASID_DETACH
          ENOENT no such mock device
        IOMMU_TEST_OP_PASID_CHECK_HWPT
          ENOENT no such mock device; no such HWPT
          EINVAL the PASID is attached to something else, or to nothing
        IOMMU_TEST_OP_DMABUF_GET
          EINVAL length 0, or more than 512 pages
          EMFILE no descriptor is free
        IOMMU_TEST_OP_DMABUF_REVOKE
          EBADF the descriptor is not open
          EINVAL the descriptor is no dma-buf's
        """;
}
