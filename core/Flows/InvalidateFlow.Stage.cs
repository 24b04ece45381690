using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

// What the scenario units' guests send: VT-d's ranges for a nested HWPT, SMMUv3's commands for a vIOMMU. The devices' IOTLBs forget
// before the command is answered.
public sealed partial class InvalidateFlow
{
    private const int VtdEntry = 24;
    private const int ArmEntry = 16;
    private const uint LeafOnly = 1;

    private bool TakesVtd(NestedHwptObject nested) =>
        nested.Iommu is { Index: >= 0, Format: IoPageTableFormat.VtdSecondStage }
        && command.DataType == InvalidateDataType.VtdS1;

    private bool TakesArmCommands(ViommuObject viommu) =>
        viommu.Iommu is { Index: >= 0, Format: IoPageTableFormat.ArmV8Lpae4K }
        && command.DataType == InvalidateDataType.ViommuArmSmmuV3;

    private IEnumerator<FlowWait> InvalidateVtd(NestedHwptObject nested)
    {
        var ranges = new List<IovaRange>();
        var errno = ReadVtd(ranges, out var done);
        foreach (var wait in Forget(nested, ranges))
        {
            yield return wait;
        }

        End(errno, done);
    }

    // First page, pages (all ones: everything), flags, a reserved half word.
    private Errno ReadVtd(List<IovaRange> ranges, out uint done)
    {
        Span<byte> entry = stackalloc byte[VtdEntry];
        for (done = 0; done < command.EntryNum; done++)
        {
            if (command.EntryLen != VtdEntry)
            {
                return Errno.EINVAL;
            }

            if (!Caller.Memory.TryRead(unchecked(command.DataUptr + ((ulong)done * VtdEntry)), entry))
            {
                return Errno.EFAULT;
            }

            var first = BinaryPrimitives.ReadUInt64LittleEndian(entry);
            var pages = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            var flags = BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]);
            if ((flags & ~LeafOnly) != 0 || BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]) != 0)
            {
                return Errno.EOPNOTSUPP;
            }

            if ((first & HostPage.OffsetMask) != 0 || (pages == ulong.MaxValue && first != 0))
            {
                return Errno.EINVAL;
            }

            if (pages != 0)
            {
                ranges.Add(PagesFrom(first, pages));
            }
        }

        return Errno.OK;
    }

    private static IovaRange PagesFrom(ulong first, ulong pages) =>
        pages > (ulong.MaxValue - first) >> HostPage.Shift
            ? new IovaRange(first, ulong.MaxValue)
            : new IovaRange(first, first + (pages << HostPage.Shift) - 1);

    private IEnumerator<FlowWait> InvalidateByCommands(ViommuObject viommu)
    {
        var ranges = new List<IovaRange>();
        var errno = ReadCommands(ranges, out var done);
        if (ranges.Count > 0)
        {
            // Every nested HWPT of the vIOMMU: its guest has one IOMMU.
            var hwpts = Context.Objects.Live.OfType<NestedHwptObject>().Where(h => h.Viommu == viommu).ToArray();
            foreach (var nested in hwpts)
            {
                foreach (var wait in Forget(nested, ranges))
                {
                    yield return wait;
                }
            }
        }

        End(errno, done);
    }

    // Of addresses only the ones by VA say which; the others forget everything, which is always allowed.
    private Errno ReadCommands(List<IovaRange> ranges, out uint done)
    {
        const byte configurationOfOne = 0x05;
        const byte configurationOfAll = 0x06;
        const byte all = 0x10;
        const byte ofAddressSpace = 0x11;
        const byte address = 0x12;
        const byte addressOfAll = 0x13;
        const byte nonSecureAll = 0x30;
        const byte deviceCache = 0x40;
        Span<byte> entry = stackalloc byte[ArmEntry];
        for (done = 0; done < command.EntryNum; done++)
        {
            if (command.EntryLen != ArmEntry)
            {
                return Errno.EINVAL;
            }

            if (!Caller.Memory.TryRead(unchecked(command.DataUptr + ((ulong)done * ArmEntry)), entry))
            {
                return Errno.EFAULT;
            }

            var operand = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            switch (entry[0])
            {
                case address or addressOfAll:
                    ranges.Add(PagesFrom(operand & ~HostPage.OffsetMask, 1));
                    break;
                case configurationOfOne or configurationOfAll or all or ofAddressSpace or nonSecureAll or deviceCache:
                    ranges.Add(IovaRange.All);
                    break;
                default:
                    return Errno.EIO;
            }
        }

        return Errno.OK;
    }

    // One group after the other: its lock is held while its devices forget, so that none of them is attached or leaves meanwhile.
    private IEnumerable<FlowWait> Forget(NestedHwptObject nested, IReadOnlyList<IovaRange> ranges)
    {
        foreach (var group in ranges.Count == 0 ? [] : Context.Groups.ToArray())
        {
            yield return FlowWait.ForLock(group.Lock, exclusive: false);
            var asks = group
                .Attachments.Where(a => ReferenceEquals(a.Value.Hwpt, nested))
                .SelectMany(a =>
                    a.Value.Devices.Select(device => new FlowAsk(
                        new Participant(ParticipantKind.Device, device),
                        new ForgetTranslations(a.Key == 0 ? null : a.Key, ranges)
                    ))
                )
                .ToArray();
            if (asks.Length > 0)
            {
                yield return FlowWait.ForAll(asks);
            }

            Release(group.Lock);
        }
    }
}
