using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

/// <summary>
/// One ioctl after the generic rules: either a command to carry out or, where <see cref="Command"/> is null, the
/// result that the rules alone gave.
/// </summary>
public readonly struct IoctlCall
{
    private IoctlCall(
        IoctlCommand? command,
        IoctlResult? early,
        IoctlDeclaration? declaration,
        ulong argument,
        uint callerSize
    )
    {
        Command = command;
        Early = early;
        Declaration = declaration;
        Argument = argument;
        CallerSize = callerSize;
    }

    /// <summary>The command to carry out.</summary>
    public IoctlCommand? Command { get; }

    /// <summary>The result, where there is no command to carry out.</summary>
    public IoctlResult? Early { get; }

    /// <summary>The declaration of the command.</summary>
    public IoctlDeclaration? Declaration { get; }

    /// <summary>The ioctl's argument: for most commands the address of the struct.</summary>
    public ulong Argument { get; }

    /// <summary>What the caller gave as size or argsz, in bytes: an answer never writes past it.</summary>
    public uint CallerSize { get; }

    internal static IoctlCall Fail(Errno errno) => new(null, IoctlResult.Fail(errno), null, 0, 0);

    internal static IoctlCall Done() => new(null, IoctlResult.Success, null, 0, 0);

    internal static IoctlCall For(
        IoctlCommand command,
        IoctlDeclaration declaration,
        ulong argument,
        uint callerSize
    ) => new(command, null, declaration, argument, callerSize);
}
