using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>
/// HWPT_INVALIDATE (facts sheet B.15): of a nested HWPT's IOTLB, or of the caches of a vIOMMU's devices. The number of entries done is
/// written back whatever happens. As an entry can only zero words, those before the first bad one are collected and done at once.
/// </summary>
public sealed partial class InvalidateFlow(ContextCore context, Caller caller, HwptInvalidate command)
    : Flow(context, caller)
{
    private const uint MaxEntries = 1u << 19;
    private const int NestedEntry = 8;
    private const int ViommuEntry = 12;
    private const uint All = 1;
    private const uint Words = 4;
    private const uint AllWords = (1u << (int)Words) - 1;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Reserved != 0)
        {
            End(Errno.EOPNOTSUPP, 0);
            return Nothing();
        }

        if (
            command.EntryNum != 0
            && (
                command.DataUptr == 0
                || command.EntryLen == 0
                || command.EntryLen > HostPage.Size
                || command.EntryNum > MaxEntries
            )
        )
        {
            End(Errno.EINVAL, 0);
            return Nothing();
        }

        switch (Get<ContextObject>(command.HwptId))
        {
            case null:
                End(Errno.ENOENT, 0);
                return Nothing();
            case NestedHwptObject nested when TakesVtd(nested):
                return InvalidateVtd(nested);
            case ViommuObject viommu when TakesArmCommands(viommu):
                return InvalidateByCommands(viommu);
            case NestedHwptObject or ViommuObject when command.DataType != InvalidateDataType.Selftest:
                End(Errno.EINVAL, 0);
                return Nothing();
            case NestedHwptObject nested:
                return InvalidateNested(nested);
            case ViommuObject viommu:
                return InvalidateViommu(viommu);
            default:
                End(Errno.EINVAL, 0);
                return Nothing();
        }
    }

    private static IEnumerator<FlowWait> Nothing()
    {
        yield break;
    }

    private static Errno Decode(uint flags, uint word, out uint mask)
    {
        mask = 0;
        if ((flags & ~All) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (word >= Words)
        {
            return Errno.EINVAL;
        }

        mask = flags == All ? AllWords : 1u << (int)word;
        return Errno.OK;
    }

    private void End(Errno errno, uint done) => Result = new IoctlResult(errno, 0, command with { EntryNum = done });

    private IEnumerator<FlowWait> InvalidateNested(NestedHwptObject nested)
    {
        var errno = ReadNested(out var mask, out var done);
        if (mask != 0)
        {
            yield return FlowWait.For(ParticipantKind.NestedHwpt, nested.Id, new ZeroWords(mask));
            Events.Add(new IotlbInvalidated(nested.Id, mask));
            if (nested.Iommu.Index >= 0 && mask == AllWords)
            {
                foreach (var wait in Forget(nested, [IovaRange.All]))
                {
                    yield return wait;
                }
            }
        }

        End(errno, done);
    }

    private Errno ReadNested(out uint mask, out uint done)
    {
        mask = 0;
        Span<byte> entry = stackalloc byte[NestedEntry];
        for (done = 0; done < command.EntryNum; done++)
        {
            if (command.EntryLen != NestedEntry)
            {
                return Errno.EINVAL;
            }

            if (!Caller.Memory.TryRead(unchecked(command.DataUptr + ((ulong)done * NestedEntry)), entry))
            {
                return Errno.EFAULT;
            }

            var errno = Decode(
                BinaryPrimitives.ReadUInt32LittleEndian(entry),
                BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]),
                out var bits
            );
            if (errno != Errno.OK)
            {
                return errno;
            }

            mask |= bits;
        }

        return Errno.OK;
    }

    private IEnumerator<FlowWait> InvalidateViommu(ViommuObject viommu)
    {
        // The whole array is copied before anything is done: a fault in it means that nothing was.
        if (ReadViommu(out var entries) is var bad && bad != Errno.OK)
        {
            End(bad, 0);
            yield break;
        }

        yield return FlowWait.ForLock(viommu.Lock, exclusive: false);
        var numbers = entries.Select(e => (ulong)e.VirtId).Distinct().ToArray();
        var find = FlowWait.For(ParticipantKind.Viommu, viommu.Id, new FindDevices(numbers));
        yield return find;
        var found = find.As<DevicesFound>().DeviceIds;
        var devices = numbers.Zip(found).ToDictionary(p => p.First, p => p.Second);
        var masks = new SortedDictionary<uint, uint>();
        var errno = Collect(entries, devices, masks, out var done);
        if (masks.Count > 0)
        {
            yield return FlowWait.ForAll(
                [
                    .. masks.Select(m => new FlowAsk(
                        new Participant(ParticipantKind.Device, m.Key),
                        new ZeroWords(m.Value)
                    )),
                ]
            );
            Events.Add(new CachesInvalidated([.. masks.Keys], [.. masks.Values]));
        }

        End(errno, done);
    }

    private static Errno Collect(
        List<(uint Flags, uint VirtId, uint Word)> entries,
        Dictionary<ulong, uint> devices,
        SortedDictionary<uint, uint> masks,
        out uint done
    )
    {
        done = 0;
        foreach (var (flags, virtId, word) in entries)
        {
            var errno = Decode(flags, word, out var mask);
            var device = devices[virtId];
            if (errno == Errno.OK && device == 0)
            {
                errno = Errno.EINVAL;
            }

            if (errno != Errno.OK)
            {
                return errno;
            }

            masks[device] = masks.GetValueOrDefault(device) | mask;
            done++;
        }

        return Errno.OK;
    }

    private Errno ReadViommu(out List<(uint Flags, uint VirtId, uint Word)> entries)
    {
        entries = [];
        var length = (int)command.EntryLen;
        var entry = new byte[Math.Max(length, ViommuEntry)];
        for (var i = 0u; i < command.EntryNum; i++)
        {
            if (
                !Caller.Memory.TryRead(
                    unchecked(command.DataUptr + ((ulong)i * command.EntryLen)),
                    entry.AsSpan(0, length)
                )
            )
            {
                return Errno.EFAULT;
            }

            if (entry.AsSpan(ViommuEntry).ContainsAnyExcept((byte)0))
            {
                return Errno.E2BIG;
            }

            entries.Add(
                (
                    BinaryPrimitives.ReadUInt32LittleEndian(entry),
                    BinaryPrimitives.ReadUInt32LittleEndian(entry.AsSpan(4)),
                    BinaryPrimitives.ReadUInt32LittleEndian(entry.AsSpan(8))
                )
            );
        }

        return Errno.OK;
    }
}
