using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

/// <summary>
/// One whole ioctl: the generic rules, the command, the answer. Every door (binary ABI, trace player) goes through
/// here, so that all of them treat structs alike.
/// </summary>
public static class IoctlDoor
{
    /// <summary>
    /// Carries out an ioctl on an iommufd. The result's errno and return value are the caller's; its struct has been
    /// written already.
    /// </summary>
    /// <param name="memory">The calling process's memory.</param>
    /// <param name="executor">What carries out the command.</param>
    /// <param name="commandWord">The ioctl's 32-bit request.</param>
    /// <param name="argument">The ioctl's argument.</param>
    public static async Task<IoctlResult> CallAsync(
        IUserMemory memory,
        IIoctlExecutor executor,
        uint commandWord,
        ulong argument
    )
    {
        IoctlCall call = IoctlCodec.Decode(memory, commandWord, argument);
        return call.Command is null ? call.Early! : await FinishAsync(memory, executor, call).ConfigureAwait(false);
    }

    /// <summary>Carries out an ioctl on a VFIO device; otherwise as <see cref="CallAsync"/>.</summary>
    public static async Task<IoctlResult> CallDeviceAsync(
        IUserMemory memory,
        IIoctlExecutor executor,
        uint commandWord,
        ulong argument
    )
    {
        IoctlCall call = IoctlCodec.DecodeDevice(memory, commandWord, argument);
        return call.Command is null ? call.Early! : await FinishAsync(memory, executor, call).ConfigureAwait(false);
    }

    private static async Task<IoctlResult> FinishAsync(IUserMemory memory, IIoctlExecutor executor, IoctlCall call)
    {
        IoctlResult result = await executor.ExecuteAsync(call.Command!).ConfigureAwait(false);
        if (result.WriteBack is null || IoctlCodec.WriteBack(memory, call, result.WriteBack) == Errno.OK)
        {
            return result;
        }

        if (result.IsOk && call.Declaration!.UndoneByFault)
        {
            await executor.UndoAsync(call.Command!, result).ConfigureAwait(false);
        }

        return IoctlResult.Fail(Errno.EFAULT);
    }
}
