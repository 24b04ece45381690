using System.Buffers.Binary;
using System.Numerics;
using Iommufd.Core.Context;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>GET_HW_INFO (facts sheet B.12, additions A.8).</summary>
public sealed class HwInfoFlow(ContextCore context, Caller caller, GetHwInfo command) : Flow(context, caller)
{
    private const int LargestZeroing = 4096;
    private const uint MockRegister = 0xdeadbeef;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if ((command.Flags & ~HwInfoFlags.InputType) != 0 || command.Reserved != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        if (Get<DeviceObject>(command.DevId) is not { } device)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        var traits = device.Traits;
        var (type, data) = Describe(traits);
        var asked = command.Flags.HasFlag(HwInfoFlags.InputType) ? command.DataType : HwInfoType.Default;
        if (asked != HwInfoType.Default && asked != type)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        if (!TryCopyOut(data))
        {
            Fail(Errno.EFAULT);
            yield break;
        }

        Succeed(
            command with
            {
                DataLen = (uint)data.Length,
                DataType = type,
                OutMaxPasidLog2 = (byte)BitOperations.Log2(Math.Max(1, traits.MaxPasids)),
                OutCapabilities =
                    HwCapabilities.PciAtsNotSupported
                    | (traits.DirtyTracking ? HwCapabilities.DirtyTracking : HwCapabilities.None),
            }
        );
    }

    // What a unit's driver tells: registers of hardware that has what the simulated unit has.
    private static (uint Type, byte[] Data) Describe(DeviceTraits traits)
    {
        if (traits.Iommu.Index < 0)
        {
            return (HwInfoType.Selftest, Words(0, MockRegister));
        }

        return traits.Iommu.Format switch
        {
            IoPageTableFormat.VtdSecondStage => (HwInfoType.IntelVtd, Words(0, 0, 0, 0, 0, 0)),
            IoPageTableFormat.AmdV1 => (HwInfoType.Amd, Words(0, 0, 0, 0)),
            IoPageTableFormat.ArmV8Lpae4K => (HwInfoType.ArmSmmuV3, Words(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
            _ => (HwInfoType.None, []),
        };
    }

    private static byte[] Words(params ReadOnlySpan<uint> words)
    {
        var bytes = new byte[words.Length * sizeof(uint)];
        for (var i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint)), words[i]);
        }

        return bytes;
    }

    // The information cut to the caller's buffer; the rest of a larger buffer becomes zeros.
    private bool TryCopyOut(byte[] data)
    {
        var copied = (int)Math.Min((uint)data.Length, command.DataLen);
        if (!Caller.Memory.TryWrite(command.DataUptr, data.AsSpan(0, copied)))
        {
            return false;
        }

        var zeros = new byte[Math.Min(LargestZeroing, command.DataLen - (uint)copied)];
        for (var done = (ulong)copied; done < command.DataLen; done += (ulong)zeros.Length)
        {
            var count = (int)Math.Min((ulong)zeros.Length, command.DataLen - done);
            if (!Caller.Memory.TryWrite(unchecked(command.DataUptr + done), zeros.AsSpan(0, count)))
            {
                return false;
            }
        }

        return true;
    }
}
