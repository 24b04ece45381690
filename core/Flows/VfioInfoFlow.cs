using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>
/// VFIO_IOMMU_GET_INFO (facts sheet B.22): page sizes, and two capabilities behind the struct: how many mappings are free (without
/// limit), and the usable IOVAs. What does not fit is left out, and said to be.
/// </summary>
public sealed class VfioInfoFlow(ContextCore context, Caller caller, VfioIommuGetInfo command) : Flow(context, caller)
{
    private const uint PageSizesValid = 1;
    private const uint CapabilitiesValid = 2;
    private const uint StructSize = 24;
    private const ushort IovaRangeCapability = 1;
    private const ushort DmaAvailCapability = 3;
    private const uint DmaAvailSize = 12;
    private const uint IovaRangeOffset = 40;
    private const uint IovaRangeHeader = 16;
    private const uint RangeSize = 16;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Context.CompatIoas is not { } compat || Get<IoasObject>(compat.Id) is not { } ioas)
        {
            Fail(Errno.ENODEV);
            yield break;
        }

        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: false);
        var sizes = ulong.MaxValue;
        foreach (var hwpt in ioas.Domains.ToArray())
        {
            var query = FlowWait.For(ParticipantKind.Hwpt, hwpt, QueryPageSizes.Instance);
            yield return query;
            sizes &= query.As<PageSizeBits>().Bits;
        }

        var usable = FlowWait.For(ParticipantKind.Ioas, ioas.Id, QueryRanges.Instance);
        yield return usable;
        var ranges = usable.As<UsableRanges>();
        if (!TryWriteDmaAvail() || !TryWriteIovaRanges(ranges.Ranges))
        {
            Fail(Errno.EFAULT);
            yield break;
        }

        var total = IovaRangeOffset + IovaRangeHeader + (RangeSize * (uint)ranges.Ranges.Count);
        Succeed(
            command with
            {
                ArgSz = total,
                Flags = PageSizesValid | CapabilitiesValid,
                IovaPgSizes = Math.Max(NoneBelowPage(sizes), ranges.Alignment),
                CapOffset = command.ArgSz >= total ? StructSize : 0,
            }
        );
    }

    // VFIO's clients cannot do with less than a page.
    private static ulong NoneBelowPage(ulong sizes) =>
        (sizes & HostPage.OffsetMask) == 0 ? sizes : (sizes & ~HostPage.OffsetMask) | HostPage.Size;

    private static void WriteHeader(Span<byte> bytes, ushort id, uint next)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, id);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[2..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], next);
    }

    private bool TryWriteDmaAvail()
    {
        if (command.ArgSz < StructSize + DmaAvailSize)
        {
            return true;
        }

        Span<byte> bytes = stackalloc byte[(int)DmaAvailSize];
        WriteHeader(bytes, DmaAvailCapability, command.ArgSz >= IovaRangeOffset ? IovaRangeOffset : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], uint.MaxValue);
        return Caller.Memory.TryWrite(unchecked(command.Argument + StructSize), bytes);
    }

    // Ranges are written as far as they fit, the header that tells how many only if all do.
    private bool TryWriteIovaRanges(IReadOnlyList<IovaRange> ranges)
    {
        Span<byte> bytes = stackalloc byte[(int)RangeSize];
        var at = IovaRangeOffset + IovaRangeHeader;
        foreach (var range in ranges)
        {
            if (command.ArgSz < at + RangeSize)
            {
                return true;
            }

            BinaryPrimitives.WriteUInt64LittleEndian(bytes, range.First);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], range.Last);
            if (!Caller.Memory.TryWrite(unchecked(command.Argument + at), bytes))
            {
                return false;
            }

            at += RangeSize;
        }

        if (command.ArgSz < at)
        {
            return true;
        }

        WriteHeader(bytes, IovaRangeCapability, next: 0);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], (uint)ranges.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], 0);
        return Caller.Memory.TryWrite(unchecked(command.Argument + IovaRangeOffset), bytes);
    }
}
