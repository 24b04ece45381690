using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Core.Tests.MemoryCommands;

public sealed class HwInfoTests : MemoryFixture
{
    private readonly TestMockDomainFlags _device;

    public HwInfoTests() => _device = Mock(Ioas(), MockDeviceFlags.Pasid);

    private GetHwInfo Good =>
        new()
        {
            DevId = _device.OutIdevId,
            DataLen = 8,
            DataUptr = Scratch,
        };

    [Fact]
    public void Errors_come_in_the_kernels_order()
    {
        var all = Good with { Flags = (HwInfoFlags)2, DevId = 99, DataUptr = Nowhere, DataType = 5 };
        Refuses(Errno.EOPNOTSUPP, all);
        Refuses(Errno.EOPNOTSUPP, all with { Flags = HwInfoFlags.None, Reserved = 0x10000 });
        all = all with { Flags = HwInfoFlags.InputType };
        Refuses(Errno.ENOENT, all);
        all = all with { DevId = _device.OutIdevId };
        Refuses(Errno.EOPNOTSUPP, all);
        Refuses(Errno.EFAULT, all with { DataType = HwInfoType.Selftest });
    }

    [Fact]
    public void The_type_is_looked_at_only_with_its_flag() =>
        Assert.Equal(HwInfoType.Selftest, Do(Good with { DataType = 5 }).DataType);

    [Fact]
    public void A_short_buffer_gets_what_fits_and_a_long_one_zeros()
    {
        Client.Memory.TryWrite(Scratch, Enumerable.Repeat((byte)0xee, 16).ToArray());
        Assert.Equal(8u, Do(Good with { DataLen = 6 }).DataLen);
        Assert.Equal([0, 0, 0, 0, 0xef, 0xbe, 0xee, 0xee], Bytes(Scratch, 8));
        Do(Good with { DataLen = 12 });
        Assert.Equal([0xef, 0xbe, 0xad, 0xde, 0, 0, 0, 0, 0xee], Bytes(Scratch + 4, 9));
    }

    [Fact]
    public void Capabilities_and_PASIDs_are_those_of_the_device()
    {
        var plain = Mock(Ioas(), MockDeviceFlags.NoDirty);
        var info = Do(Good);
        Assert.Equal(
            (20, HwCapabilities.DirtyTracking | HwCapabilities.PciAtsNotSupported),
            (info.OutMaxPasidLog2, info.OutCapabilities)
        );
        info = Do(Good with { DevId = plain.OutIdevId });
        Assert.Equal((0, HwCapabilities.PciAtsNotSupported), (info.OutMaxPasidLog2, info.OutCapabilities));
    }
}
