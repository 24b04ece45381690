namespace Iommufd.Messages.Events;

/// <summary>A HWPT was made of a virtual machine's table. What is in the table belongs to the machine, not to the context.</summary>
/// <param name="HwptId">The HWPT.</param>
/// <param name="DeviceId">For which device.</param>
/// <param name="Flags">As in the command.</param>
/// <param name="Format">The table's format.</param>
public sealed record SharedHwptAllocated(uint HwptId, uint DeviceId, uint Flags, uint Format) : ContextEvent;
