using System.Buffers.Binary;
using Iommufd.Messages.Commands;

namespace Iommufd.Messages.Abi;

/// <summary>
/// The rules that hold for every ioctl, in the kernel's order: which number is whose, how a struct of another size is
/// read, what of an answer is written. Pure but for the user memory; nothing is allocated but the record. Safe from
/// any thread.
/// </summary>
public static class IoctlCodec
{
    private const uint SetCloseOnExec = 0x5451;
    private const uint ClearCloseOnExec = 0x5450;
    private const uint SetNonBlocking = 0x5421;
    private const uint SetAsync = 0x5452;
    private const int TailChunk = 256;

    /// <summary>
    /// Decodes an ioctl on an iommufd. The order: a number that is not in iommufd's table goes to the VFIO commands, by
    /// its
    /// whole word, without a look at memory (ENOTTY); the size word cannot be read (EFAULT); a hole, or another type
    /// byte, direction or size in the command word (ENOTTY); a size below the minimum (EINVAL); a tail that is not zero
    /// (E2BIG); unreadable memory (EFAULT). A short struct is read as if zeros followed.
    /// </summary>
    public static IoctlCall Decode(IUserMemory memory, uint commandWord, ulong argument)
    {
        if (IsForAnyDescriptor(memory, commandWord, argument, out IoctlCall generic))
        {
            return generic;
        }

        byte number = (byte)commandWord;
        if (number is < IoctlTable.FirstNumber or > IoctlTable.LastNumber)
        {
            return DecodeVfio(memory, IoctlTable.ContainerCommand(number), commandWord, argument);
        }

        Span<byte> sizeWord = stackalloc byte[sizeof(uint)];
        if (!memory.TryRead(argument, sizeWord))
        {
            return IoctlCall.Fail(Errno.EFAULT);
        }

        uint callerSize = BinaryPrimitives.ReadUInt32LittleEndian(sizeWord);
        bool isTest = number == IoctlTable.TestNumber;
        IoctlDeclaration? declaration = isTest ? IoctlTable.TestCommand(0) : IoctlTable.OwnCommand(number);
        if (declaration is null || declaration.CommandWord != commandWord)
        {
            return IoctlCall.Fail(Errno.ENOTTY);
        }

        if (callerSize < (uint)declaration.MinSize)
        {
            return IoctlCall.Fail(Errno.EINVAL);
        }

        Span<byte> bytes = stackalloc byte[IoctlDeclaration.LargestStruct];
        bytes.Clear();
        Errno errno = ReadStruct(memory, argument, callerSize, bytes[..declaration.StructSize]);
        if (errno != Errno.OK)
        {
            return IoctlCall.Fail(errno);
        }

        if (isTest)
        {
            declaration = IoctlTable.TestCommand(BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]));
        }

        return IoctlCall.For(declaration.Load(bytes, argument), declaration, argument, callerSize);
    }

    /// <summary>
    /// Decodes an ioctl on a VFIO device, for the commands that iommufd is concerned with; ENOTTY for all others. Only
    /// the
    /// whole command word counts. EFAULT for unreadable memory, EINVAL for argsz below the minimum.
    /// </summary>
    public static IoctlCall DecodeDevice(IUserMemory memory, uint commandWord, ulong argument) =>
        IsForAnyDescriptor(memory, commandWord, argument, out IoctlCall generic)
            ? generic
            : DecodeVfio(memory, IoctlTable.DeviceCommand((byte)commandWord), commandWord, argument);

    /// <summary>
    /// Writes an answer over the caller's struct: what the caller's size and the command allow, whole members or cut.
    /// EFAULT where the struct cannot be written. Bytes that no member covers keep the caller's value.
    /// </summary>
    public static Errno WriteBack(IUserMemory memory, in IoctlCall call, IoctlCommand answer)
    {
        IoctlDeclaration declaration =
            call.Declaration ?? throw new ArgumentException("The call has no struct to write back.", nameof(call));
        int end = (int)Math.Min((uint)declaration.WriteBackEnd, call.CallerSize);
        if (end <= declaration.WriteBackStart)
        {
            return Errno.OK;
        }

        Span<byte> bytes = stackalloc byte[IoctlDeclaration.LargestStruct];
        bytes.Clear();
        if (!memory.TryRead(call.Argument, bytes[..end]))
        {
            return Errno.EFAULT;
        }

        declaration.Store(answer, bytes);
        return memory.TryWrite(call.Argument + (uint)declaration.WriteBackStart, bytes[declaration.WriteBackStart..end])
            ? Errno.OK
            : Errno.EFAULT;
    }

    /// <summary>
    /// Encodes a command as a caller would: the whole struct with its size word. For VFIO structs argsz is the record's
    /// own. Returns the bytes used; a command whose argument is a number uses none.
    /// </summary>
    public static int Encode(IoctlCommand command, Span<byte> destination)
    {
        IoctlDeclaration declaration = IoctlTable.Of(command);
        Span<byte> bytes = destination[..declaration.StructSize];
        bytes.Clear();
        if (declaration.Argument == IoctlArgument.SizedStruct)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)declaration.StructSize);
        }

        declaration.Store(command, bytes);
        return declaration.StructSize;
    }

    private static IoctlCall DecodeVfio(
        IUserMemory memory,
        IoctlDeclaration? declaration,
        uint commandWord,
        ulong argument
    )
    {
        if (declaration is null || declaration.CommandWord != commandWord)
        {
            return IoctlCall.Fail(Errno.ENOTTY);
        }

        Span<byte> bytes = stackalloc byte[IoctlDeclaration.LargestStruct];
        bytes.Clear();
        if (declaration.Argument == IoctlArgument.Value)
        {
            return IoctlCall.For(declaration.Load(bytes, argument), declaration, argument, 0);
        }

        if (!memory.TryRead(argument, bytes[..declaration.MinSize]))
        {
            return IoctlCall.Fail(Errno.EFAULT);
        }

        uint argsz = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (argsz < (uint)declaration.MinSize)
        {
            return IoctlCall.Fail(Errno.EINVAL);
        }

        Errno errno = ReadVfioExtension(memory, declaration, argument, argsz, bytes[..declaration.StructSize]);
        return errno == Errno.OK
            ? IoctlCall.For(declaration.Load(bytes, argument), declaration, argument, argsz)
            : IoctlCall.Fail(errno);
    }

    // What lies beyond the minimum: nothing for a command that has only outputs there, all that fits for BIND, the
    // member that a flag announces for ATTACH and DETACH (whether argsz covers it is then the command's own check).
    private static Errno ReadVfioExtension(
        IUserMemory memory,
        IoctlDeclaration declaration,
        ulong argument,
        uint argsz,
        Span<byte> bytes
    )
    {
        if (declaration.ChecksTail)
        {
            return ReadStruct(memory, argument, argsz, bytes);
        }

        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        bool extended = (flags & declaration.ExtensionFlag) != 0 && argsz >= (uint)declaration.StructSize;
        if (!extended)
        {
            return Errno.OK;
        }

        int min = declaration.MinSize;
        return memory.TryRead(argument + (uint)min, bytes[min..]) ? Errno.OK : Errno.EFAULT;
    }

    private static Errno ReadStruct(IUserMemory memory, ulong argument, uint callerSize, Span<byte> bytes)
    {
        uint known = (uint)bytes.Length;
        if (callerSize > known)
        {
            Errno errno = CheckZeroTail(memory, argument, known, callerSize);
            if (errno != Errno.OK)
            {
                return errno;
            }
        }

        return memory.TryRead(argument, bytes[..(int)Math.Min(known, callerSize)]) ? Errno.OK : Errno.EFAULT;
    }

    // Reads up to the first byte that is not zero, never across a page in one go: a non-zero byte before memory that
    // cannot be read is E2BIG.
    private static Errno CheckZeroTail(IUserMemory memory, ulong argument, uint from, uint to)
    {
        if (argument > ulong.MaxValue - to)
        {
            return Errno.EFAULT;
        }

        Span<byte> chunk = stackalloc byte[TailChunk];
        ulong address = argument + from;
        ulong end = argument + to;
        while (address < end)
        {
            ulong toPageEnd = HostPage.Size - (address & HostPage.OffsetMask);
            int count = (int)Math.Min(Math.Min(toPageEnd, TailChunk), end - address);
            if (!memory.TryRead(address, chunk[..count]))
            {
                return Errno.EFAULT;
            }

            if (chunk[..count].ContainsAnyExcept((byte)0))
            {
                return Errno.E2BIG;
            }

            address += (uint)count;
        }

        return Errno.OK;
    }

    // A few ioctls are every descriptor's, and never reach iommufd. iommufd has no signal-driven I/O to switch on.
    private static bool IsForAnyDescriptor(IUserMemory memory, uint commandWord, ulong argument, out IoctlCall call)
    {
        call = IoctlCall.Done();
        switch (commandWord)
        {
            case SetCloseOnExec:
            case ClearCloseOnExec:
                return true;
            case SetNonBlocking:
            case SetAsync:
                Span<byte> on = stackalloc byte[sizeof(int)];
                if (!memory.TryRead(argument, on))
                {
                    call = IoctlCall.Fail(Errno.EFAULT);
                }
                else if (commandWord == SetAsync && on.ContainsAnyExcept((byte)0))
                {
                    call = IoctlCall.Fail(Errno.ENOTTY);
                }

                return true;
            default:
                return false;
        }
    }
}
