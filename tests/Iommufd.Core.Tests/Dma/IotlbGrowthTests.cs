using Iommufd.Core.Dma;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Dma;

/// <summary>An IOTLB gets its sets one by one while few are used: nothing that it answers may depend on that.</summary>
public sealed class IotlbGrowthTests
{
    private const ulong Page = 0x1000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void An_IOTLB_that_grows_set_by_set_answers_as_one_that_has_all_its_sets(int seed)
    {
        var growing = new Iotlb(IotlbGeometry.Default);
        var whole = new Iotlb(IotlbGeometry.Default);
        Fill(growing, 0);
        Fill(whole, 0);
        for (var i = 0; i < 2_000; i++)
        {
            // Who looks so often has all sets from then on.
            whole.TryFind(0, 0, out _);
        }

        var random = new Random(seed);
        var spread = seed % 2 == 0 ? 7 : 40;
        for (var i = 0; i < 800; i++)
        {
            var iova = (ulong)random.Next(0, 5) * 64 * Page + (ulong)random.Next(0, spread) * Page;
            switch (random.Next(0, 4))
            {
                case 0:
                    Fill(growing, iova);
                    Fill(whole, iova);
                    break;
                case 1 when random.Next(0, 8) == 0:
                    var range = new IovaRange(iova, iova + (3 * Page) - 1);
                    Assert.Equal(whole.Invalidate(range), growing.Invalidate(range));
                    break;
                default:
                    Assert.Equal(Look(whole, iova), Look(growing, iova));
                    break;
            }

            Assert.Equal(whole.Count, growing.Count);
        }
    }

    private static (IotlbResult, ulong) Look(Iotlb iotlb, ulong iova)
    {
        var result = iotlb.TryFind(0, iova, out var index);
        return (result, index < 0 ? 0 : iotlb.At(index).PagePhysical);
    }

    private static void Fill(Iotlb iotlb, ulong iova) =>
        iotlb.Fill(0, iova, new IopteTranslation(iova + 0x1_0000_0000, 12, IoptePermissions.Read, false));
}
