// Commands on tables that devices share with a CPU, which no kernel has: docs/decisions/0006-kvm-shared-table.md.
namespace Iommufd.Messages.Commands;

/// <summary>
/// Makes a HWPT of a virtual machine's second-stage table. EOPNOTSUPP for another flag than PASID, ENOENT no such DEVICE, EBADF the
/// descriptor is not open, EINVAL it is no virtual machine's, or of a format that the device's unit does not walk.
/// </summary>
/// <param name="DeviceId">The DEVICE that will use it.</param>
/// <param name="GuestFd">The virtual machine's descriptor.</param>
/// <param name="Flags">Pasid or none.</param>
/// <param name="OutHwptId">The HWPT.</param>
public sealed record AllocateSharedHwpt(
    uint DeviceId,
    int GuestFd,
    HwptAllocFlags Flags = HwptAllocFlags.None,
    uint OutHwptId = 0
) : DriverCommand;

/// <summary>Replay: the same where there is no virtual machine; the table stays empty.</summary>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="Flags">As recorded.</param>
/// <param name="Format">The table's format, as a number.</param>
public sealed record AllocateKnownSharedHwpt(uint DeviceId, HwptAllocFlags Flags, uint Format) : DriverCommand;
