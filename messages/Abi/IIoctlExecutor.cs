using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

/// <summary>
/// What carries out decoded ioctls for one descriptor and one calling process. The other side of <see
/// cref="IoctlDoor"/>.
/// </summary>
public interface IIoctlExecutor
{
    /// <summary>
    /// Carries out a command. Arrays and payloads behind user pointers are read and written by the executor itself,
    /// through the caller's <see cref="IUserMemory"/>; the struct is the door's business.
    /// </summary>
    /// <exception cref="NotSupportedException">The executor does not implement the command.</exception>
    Task<IoctlResult> ExecuteAsync(IoctlCommand command);

    /// <summary>
    /// Takes back a command that succeeded, because its answer could not be written to the caller (EFAULT). Called only
    /// for commands whose declaration says so: those that made an object, an attachment or a descriptor.
    /// </summary>
    /// <param name="command">The command as it was executed.</param>
    /// <param name="result">What <see cref="ExecuteAsync"/> answered.</param>
    Task UndoAsync(IoctlCommand command, IoctlResult result);
}
