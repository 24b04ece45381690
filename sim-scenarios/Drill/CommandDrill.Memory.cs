using Iommufd.Actors.Protocol;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Drill;

// Address spaces, files and VFIO's own calls.
public sealed partial class CommandDrill
{
    private IEnumerable<DrillAction> Spaces()
    {
        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        if (!alloc.IsOk)
        {
            yield break;
        }

        uint ioas = Made(alloc.Back<IoasAlloc>().OutIoasId);
        yield return Put(Scratch, 0, 0, 0x1fff_ffff, 0);
        yield return Call(
            new IoasAllowIovas
            {
                IoasId = ioas,
                NumIovas = 1,
                AllowedIovas = Scratch,
            }
        );
        yield return Call(
            new IoasIovaRanges
            {
                IoasId = ioas,
                NumIovas = 8,
                AllowedIovas = Scratch,
            }
        );
        yield return Call(
            new Option
            {
                OptionId = OptionId.HugePages,
                Op = OptionOp.Set,
                ObjectId = ioas,
            }
        );
        yield return Call(
            new Option
            {
                OptionId = OptionId.HugePages,
                Op = OptionOp.Get,
                ObjectId = ioas,
            }
        );
        yield return Call(MapOf(ioas, Iova, Buffer, 8 * Page));
        yield return Call(MapOf(ioas, Iova, Buffer, Page), Errno.EEXIST);
        yield return Call(MapOf(ioas, 0, Huge, 2ul << 20) with { Flags = IoasMapFlags.Readable });
        DrillCall other = Call(new IoasAlloc());
        yield return other;
        if (other.IsOk)
        {
            uint target = Made(other.Back<IoasAlloc>().OutIoasId);
            yield return Call(
                new IoasCopy
                {
                    Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable,
                    SrcIoasId = ioas,
                    SrcIova = Iova + Page,
                    DstIoasId = target,
                    DstIova = Iova,
                    Length = 4 * Page,
                }
            );
            yield return Call(UnmapAll(target));
        }

        yield return Call(
            new TestAddReserved
            {
                IoasId = ioas,
                Start = 0x4000_0000,
                Length = Page,
            }
        );
        yield return Call(
            new IoasUnmap
            {
                IoasId = ioas,
                Iova = Iova,
                Length = 8 * Page,
            }
        );
        yield return Call(UnmapAll(ioas));
    }

    private IEnumerable<DrillAction> Files()
    {
        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        var file = new DrillMessage(new MakeFile(MemoryFileKind.Memfd, 16 * Page));
        yield return file;
        if (!alloc.IsOk || file.Answer is not FileOpened { Errno: Errno.OK, Descriptor: var fd })
        {
            yield break;
        }

        uint ioas = Made(alloc.Back<IoasAlloc>().OutIoasId);
        DrillCall device = Call(new TestMockDomain { PtId = ioas });
        yield return device;
        Made(device.Back<TestMockDomain>().OutStdevId);
        yield return Call(MapFile(ioas, fd, Iova));
        yield return Call(new IoasChangeProcess());
        DrillCall buffer = Call(new TestDmabufGet { Length = (uint)(4 * Page) });
        yield return buffer;
        if (buffer.IsOk)
        {
            var dmabuf = (int)buffer.Result!.ReturnValue;
            yield return Call(MapFile(ioas, dmabuf, Iova + (64 * Page)));
            yield return Call(new TestDmabufRevoke { DmabufFd = dmabuf, Revoked = 1 });
            yield return Call(new TestDmabufRevoke { DmabufFd = dmabuf, Revoked = 0 });
        }

        yield return Call(UnmapAll(ioas));
    }

    private static IoasMapFile MapFile(uint ioas, int fd, ulong iova) =>
        new()
        {
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            IoasId = ioas,
            Fd = fd,
            Length = 4 * Page,
            Iova = iova,
        };

    private IEnumerable<DrillAction> Vfio()
    {
        yield return Call(new VfioGetApiVersion());
        DrillCall alloc = Call(new IoasAlloc());
        yield return alloc;
        if (!alloc.IsOk)
        {
            yield break;
        }

        uint ioas = Made(alloc.Back<IoasAlloc>().OutIoasId);
        DrillCall set = Call(new VfioIoas { Op = VfioIoasOp.Set, IoasId = ioas });
        yield return set;
        if (!set.IsOk)
        {
            yield break;
        }

        yield return Call(new VfioIoas { Op = VfioIoasOp.Get });
        yield return Call(new VfioCheckExtension { Extension = VfioExtension.Type1V2 });
        yield return Call(new VfioSetIommu { Type = VfioExtension.Type1 });
        DrillCall device = Call(new TestMockDomain { PtId = ioas });
        yield return device;
        Made(device.Back<TestMockDomain>().OutStdevId);
        yield return Call(new VfioIommuGetInfo { ArgSz = 24, Argument = Scratch });
        yield return Call(
            new VfioIommuMapDma
            {
                ArgSz = 32,
                Flags = VfioMapFlags.Read | VfioMapFlags.Write,
                Vaddr = Buffer,
                Iova = Iova,
                Size = 4 * Page,
            }
        );

        // The first version of type 1 may cut what was mapped as one.
        yield return Call(
            new VfioIommuUnmapDma
            {
                ArgSz = 24,
                Iova = Iova,
                Size = Page,
            }
        );
        yield return Call(
            new VfioIommuUnmapDma
            {
                ArgSz = 24,
                Iova = Iova + Page,
                Size = 3 * Page,
            }
        );
        yield return Call(new VfioIommuDirtyPages(), Errno.ENOTTY);
        yield return Call(new VfioIoas { Op = VfioIoasOp.Clear });
    }
}
