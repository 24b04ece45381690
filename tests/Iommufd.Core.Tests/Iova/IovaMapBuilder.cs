using Iommufd.Core.Iova;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Iova;

/// <summary>Short ways to fill a map in tests.</summary>
internal static class IovaMapBuilder
{
    /// <summary>The selftest's mock domain: 2 KiB pages, 16 MiB to 2 GiB.</summary>
    public static IovaMap WithMockDomain()
    {
        var map = new IovaMap();
        Assert.Equal(Errno.OK, map.AddDomainAlignment(1, 2048));
        Assert.Equal(Errno.OK, map.Reserve(new IovaRange(0, 0xffffff), 1));
        Assert.Equal(Errno.OK, map.Reserve(new IovaRange(0x80000000, ulong.MaxValue), 1));
        return map;
    }

    public static Area Map(this IovaMap map, ulong first, ulong length, AreaState state = AreaState.Ready)
    {
        Assert.Equal(Errno.OK, map.PlaceFixed(first, length, out IovaRange range));
        var area = new Area { Range = range, State = state };
        map.Insert(area);
        return area;
    }

    /// <summary>Maps at an automatic IOVA and returns it.</summary>
    public static ulong MapAutomatic(this IovaMap map, ulong length, ulong hint)
    {
        Assert.Equal(Errno.OK, map.PlaceAutomatic(length, hint, out IovaRange range));
        Assert.Equal(length, range.Length);
        map.Insert(new Area { Range = range, StartByte = hint % 4096 });
        return range.First;
    }

    public static Errno TryAutomatic(this IovaMap map, ulong length, ulong hint) =>
        map.PlaceAutomatic(length, hint, out _);

    public static Errno TryFixed(this IovaMap map, ulong iova, ulong length) => map.PlaceFixed(iova, length, out _);

    public static void UnmapAll(this IovaMap map)
    {
        foreach (Area area in map.InOrder().ToList())
        {
            map.Remove(area);
        }
    }
}
