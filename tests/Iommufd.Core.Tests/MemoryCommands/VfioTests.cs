using System.Buffers.Binary;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Core.Tests.MemoryCommands;

public sealed class VfioTests : MemoryFixture
{
    private readonly uint _ioas;

    public VfioTests()
    {
        _ioas = Ioas();
        Do(new VfioIoas { Op = VfioIoasOp.Set, IoasId = _ioas });
    }

    private static VfioIommuMapDma Map4 =>
        new()
        {
            ArgSz = 32,
            Flags = VfioMapFlags.Read | VfioMapFlags.Write,
            Vaddr = Buffer,
            Iova = Iova,
            Size = 0x4000,
        };

    [Fact]
    public void The_compat_IOAS_is_set_read_cleared_and_goes_with_its_IOAS()
    {
        Refuses(Errno.EOPNOTSUPP, new VfioIoas { Op = 3, Reserved = 0 });
        Refuses(Errno.EOPNOTSUPP, new VfioIoas { Op = VfioIoasOp.Get, Reserved = 1 });
        Refuses(Errno.ENOENT, new VfioIoas { Op = VfioIoasOp.Set, IoasId = 99 });
        Assert.Equal(_ioas, Do(new VfioIoas { Op = VfioIoasOp.Get }).IoasId);
        Do(new VfioIoas { Op = VfioIoasOp.Clear });
        Do(new VfioIoas { Op = VfioIoasOp.Clear });
        Refuses(Errno.ENODEV, new VfioIoas { Op = VfioIoasOp.Get });
        Do(new VfioIoas { Op = VfioIoasOp.Set, IoasId = _ioas });
        Do(new Destroy { Id = _ioas });
        Refuses(Errno.ENODEV, new VfioIoas { Op = VfioIoasOp.Get });
    }

    [Fact]
    public void Without_a_compat_IOAS_everything_that_needs_it_is_ENODEV()
    {
        Do(new VfioIoas { Op = VfioIoasOp.Clear });
        Refuses(Errno.ENODEV, new VfioSetIommu { Type = VfioExtension.Type1 });
        Refuses(Errno.ENODEV, new VfioIommuGetInfo { ArgSz = 24 });
        Refuses(Errno.ENODEV, Map4);
        Refuses(Errno.ENODEV, new VfioIommuUnmapDma { ArgSz = 24, Size = 0x1000 });
        Refuses(Errno.ENODEV, new VfioCheckExtension { Extension = VfioExtension.DmaCcIommu });
        Assert.Equal(0, Value(new VfioGetApiVersion()));
        Refuses(Errno.ENOTTY, new VfioIommuDirtyPages());
    }

    [Theory]
    [InlineData(VfioExtension.Type1, 1)]
    [InlineData(VfioExtension.Type1V2, 1)]
    [InlineData(VfioExtension.UnmapAll, 1)]
    [InlineData(VfioExtension.DmaCcIommu, 1)]
    [InlineData(VfioExtension.Type1Nesting, 0)]
    [InlineData(VfioExtension.NoIommu, 0)]
    [InlineData(VfioExtension.UpdateVaddr, 0)]
    [InlineData(77ul, 0)]
    public void Extensions_are_known_or_not(ulong extension, long expected) =>
        Assert.Equal(expected, Value(new VfioCheckExtension { Extension = extension }));

    [Fact]
    public void A_mock_domain_is_not_coherent()
    {
        Mock(_ioas);
        Assert.Equal(0, Value(new VfioCheckExtension { Extension = VfioExtension.DmaCcIommu }));
    }

    [Fact]
    public void Type_1_of_version_1_disables_large_pages_and_meets_their_errors()
    {
        Refuses(Errno.EINVAL, new VfioSetIommu { Type = VfioExtension.NoIommu });
        Do(MapCommand(_ioas, length: 0x800));
        Refuses(Errno.EADDRINUSE, new VfioSetIommu { Type = VfioExtension.Type1 });
        Do(new VfioSetIommu { Type = VfioExtension.Type1V2 });
        Do(new IoasUnmap { IoasId = _ioas, Length = ulong.MaxValue });
        Do(new VfioSetIommu { Type = VfioExtension.Type1 });
        Assert.Equal(new LargePagesSet(_ioas, Enabled: false), Context.Events[^1]);
    }

    [Fact]
    public void A_map_checks_less_than_IOAS_MAP_does()
    {
        Refuses(Errno.EINVAL, Map4 with { Flags = (VfioMapFlags)4 });
        Refuses(Errno.EOVERFLOW, Map4 with { Vaddr = ulong.MaxValue, Size = 2 });
        Refuses(Errno.EINVAL, Map4 with { Size = 0 });
        Do(Map4 with { Flags = VfioMapFlags.None });
        Refuses(Errno.EEXIST, Map4);
        Refuses(Errno.EINVAL, new TestMockDomain { PtId = _ioas });
    }

    [Fact]
    public void An_unmap_of_nothing_succeeds_with_size_0()
    {
        Assert.Equal(0ul, Do(Unmap(Iova, 0x1000)).Size);
        Assert.Equal(0ul, Do(new VfioIommuUnmapDma { Flags = VfioUnmapFlags.All }).Size);
        Refuses(Errno.EINVAL, new VfioIommuUnmapDma { Flags = VfioUnmapFlags.All, Size = 1 });
        Refuses(Errno.EINVAL, Unmap(Iova, 0));
        Refuses(Errno.EOVERFLOW, Unmap(Iova, ulong.MaxValue));
        Refuses(Errno.EINVAL, new VfioIommuUnmapDma { Flags = VfioUnmapFlags.GetDirtyBitmap });
    }

    [Fact]
    public void An_unmap_that_fails_tells_how_much_is_gone()
    {
        Do(Map4);
        Do(Map4 with { Iova = Iova + 0x4000 });
        var result = Context.Execute(Client, Unmap(Iova, 0x5000));
        Assert.Equal(Errno.ENOENT, result.Errno);
        Assert.Equal(0x4000ul, ((VfioIommuUnmapDma)result.WriteBack!).Size);
    }

    [Fact]
    public void With_large_pages_an_unmap_cuts_nothing()
    {
        Do(Map4);
        Refuses(Errno.ENOENT, Unmap(Iova, 0x1000));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Version_1_cuts_areas_at_both_ends(bool withDomains)
    {
        Do(new VfioSetIommu { Type = VfioExtension.Type1 });
        if (withDomains)
        {
            Paging(Mock(_ioas).OutIdevId, _ioas, HwptAllocFlags.None);
        }

        Do(Map4 with { Size = 0x8000 });
        Assert.Equal(0x3000ul, Do(Unmap(Iova + 0x2000, 0x3000)).Size);
        CheckInvariants();
        if (withDomains)
        {
            Do(
                new TestMdCheckRefs
                {
                    Uptr = Buffer,
                    Length = 0x2000,
                    Refs = 1,
                }
            );
            Do(
                new TestMdCheckRefs
                {
                    Uptr = Buffer + 0x2000,
                    Length = 0x3000,
                    Refs = 0,
                }
            );
            Do(
                new TestMdCheckRefs
                {
                    Uptr = Buffer + 0x5000,
                    Length = 0x3000,
                    Refs = 1,
                }
            );
        }

        Assert.Equal(
            0x2000ul,
            Do(
                new IoasUnmap
                {
                    IoasId = _ioas,
                    Iova = Iova,
                    Length = 0x2000,
                }
            ).Length
        );
        Assert.Equal(0x3000ul, Do(new IoasUnmap { IoasId = _ioas, Length = ulong.MaxValue }).Length);
    }

    [Fact]
    public void A_cut_that_fails_ends_the_call_without_writing_back()
    {
        Do(new VfioSetIommu { Type = VfioExtension.Type1 });
        Do(Map4);
        var access = Do(new CreateAccess(_ioas, NeedsPinPages: true)).OutAccessId;
        Do(new PinAccessPages(access, Iova, 0x1000, Write: false));
        var result = Context.Execute(Client, Unmap(Iova + 0x2000, 0x1000));
        Assert.Equal((Errno.EINVAL, null), (result.Errno, result.WriteBack));
        Do(new DestroyAccess(access));
    }

    [Fact]
    public void A_dma_buf_cannot_be_cut()
    {
        Do(new VfioSetIommu { Type = VfioExtension.Type1 });
        Do(MapFileCommand(_ioas, Dmabuf()));
        Refuses(Errno.EOPNOTSUPP, Unmap(Iova, 0x1000));
    }

    [Fact]
    public void Information_is_complete_in_a_large_buffer()
    {
        Mock(_ioas);
        var info = Do(new VfioIommuGetInfo { Argument = Scratch, ArgSz = 72 });
        Assert.Equal((72u, 3u, 24u), (info.ArgSz, info.Flags, info.CapOffset));
        Assert.Equal(0x1000ul, info.IovaPgSizes & 0x1fff);
        Assert.Equal<uint>([3 | (1 << 16), 40, uint.MaxValue, 0, 1 | (1 << 16), 0, 1, 0], InfoWords(24, 8));
        Assert.Equal(Iova, BinaryPrimitives.ReadUInt64LittleEndian(Bytes(Scratch + 56, 8)));
    }

    [Fact]
    public void Without_a_domain_every_page_size_from_a_page_on_is_offered() =>
        Assert.Equal(~0xffful, Do(new VfioIommuGetInfo { Argument = Scratch, ArgSz = 24 }).IovaPgSizes);

    [Theory]
    [InlineData(35u, 0u, 0u)]
    [InlineData(39u, uint.MaxValue, 0u)]
    [InlineData(71u, uint.MaxValue, 0u)]
    public void What_does_not_fit_is_left_out(uint size, uint available, uint header)
    {
        var info = Do(new VfioIommuGetInfo { Argument = Scratch, ArgSz = size });
        Assert.Equal((72u, 0u), (info.ArgSz, info.CapOffset));
        Assert.Equal((available, header), (InfoWords(32, 1)[0], InfoWords(40, 1)[0]));
    }

    private static VfioIommuUnmapDma Unmap(ulong iova, ulong size) =>
        new()
        {
            ArgSz = 24,
            Iova = iova,
            Size = size,
        };

    private uint[] InfoWords(ulong offset, int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(Scratch + offset + ((ulong)i * 4), 4))),
        ];
}
