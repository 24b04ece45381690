using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Zoo.Tests.Mistakes;

/// <summary>A table as a device sees it: passes everything on. Mistakes change single answers.</summary>
internal abstract class TableFront(IoPageTable inner) : IoPageTable
{
    public override IoPageTableFormat Format => inner.Format;

    public override ulong PageSizes => inner.PageSizes;

    public override IovaRange Aperture => inner.Aperture;

    public override IovaRange InputRange => inner.InputRange;

    public override IovaRange? UpperInputRange => inner.UpperInputRange;

    public override bool TracksDirty => inner.TracksDirty;

    public override (ulong Address, int Level) Root => inner.Root;

    public override Errno Map(
        ulong iova,
        ulong physical,
        ulong length,
        IoptePermissions permissions,
        MapOptions options = MapOptions.None
    ) => inner.Map(iova, physical, length, permissions, options);

    public override Errno MapPages(
        ulong iova,
        ReadOnlySpan<PfnRun> runs,
        ulong offset,
        ulong length,
        IoptePermissions permissions,
        MapOptions options = MapOptions.None
    ) => inner.MapPages(iova, runs, offset, length, permissions, options);

    public override ulong Unmap(ulong iova, ulong length, UnmapCut cut = UnmapCut.WholeEntry) =>
        inner.Unmap(iova, length, cut);

    public override int TranslateEach(ReadOnlySpan<ulong> iovas, Span<ulong> physical) =>
        inner.TranslateEach(iovas, physical);

    public override bool TryTranslate(ulong iova, out IopteTranslation translation) =>
        inner.TryTranslate(iova, out translation);

    public override bool TryTranslate(ulong iova, out ulong physical) => inner.TryTranslate(iova, out physical);

    public override bool TryAccess(
        ulong iova,
        IoptePermissions access,
        bool markDirty,
        out IopteTranslation translation
    ) => inner.TryAccess(iova, access, markDirty, out translation);

    public override int TranslatePages(ulong iova, ulong stride, Span<ulong> physical) =>
        inner.TranslatePages(iova, stride, physical);

    public override int TranslateRuns(ulong iova, ulong length, Span<PfnRun> runs, out ulong translated) =>
        inner.TranslateRuns(iova, length, runs, out translated);

    public override Errno SetDirty(ulong iova) => inner.SetDirty(iova);

    public override ulong SetDirty(IovaRange range) => inner.SetDirty(range);

    public override Errno ReadAndClearDirty(
        IovaRange range,
        IDirtySink sink,
        DirtyReadOptions options = DirtyReadOptions.None
    ) => inner.ReadAndClearDirty(range, sink, options);

    public override Errno Split(IovaRange range, ulong pageSize) => inner.Split(range, pageSize);

    public override Errno Merge(ulong iova, ulong pageSize) => inner.Merge(iova, pageSize);

    public override IoPageTableStatistics GetStatistics() => inner.GetStatistics();

    public override void Dump(TextWriter writer) => inner.Dump(writer);

    public override void CheckInvariants() => inner.CheckInvariants();

    protected override void Dispose(bool disposing) { }
}
