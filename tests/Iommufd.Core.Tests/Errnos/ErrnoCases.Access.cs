using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;
using static Iommufd.Messages.Errno;

namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoCases
{
    private const string PagesName = "IOMMU_TEST_OP_ACCESS_PAGES";
    private const string RwName = "IOMMU_TEST_OP_ACCESS_RW";
    private const string CreateName = "IOMMU_TEST_OP_CREATE_ACCESS";
    private const string MoveName = "IOMMU_TEST_OP_ACCESS_REPLACE_IOAS";

    private static IEnumerable<ErrnoCase> MockAccesses() => [.. AccessLives(), .. AccessPins(), .. AccessCopies()];

    private static IEnumerable<ErrnoCase> AccessLives() =>
        [
            Case(CreateName, EOPNOTSUPP, "flag", s => new TestCreateAccess { IoasId = s.Ioas(), Flags = 2 }),
            Case(CreateName, ENOENT, "no IOAS", _ => new TestCreateAccess { IoasId = NoId }),
            Case(CreateName, EADDRINUSE, "misaligned", s => new TestCreateAccess { IoasId = Halves(s), Flags = 1 }),
            Case(
                MoveName,
                EBADFD,
                "no access's descriptor",
                s => new TestAccessReplaceIoas { AccessFd = s.File(), IoasId = s.Ioas() }
            ),
            Case(
                MoveName,
                ENOENT,
                "no IOAS",
                s => new TestAccessReplaceIoas { AccessFd = s.Access(s.Ioas()), IoasId = NoId }
            ),
            Case(
                MoveName,
                EADDRINUSE,
                "misaligned",
                s => new TestAccessReplaceIoas { AccessFd = s.Access(s.Ioas()), IoasId = Halves(s) }
            ),
        ];

    private static uint Halves(ErrnoStage stage) => stage.Do(Map(stage.Ioas(), length: 0x800)).IoasId;

    private static TestAccessPages Pages(ErrnoStage stage, IoctlCommand? map = null, uint? ioas = null)
    {
        var id = ioas ?? stage.Ioas();
        stage.Do(map ?? Map(id));
        return new TestAccessPages
        {
            AccessFd = stage.Access(id),
            Iova = MappedAt,
            Length = 0x2000,
        };
    }

    private static IEnumerable<ErrnoCase> AccessPins() =>
        [
            Case(
                PagesName,
                ENOMEM,
                "17 MiB",
                s => Pages(s) with { Length = 17 << 20, Flags = (TestAccessPagesFlags)2 }
            ),
            Case(
                PagesName,
                ENOMEM,
                "limit of the owner",
                s =>
                {
                    var ioas = s.DoAs(s.Poor(pages: 1), Map(s.Ioas())).IoasId;
                    return Pages(s, new IoasAlloc(), ioas);
                }
            ),
            Case(PagesName, EOPNOTSUPP, "flag", s => Pages(s) with { Flags = (TestAccessPagesFlags)2, AccessFd = 77 }),
            Case(
                PagesName,
                EOPNOTSUPP,
                "an access that does not pin",
                s => Pages(s) with { AccessFd = s.Access(s.Ioas(), pins: false) }
            ),
            Case(PagesName, EBADFD, "closed", s => Pages(s) with { AccessFd = 77 }),
            Case(PagesName, EBADFD, "a file", s => Pages(s) with { AccessFd = s.File() }),
            Case(PagesName, EINVAL, "length 0", s => Pages(s) with { Length = 0 }),
            Case(PagesName, EINVAL, "inside a page", s => Pages(s) with { Iova = MappedAt + 0x800, Length = 0x100 }),
            Case(PagesName, EINVAL, "dma-buf", s => s.Ioas() is var i ? Pages(s, MapFile(i, s.Dmabuf()), i) : null!),
            Case(
                PagesName,
                EINVAL,
                "beyond the file",
                s => s.Ioas() is var i ? Pages(s, MapFile(i, s.File(size: 0x1000)), i) : null!
            ),
            Case(PagesName, EOVERFLOW, "wraps", s => Pages(s) with { Iova = ulong.MaxValue }),
            Case(PagesName, ENOENT, "not mapped", s => Pages(s) with { Iova = 2 * MappedAt }),
            Case(PagesName, ENOENT, "runs out of the mapping", s => Pages(s) with { Length = 0x5000 }),
            Case(
                PagesName,
                EPERM,
                "read-only mapping",
                s => s.Ioas() is var i ? Pages(s, ReadMap(i), i) with { Flags = TestAccessPagesFlags.Write } : null!
            ),
            Case(PagesName, EFAULT, "nothing there", s => s.Ioas() is var i ? Pages(s, Map(i, va: Nowhere), i) : null!),
            Case(PagesName, EFAULT, "nothing to compare with", s => Pages(s) with { Uptr = Nowhere }),
            Case(PagesName, EBADE, "other pages", s => Pages(s) with { Uptr = UserBuffer + 0x1000 }),
            Case(
                "IOMMU_TEST_OP_DESTROY_ACCESS_PAGES",
                EBADFD,
                "closed",
                _ => new TestDestroyAccessPages { AccessFd = 77 }
            ),
            Case(
                "IOMMU_TEST_OP_DESTROY_ACCESS_PAGES",
                ENOENT,
                "no pin",
                s => new TestDestroyAccessPages { AccessFd = s.Access(s.Ioas()) }
            ),
            Case(
                "IOMMU_TEST_OP_DESTROY_ACCESS_PAGES",
                ENOENT,
                "let go by an unmap",
                s =>
                {
                    var pin = s.Do(Pages(s));
                    s.Do(Unmap(1));
                    return new TestDestroyAccessPages { AccessFd = pin.AccessFd, AccessPagesId = pin.OutAccessPagesId };
                }
            ),
        ];

    private static IoasMap ReadMap(uint ioas) =>
        Map(ioas) with
        {
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable,
        };

    private static TestAccessRw Rw(ErrnoStage stage, IoctlCommand? map = null, uint? ioas = null)
    {
        var id = ioas ?? stage.Ioas();
        stage.Do(map ?? Map(id));
        return new TestAccessRw
        {
            AccessFd = stage.Access(id, pins: false),
            Iova = MappedAt + 5,
            Length = 100,
            Uptr = Scratch,
        };
    }

    private static IEnumerable<ErrnoCase> AccessCopies() =>
        [
            Case(RwName, ENOMEM, "17 MiB", s => Rw(s) with { Length = 17 << 20, AccessFd = 77 }),
            Case(RwName, EOPNOTSUPP, "flag", s => Rw(s) with { Flags = (TestAccessRwFlags)2, AccessFd = 77 }),
            Case(RwName, EBADFD, "closed", s => Rw(s) with { AccessFd = 77 }),
            Case(
                RwName,
                EFAULT,
                "nothing to write",
                s => Rw(s) with { Flags = TestAccessRwFlags.Write, Uptr = Nowhere }
            ),
            Case(RwName, EFAULT, "nowhere to read to", s => Rw(s) with { Uptr = Nowhere }),
            Case(RwName, EFAULT, "nothing there", s => s.Ioas() is var i ? Rw(s, Map(i, va: Nowhere), i) : null!),
            Case(
                RwName,
                EFAULT,
                "slowly, nothing there",
                s =>
                    s.Ioas() is var i
                        ? Rw(s, Map(i, va: Nowhere), i) with
                        {
                            Flags = TestAccessRwFlags.SlowPath,
                        }
                        : null!
            ),
            Case(RwName, EINVAL, "length 0", s => Rw(s) with { Length = 0 }),
            Case(RwName, EINVAL, "dma-buf", s => s.Ioas() is var i ? Rw(s, MapFile(i, s.Dmabuf()), i) : null!),
            Case(
                RwName,
                EINVAL,
                "beyond the file",
                s => s.Ioas() is var i ? Rw(s, MapFile(i, s.File(size: 0)), i) : null!
            ),
            Case(RwName, EOVERFLOW, "wraps", s => Rw(s) with { Iova = ulong.MaxValue }),
            Case(RwName, ENOENT, "not mapped", s => Rw(s) with { Iova = 2 * MappedAt }),
            Case(
                RwName,
                EPERM,
                "read-only mapping",
                s => s.Ioas() is var i ? Rw(s, ReadMap(i), i) with { Flags = TestAccessRwFlags.Write } : null!
            ),
            Case(
                RwName,
                EPERM,
                "write-only mapping",
                s =>
                    s.Ioas() is var i
                        ? Rw(s, ReadMap(i) with { Flags = IoasMapFlags.FixedIova | IoasMapFlags.Writeable }, i)
                        : null!
            ),
        ];

    private static IEnumerable<ErrnoCase> DriverAccesses() =>
        [
            Case("CreateAccess", ENOENT, "no IOAS", _ => new CreateAccess(NoId, true)),
            Case("CreateAccess", EADDRINUSE, "misaligned", s => new CreateAccess(Halves(s), true)),
            Case("ReplaceAccessIoas", ENOENT, "no ACCESS", s => new ReplaceAccessIoas(NoId, s.Ioas())),
            Case("ReplaceAccessIoas", ENOENT, "no IOAS", s => new ReplaceAccessIoas(Driver(s), NoId)),
            Case("ReplaceAccessIoas", EADDRINUSE, "misaligned", s => new ReplaceAccessIoas(Driver(s), Halves(s))),
            Case("DestroyAccess", ENOENT, "no ACCESS", _ => new DestroyAccess(NoId)),
            Case("PinAccessPages", ENOENT, "no ACCESS", _ => new PinAccessPages(NoId, MappedAt, 1, false)),
            Case("PinAccessPages", ENOENT, "not mapped", s => new PinAccessPages(Driver(s), 2 * MappedAt, 1, false)),
            Case(
                "PinAccessPages",
                EOPNOTSUPP,
                "does not pin",
                s => new PinAccessPages(Driver(s, pins: false), MappedAt, 1, false)
            ),
            Case("PinAccessPages", EINVAL, "length 0", s => new PinAccessPages(Driver(s), MappedAt, 0, false)),
            Case("PinAccessPages", EOVERFLOW, "wraps", s => new PinAccessPages(Driver(s), ulong.MaxValue, 2, false)),
            Case("PinAccessPages", EPERM, "read-only", s => new PinAccessPages(Driver(s, ReadMap), MappedAt, 1, true)),
            Case(
                "PinAccessPages",
                EFAULT,
                "nothing there",
                s => new PinAccessPages(Driver(s, i => Map(i, va: Nowhere)), MappedAt, 1, false)
            ),
            Case(
                "PinAccessPages",
                ENOMEM,
                "limit of the owner",
                s =>
                {
                    var ioas = s.DoAs(s.Poor(pages: 1), Map(s.Ioas())).IoasId;
                    return new PinAccessPages(s.Do(new CreateAccess(ioas, true)).OutAccessId, MappedAt, 0x2000, false);
                }
            ),
            Case("UnpinAccessPages", ENOENT, "no ACCESS", _ => new UnpinAccessPages(NoId, 0)),
            Case("UnpinAccessPages", ENOENT, "no pin", s => new UnpinAccessPages(Driver(s), 0)),
            Case("ReadWriteAccess", ENOENT, "no ACCESS", _ => new ReadWriteAccess(NoId, MappedAt, new byte[1], false)),
            Case("ReadWriteAccess", EINVAL, "length 0", s => new ReadWriteAccess(Driver(s), MappedAt, [], false)),
            Case(
                "ReadWriteAccess",
                EOVERFLOW,
                "wraps",
                s => new ReadWriteAccess(Driver(s), ulong.MaxValue, new byte[2], false)
            ),
            Case(
                "ReadWriteAccess",
                EPERM,
                "read-only",
                s => new ReadWriteAccess(Driver(s, ReadMap), MappedAt, new byte[1], true)
            ),
            Case(
                "ReadWriteAccess",
                EFAULT,
                "nothing there",
                s => new ReadWriteAccess(Driver(s, i => Map(i, va: Nowhere)), MappedAt, new byte[1], false)
            ),
        ];

    private static uint Driver(ErrnoStage stage, Func<uint, IoasMap>? map = null, bool pins = true)
    {
        var ioas = stage.Ioas();
        stage.Do(map?.Invoke(ioas) ?? Map(ioas));
        return stage.Do(new CreateAccess(ioas, pins)).OutAccessId;
    }
}
