using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;
using static Iommufd.Messages.Errno;

namespace Iommufd.Core.Tests.Errnos;

public static partial class ErrnoCases
{
    private const string MapName = "IOMMU_IOAS_MAP";
    private const string MapFileName = "IOMMU_IOAS_MAP_FILE";
    private const string CopyName = "IOMMU_IOAS_COPY";
    private const string UnmapName = "IOMMU_IOAS_UNMAP";
    private const IoasMapFlags AutoReadWrite = IoasMapFlags.Readable | IoasMapFlags.Writeable;

    private static IEnumerable<ErrnoCase> Maps() => [.. UserMaps(), .. FileMaps(), .. Copies(), .. Unmaps()];

    private static IEnumerable<ErrnoCase> UserMaps() =>
        [
            Case(MapName, EOPNOTSUPP, "unknown flag", s => Map(s.Ioas()) with { Flags = (IoasMapFlags)0x17 }),
            Case(MapName, EOPNOTSUPP, "reserved word", s => Map(s.Ioas()) with { Reserved = 1 }),
            Case(MapName, EOVERFLOW, "IOVA 2^64-1", s => Map(s.Ioas(), ulong.MaxValue)),
            Case(
                MapName,
                EOVERFLOW,
                "automatic, IOVA 2^64-1",
                s => Map(s.Ioas(), ulong.MaxValue) with { Flags = AutoReadWrite }
            ),
            Case(MapName, EOVERFLOW, "length 2^64-1", s => Map(s.Ioas(), length: ulong.MaxValue)),
            Case(MapName, EOVERFLOW, "address wraps", s => Map(s.Ioas(), va: ulong.MaxValue - 0xfff)),
            Case(MapName, EOVERFLOW, "IOVA range wraps", s => Map(s.Ioas(), ulong.MaxValue - 0xfff, 0x2000)),
            Case(
                MapName,
                EOVERFLOW,
                "automatic, half the space",
                s => Map(s.Ioas(), 0, ulong.MaxValue / 2, 0) with { Flags = AutoReadWrite }
            ),
            Case(MapName, EINVAL, "no permission", s => Map(s.Ioas()) with { Flags = IoasMapFlags.FixedIova }),
            Case(
                MapName,
                EINVAL,
                "no permission wins over no IOAS",
                _ => Map(NoId) with { Flags = IoasMapFlags.FixedIova }
            ),
            Case(MapName, EINVAL, "length 0", s => Map(s.Ioas(), length: 0)),
            Case(MapName, EINVAL, "length misaligned", s => Map(s.Attached().Ioas, length: 0x400)),
            Case(MapName, EINVAL, "IOVA misaligned", s => Map(s.Attached().Ioas, MappedAt + 0x400, 0x800)),
            Case(
                MapName,
                EINVAL,
                "address misaligned",
                s => Map(s.Attached().Ioas, length: 0x800, va: UserBuffer + 0x400)
            ),
            Case(MapName, EINVAL, "below the aperture", s => Map(s.Attached().Ioas, 0x1000)),
            Case(
                MapName,
                EINVAL,
                "no alignment",
                s => Map(s.Attached().Ioas, 0, 0x800, UserBuffer + 0x400) with { Flags = AutoReadWrite }
            ),
            Case(MapName, ENOENT, "no IOAS", _ => Map(NoId)),
            Case(MapName, ENOENT, "a DEVICE", s => Map(s.Attached().Mock.OutIdevId)),
            Case(MapName, EEXIST, "mapped", s => Map(s.Do(Map(s.Ioas())).IoasId, MappedAt + 0x3000)),
            Case(
                MapName,
                ENOSPC,
                "allowed range full",
                s =>
                {
                    var ioas = s.Ioas();
                    s.Do(new SetAllowedRanges(ioas, [MappedAt, MappedAt + 0x1fff]));
                    return Map(ioas) with { Flags = AutoReadWrite };
                }
            ),
            Case(MapName, EFAULT, "nothing there", s => Map(s.Attached().Ioas, va: Nowhere)),
            Case(MapName, EFAULT, "the last page is a hole", s => Map(s.Attached().Ioas, length: 17 * HostPage.Size)),
            Case(MapName, EFAULT, "writeable of read-only memory", s => Map(s.Attached().Ioas, va: ReadOnly)),
            Case(MapName, ENOMEM, "limit of the user", s => OverLimit(s, Map(s.Attached().Ioas))),
            Case(
                MapName,
                ENOMEM,
                "limit of the process",
                s =>
                {
                    s.Do(new Option { OptionId = OptionId.RlimitMode, Val64 = 1 });
                    return OverLimit(s, Map(s.Attached().Ioas));
                }
            ),
        ];

    private static IoctlCommand OverLimit(ErrnoStage stage, IoctlCommand command)
    {
        stage.CallAs = stage.Poor(pages: 3);
        return command;
    }

    private static IEnumerable<ErrnoCase> FileMaps() =>
        [
            Case(
                MapFileName,
                EOPNOTSUPP,
                "unknown flag",
                s => MapFile(s.Ioas(), s.File()) with { Flags = (IoasMapFlags)8 }
            ),
            Case(MapFileName, EOVERFLOW, "IOVA 2^64-1", s => MapFile(s.Ioas(), s.File(), iova: ulong.MaxValue)),
            Case(
                MapFileName,
                EOVERFLOW,
                "range wraps",
                s => MapFile(s.Ioas(), s.File(), start: ulong.MaxValue - 0xfff)
            ),
            Case(
                MapFileName,
                EOVERFLOW,
                "range wins over descriptor",
                s => MapFile(s.Ioas(), 77, start: ulong.MaxValue - 1)
            ),
            Case(
                MapFileName,
                EINVAL,
                "no permission",
                s => MapFile(s.Ioas(), s.File()) with { Flags = IoasMapFlags.FixedIova }
            ),
            Case(MapFileName, EINVAL, "length 0", s => MapFile(s.Ioas(), 77, length: 0)),
            Case(MapFileName, EINVAL, "beyond the file", s => MapFile(s.Attached().Ioas, s.File(), 0x9000)),
            Case(
                MapFileName,
                EINVAL,
                "the last, partial page",
                s => MapFile(s.Attached().Ioas, s.File(size: 0x2800), 0x2800)
            ),
            Case(
                MapFileName,
                EINVAL,
                "no memory",
                s => MapFile(s.Attached().Ioas, s.File(MemoryFileKind.NotMemory, 0))
            ),
            Case(MapFileName, EINVAL, "beyond the dma-buf", s => MapFile(s.Ioas(), s.Dmabuf(), 0x5000)),
            Case(MapFileName, EINVAL, "beyond a revoked dma-buf", s => MapFile(s.Ioas(), Revoked(s), 0x5000)),
            Case(MapFileName, ENOENT, "no IOAS", s => MapFile(NoId, s.File())),
            Case(MapFileName, EBADF, "closed", s => MapFile(s.Ioas(), 77)),
            Case(MapFileName, EBADF, "negative", s => MapFile(s.Ioas(), -1)),
            Case(MapFileName, ENODEV, "revoked", s => MapFile(s.Ioas(), Revoked(s))),
            Case(MapFileName, ENODEV, "revoked wins over mapped", s => MapFile(s.Do(Map(s.Ioas())).IoasId, Revoked(s))),
            Case(MapFileName, EEXIST, "mapped", s => MapFile(s.Do(Map(s.Ioas())).IoasId, s.File())),
            Case(
                MapFileName,
                ENOSPC,
                "allowed range full",
                s =>
                {
                    var ioas = s.Ioas();
                    s.Do(new SetAllowedRanges(ioas, [MappedAt, MappedAt + 0x1fff]));
                    return MapFile(ioas, s.File()) with { Flags = AutoReadWrite };
                }
            ),
            Case(MapFileName, ENOMEM, "limit of the user", s => OverLimit(s, MapFile(s.Attached().Ioas, s.File()))),
        ];

    private static int Revoked(ErrnoStage stage)
    {
        var fd = stage.Dmabuf();
        stage.Do(new TestDmabufRevoke { DmabufFd = fd, Revoked = 1 });
        return fd;
    }

    private static IEnumerable<ErrnoCase> Copies() =>
        [
            Case(CopyName, EOPNOTSUPP, "unknown flag", s => Source(s) with { Flags = (IoasMapFlags)8 }),
            Case(CopyName, EOVERFLOW, "length 2^64-1", s => Source(s) with { Length = ulong.MaxValue }),
            Case(CopyName, EOVERFLOW, "destination 2^64-1", s => Source(s) with { DstIova = ulong.MaxValue }),
            Case(CopyName, EOVERFLOW, "source wraps", s => Source(s) with { SrcIova = ulong.MaxValue - 0xfff }),
            Case(CopyName, EOVERFLOW, "destination wraps", s => Source(s) with { DstIova = ulong.MaxValue - 0xfff }),
            Case(CopyName, EINVAL, "no permission", s => Source(s) with { Flags = IoasMapFlags.FixedIova }),
            Case(CopyName, EINVAL, "length 0", s => Source(s) with { Length = 0 }),
            Case(
                CopyName,
                EINVAL,
                "destination reserved",
                s => Source(s) with { DstIoasId = s.Attached().Ioas, DstIova = 0 }
            ),
            Case(CopyName, ENOENT, "no source", s => Source(s) with { SrcIoasId = NoId }),
            Case(CopyName, ENOENT, "no destination", s => Source(s) with { DstIoasId = NoId }),
            Case(CopyName, ENOENT, "a gap", s => Source(s) with { Length = 0x5000 }),
            Case(
                CopyName,
                EPERM,
                "mapped read-only",
                s =>
                {
                    var ioas = s.Do(
                        Map(s.Ioas()) with
                        {
                            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable,
                        }
                    ).IoasId;
                    return Copy(ioas, ioas);
                }
            ),
            Case(CopyName, EEXIST, "onto itself", s => Source(s) with { DstIova = MappedAt }),
            Case(
                CopyName,
                ENOSPC,
                "allowed range full",
                s =>
                {
                    var command = Source(s);
                    s.Do(new SetAllowedRanges(command.DstIoasId, [4 * MappedAt, (4 * MappedAt) + 0x1fff]));
                    return command with { Flags = AutoReadWrite };
                }
            ),
            Case(
                CopyName,
                EFAULT,
                "nothing there",
                s => Copy(s.Do(Map(s.Ioas(), va: Nowhere)).IoasId, s.Attached().Ioas)
            ),
            Case(
                CopyName,
                ENOMEM,
                "limit of the owner",
                s => Copy(s.DoAs(s.Poor(pages: 3), Map(s.Ioas())).IoasId, s.Attached().Ioas)
            ),
        ];

    private static IoasCopy Source(ErrnoStage stage)
    {
        var ioas = stage.Do(Map(stage.Ioas())).IoasId;
        return Copy(ioas, ioas);
    }

    private static IEnumerable<ErrnoCase> Unmaps() =>
        [
            Case(UnmapName, ENOENT, "no IOAS", _ => Unmap(NoId)),
            Case(UnmapName, ENOENT, "no IOAS wins over length 0", _ => Unmap(NoId, length: 0)),
            Case(UnmapName, ENOENT, "nothing mapped", s => Unmap(s.Ioas())),
            Case(UnmapName, ENOENT, "a part", s => Unmap(s.Do(Map(s.Ioas())).IoasId, MappedAt + 0x1000, 0x1000)),
            Case(UnmapName, EOVERFLOW, "IOVA 2^64-1", s => Unmap(s.Ioas(), ulong.MaxValue)),
            Case(UnmapName, EOVERFLOW, "length 2^64-1", s => Unmap(s.Ioas(), 1, ulong.MaxValue)),
            Case(UnmapName, EOVERFLOW, "wraps", s => Unmap(s.Ioas(), ulong.MaxValue - 0xfff, 0x2000)),
            Case(UnmapName, EINVAL, "length 0", s => Unmap(s.Ioas(), length: 0)),
            Case(UnmapName, EBUSY, "hardware queue", s => Unmap(Queued(s).Ioas)),
            Held(UnmapName, EBUSY, "being unmapped", s => BeingUnmapped(s)),
            Held(UnmapName, EDEADLK, "an access holds on", s => HeldOn(s, Unmap(0))) with
            {
                Changes = true,
            },
            new ErrnoCase(
                UnmapName,
                ENOENT,
                "what was before the part is gone",
                s =>
                {
                    var ioas = s.Do(Map(s.Ioas())).IoasId;
                    s.Do(Map(ioas, MappedAt + 0x8000));
                    return Unmap(ioas, length: 0x9000);
                }
            )
            {
                Changes = true,
            },
        ];

    private static (uint Ioas, uint Viommu) Queued(ErrnoStage stage)
    {
        var nest = stage.Nesting();
        stage.Do(Map(nest.Ioas));
        var viommu = stage.Viommu(nest);
        stage.Do(stage.HwQueue(viommu));
        return (nest.Ioas, viommu);
    }

    private static IoasUnmap BeingUnmapped(SequentialStage stage)
    {
        var (ioas, _) = stage.Attached();
        stage.Do(Map(ioas));
        stage.StartHeld(Unmap(ioas), request => request is ClearArea);
        return Unmap(ioas);
    }

    // An access that says it has let go but has not.
    private static IoctlCommand HeldOn(SequentialStage stage, IoctlCommand unmap)
    {
        var ioas = stage.Compat();
        stage.Do(Map(ioas));
        stage.Do(
            new TestAccessPages
            {
                AccessFd = stage.Access(ioas),
                Iova = MappedAt,
                Length = 0x1000,
            }
        );
        stage.AnswersFor = request => request is NotifyUnmap ? new PinsReleased(OK, []) : null;
        return unmap is IoasUnmap ? Unmap(ioas) : unmap;
    }
}
