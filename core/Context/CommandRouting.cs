using Iommufd.Messages.Commands;

namespace Iommufd.Core.Context;

/// <summary>Which context a command is for, where that is not the one whose descriptor it was called on.</summary>
public static class CommandRouting
{
    /// <summary>
    /// The context that a command belongs to; null for the one it was called on. The selftest's commands on an access's descriptor
    /// work in the context of that access, through whichever iommufd they come.
    /// </summary>
    public static int? ContextOf(Caller caller, IoctlCommand command) =>
        AccessOf(command) is { } fd && caller.Descriptors.Find(fd) is AccessDescriptor access ? access.Context : null;

    private static int? AccessOf(IoctlCommand command) =>
        command switch
        {
            TestAccessPages c => c.AccessFd,
            TestDestroyAccessPages c => c.AccessFd,
            TestAccessRw c => c.AccessFd,
            TestAccessReplaceIoas c => c.AccessFd,
            _ => null,
        };
}
