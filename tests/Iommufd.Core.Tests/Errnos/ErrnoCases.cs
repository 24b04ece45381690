using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Core.Tests.Errnos;

/// <summary>
/// A case for each row of <see cref="ErrnoTable"/>, independent of the recorded traces. In parts: IOAS commands, HWPTs and vIOMMUs, the
/// selftest's operations, VFIO, and what drivers and doors call.
/// </summary>
public static partial class ErrnoCases
{
    /// <summary>The cases.</summary>
    public static IReadOnlyList<ErrnoCase> All { get; } =
    [
        .. Maps(),
        .. IoasCommands(),
        .. Hwpts(),
        .. Viommus(),
        .. MockDomains(),
        .. MockAccesses(),
        .. MockChecks(),
        .. VfioContainer(),
        .. Descriptors(),
        .. Devices(),
        .. VfioDevices(),
        .. DriverAccesses(),
        .. Entries(),
        .. Guests(),
    ];

    private static ErrnoCase Case(string command, Errno errno, string name, Func<ErrnoStage, IoctlCommand> arrange) =>
        new(command, errno, name, arrange);

    private static ErrnoCase Held(
        string command,
        Errno errno,
        string name,
        Func<SequentialStage, IoctlCommand> arrange
    ) => new(command, errno, name, s => arrange((SequentialStage)s)) { Sequential = true };
}
