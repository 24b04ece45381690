using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Iommufd.Core.PageTables;

public sealed unsafe partial class PageTable<TFormat>
{
    /// <summary>Addresses whose items are fetched at the same time; more than a core can wait for.</summary>
    private const int FetchedAtOnce = 64;

    /// <inheritdoc/>
    public override int TranslateEach(ReadOnlySpan<ulong> iovas, Span<ulong> physical)
    {
        if (physical.Length < iovas.Length)
        {
            throw new ArgumentException("there is less room than there are addresses", nameof(physical));
        }

        TableReclamation.ReadSection section = TableReclamation.Enter();
        int mapped = 0;
        for (int done = 0; done < iovas.Length; done += FetchedAtOnce)
        {
            int count = Math.Min(FetchedAtOnce, iovas.Length - done);
            mapped += TranslateBatch(iovas.Slice(done, count), physical.Slice(done, count));
        }

        TableReclamation.Exit(section);
        return mapped;
    }

    /// <summary>First finds all lowest items and asks for their cache lines, then reads them: one waiting for all.</summary>
    [SkipLocalsInit]
    private int TranslateBatch(ReadOnlySpan<ulong> iovas, Span<ulong> physical)
    {
        ulong** items = stackalloc ulong*[FetchedAtOnce];
        for (int i = 0; i < iovas.Length; i++)
        {
            items[i] = CachedPageItemOrNull(iovas[i]);
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(items[i]);
            }
        }

        int mapped = 0;
        for (int i = 0; i < iovas.Length; i++)
        {
            ulong iova = iovas[i];
            ulong word = items[i] == null ? 0 : Volatile.Read(ref *items[i]);
            ulong found = word != 0 ? PhysicalOf(word, 0, iova) : FindInSection(iova);
            physical[i] = found;
            mapped += found == NotMapped ? 0 : 1;
        }

        return mapped;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong FindInSection(ulong iova) =>
        TryFindItem(iova, out _, out ulong word, out int level) && word != 0
            ? PhysicalOf(word, level, iova)
            : NotMapped;
}
