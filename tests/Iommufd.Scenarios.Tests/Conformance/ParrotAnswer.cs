using System.Buffers.Binary;
using System.Text.Json;
using Iommufd.Messages;
using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Conformance;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>Turns the recorded answer of a step into the result of an ioctl, payloads included.</summary>
internal static class ParrotAnswer
{
    private const ulong StructAddress = 0x1000;

    public static IoctlResult To(ParrotKernel kernel, PagedMemory memory, IoctlCommand command)
    {
        TraceStep step = kernel.Step!;
        MustNotBeGeneric(kernel.Ret, step, command);
        WritePayload(step, memory, command);
        int descriptor =
            kernel.Ret == Errno.OK && step.Out.TryGetProperty("handle", out _) ? kernel.NewDescriptor() : 0;
        IoctlCommand answer = Filled(step, command, descriptor);
        bool writes =
            kernel.Ret == Errno.OK
            || command is HwptInvalidate or VfioIommuUnmapDma
            || (command is IoasIovaRanges && kernel.Ret == Errno.EMSGSIZE);
        long value = command is TestDmabufGet ? descriptor : step.ReturnValue ?? 0;
        return new IoctlResult(kernel.Ret, kernel.Ret == Errno.OK ? value : 0, writes ? answer : null);
    }

    // What the size rules alone decide never reaches a kernel. VFIO's DIRTY_PAGES is refused by the command; entries of a
    // vIOMMU invalidation have size rules of their own.
    private static void MustNotBeGeneric(Errno errno, TraceStep step, IoctlCommand command)
    {
        IoctlDeclaration declaration = IoctlTable.Of(command);
        bool sized = declaration.Argument == IoctlArgument.SizedStruct;
        bool tooSmall =
            sized
            && step.In.TryGetProperty("size", out JsonElement size)
            && ParrotKernel.Number(size) < (ulong)declaration.MinSize;
        bool badArgument = sized && step.In.TryGetProperty("arg", out _);
        bool badTail = errno == Errno.E2BIG && command is not HwptInvalidate;
        bool unknown = errno == Errno.ENOTTY && command is not VfioIommuDirtyPages;
        if (tooSmall || badArgument || badTail || unknown)
        {
            throw new InvalidOperationException($"{errno} is the codec's to find.");
        }
    }

    // Through bytes, because the record's members are found by their uAPI names.
    private static IoctlCommand Filled(TraceStep step, IoctlCommand command, int descriptor)
    {
        IoctlDeclaration declaration = IoctlTable.Of(command);
        if (declaration.Argument == IoctlArgument.Value || step.Op == "RAW_IOCTL")
        {
            return step.Op == "RAW_IOCTL" ? FromArena(step, declaration, command) : command;
        }

        var bytes = new byte[IoctlDeclaration.LargestStruct];
        IoctlCodec.Encode(command, bytes);
        foreach (StructField field in declaration.Fields)
        {
            if (field.Name.EndsWith("_fd", StringComparison.Ordinal) && field.Direction == FieldDirection.Out)
            {
                field.Store(bytes, (ulong)descriptor);
            }
            else if (step.Out.TryGetProperty(field.Name, out JsonElement value))
            {
                field.Store(bytes, ParrotKernel.Number(value));
            }
        }

        return Decode(declaration, bytes) switch
        {
            VfioIommuGetInfo info => info with { CapOffset = step.Out.GetProperty("cap_offset").GetUInt32() },
            IoctlCommand other => other,
        };
    }

    private static IoctlCommand FromArena(TraceStep step, IoctlDeclaration declaration, IoctlCommand command)
    {
        byte[] arena = Convert.FromHexString(step.Out.GetProperty("arena").GetString()!);
        var bytes = new byte[IoctlDeclaration.LargestStruct];
        arena.CopyTo(bytes, 0);
        return step.Ret == "OK" && declaration.StructSize <= arena.Length ? Decode(declaration, bytes) : command;
    }

    private static IoctlCommand Decode(IoctlDeclaration declaration, byte[] bytes)
    {
        if (declaration.Argument == IoctlArgument.VfioStruct)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(
                bytes,
                Math.Max(BinaryPrimitives.ReadUInt32LittleEndian(bytes), 32)
            );
        }

        var memory = new PagedMemory();
        memory.Map(StructAddress, HostPage.Size);
        memory.TryWrite(StructAddress, bytes);
        return IoctlCodec.Decode(memory, declaration.CommandWord, StructAddress).Command!;
    }

    private static void WritePayload(TraceStep step, PagedMemory memory, IoctlCommand command)
    {
        switch (command)
        {
            case IoasIovaRanges ranges when !step.In.TryGetProperty("allowed_iovas", out _):
                WriteRanges(step, memory, ranges.AllowedIovas);
                break;
            case GetHwInfo info when !step.In.TryGetProperty("data_uptr", out _):
                Write(memory, info.DataUptr, step.Out.GetProperty("data"));
                break;
            case ViommuAlloc viommu when step.Out.TryGetProperty("data", out JsonElement data) && viommu.DataUptr != 0:
                Write(memory, viommu.DataUptr, data);
                break;
            case HwptGetDirtyBitmap bitmap when step.Out.TryGetProperty("bitmap", out JsonElement bits):
                Write(memory, bitmap.Data, bits);
                break;
            case TestAccessRw access when step.Out.TryGetProperty("data", out JsonElement read):
                Write(memory, access.Uptr, read);
                break;
            case VfioIommuGetInfo vfio:
                Write(memory, vfio.Argument, step.Out.GetProperty("raw"));
                break;
            default:
                break;
        }
    }

    private static void WriteRanges(TraceStep step, PagedMemory memory, ulong address)
    {
        Span<byte> range = stackalloc byte[16];
        foreach (JsonElement pair in step.Out.GetProperty("ranges").EnumerateArray())
        {
            BinaryPrimitives.WriteUInt64LittleEndian(range, ParrotKernel.Number(pair[0]));
            BinaryPrimitives.WriteUInt64LittleEndian(range[8..], ParrotKernel.Number(pair[1]));
            memory.TryWrite(address, range);
            address += 16;
        }
    }

    private static void Write(PagedMemory memory, ulong address, JsonElement hex) =>
        memory.TryWrite(address, Convert.FromHexString(hex.GetString()!));
}
