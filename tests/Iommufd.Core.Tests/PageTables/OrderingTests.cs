using System.Runtime.InteropServices;
using Iommufd.Core.PageTables;
using Iommufd.Core.PageTables.Formats;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>
/// For each ordering of the protocol the interleaving that it prevents, played step by step: harmless with the ordering,
/// harmful without it.
/// </summary>
public sealed class OrderingTests
{
    private const ulong Page = 4096;
    private const ulong Large = 2UL << 20;
    private const ulong Here = 8 * Large;
    private const ulong Elsewhere = 16 * Large;
    private const IoptePermissions Both = IoptePermissions.ReadWrite;

    [Fact]
    public void A_device_that_marks_dirty_never_brings_an_unmapped_page_back()
    {
        Assert.False(PageComesBack<Faults.None>());
        Assert.True(PageComesBack<Faults.PlainDirtyMark>());
    }

    [Fact]
    public void Clearing_a_mark_never_brings_an_unmapped_page_back()
    {
        Assert.False(PageComesBackByClearing<Faults.None>());
        Assert.True(PageComesBackByClearing<Faults.PlainDirtyClear>());
    }

    [Fact]
    public void Two_writers_that_miss_the_same_table_both_keep_their_pages()
    {
        Assert.False(NeighbourIsLost<Faults.None>());
        Assert.True(NeighbourIsLost<Faults.PlainLink>());
    }

    [Fact]
    public void A_table_linked_before_it_is_filled_shows_what_it_held_before() =>
        Assert.True(OldContentShows<Faults.LinkBeforeFill>());

    [Fact]
    public void A_walker_that_holds_a_table_taken_off_never_reads_its_next_life()
    {
        for (int time = 0; time < 20; time++)
        {
            Assert.False(WalkerReadsNextLife<Faults.None>());
        }
    }

    [Fact]
    public void A_translation_without_a_section_never_reads_the_next_life_of_a_table()
    {
        Assert.False(TranslationReadsNextLife<Faults.None>());
        Assert.True(SoonerOrLater(TranslationReadsNextLife<Faults.NoGracePeriod>));
        Assert.True(SoonerOrLater(TranslationReadsNextLife<Faults.NoEpochCheck>));
    }

    [Fact]
    public void A_translation_without_a_section_follows_no_word_of_a_next_life()
    {
        Assert.False(WordOfNextLifeIsFollowed<Faults.None>());
        Assert.True(SoonerOrLater(WordOfNextLifeIsFollowed<Faults.LateEpochCheck>));
    }

    [Fact]
    public void A_table_that_the_cache_forgets_after_it_was_retired_is_found_in_its_next_life()
    {
        Assert.False(CacheLeadsToNextLife<Faults.None>());
        Assert.True(SoonerOrLater(CacheLeadsToNextLife<Faults.ForgetAfterRetire>));
    }

    [Fact]
    public void A_reader_with_a_cache_stops_translating_when_its_table_is_taken_off()
    {
        Assert.False(ReaderTranslatesAfterUnmap<Faults.None>());
        Assert.True(ReaderTranslatesAfterUnmap<Faults.NoDetachCount>());
    }

    [Fact]
    public void A_table_counted_before_it_is_unlinked_stays_in_a_cache_for_ever() =>
        Assert.True(ReaderTranslatesAfterUnmap<Faults.CountBeforeUnlink>(walkInBetween: true));

    [Fact]
    public void A_mark_set_while_an_entry_is_replaced_is_carried_over()
    {
        Assert.False(MarkIsLostInSplit<Faults.None>());
        Assert.True(MarkIsLostInSplit<Faults.PlainReplace>());
    }

    [Fact]
    public void A_mark_set_in_a_table_that_a_merge_took_off_is_carried_over()
    {
        Assert.False(MarkIsLostInMerge<Faults.None>());
        Assert.True(MarkIsLostInMerge<Faults.NoMergeWait>());
    }

    // A freed table may go to another test first, which runs at the same time: the planted fault then shows in a later round.
    private static bool SoonerOrLater(Func<bool> shows) => Enumerable.Range(0, 200).Any(_ => shows());

    private static bool PageComesBack<TFault>()
        where TFault : struct, IFault
    {
        using PageTable<Scripted<AmdV1, TFault>> table = Mapped<TFault>(Page);
        Script.At(StepPoint.Permissions, 0, () => Assert.Equal(Page, table.Unmap(Here, Page)));
        table.TryAccess(Here, IoptePermissions.Write, markDirty: true, out _);
        return table.TryTranslate(Here, out ulong _);
    }

    private static bool PageComesBackByClearing<TFault>()
        where TFault : struct, IFault
    {
        using PageTable<Scripted<AmdV1, TFault>> table = Mapped<TFault>(Page);
        Assert.Equal(Errno.OK, table.SetDirty(Here));
        // The first question is the vectors' search for marks, the next ones are about this item.
        Script.At(StepPoint.DirtyValue, 1, () => Assert.Equal(Page, table.Unmap(Here, Page)));
        table.ReadAndClearDirty(new IovaRange(Here, Here + Page - 1), new DirtySpans());
        return table.TryTranslate(Here, out ulong _);
    }

    private static bool NeighbourIsLost<TFault>()
        where TFault : struct, IFault
    {
        using PageTable<Scripted<AmdV1, TFault>> table = Mapped<TFault>(Page);
        Script.At(StepPoint.TableWord, 0, () => Assert.Equal(Errno.OK, table.Map(Elsewhere + Page, Page, Page, Both)));
        Assert.Equal(Errno.OK, table.Map(Elsewhere, 0, Page, Both));
        return !table.TryTranslate(Elsewhere + Page, out ulong _);
    }

    private static bool OldContentShows<TFault>()
        where TFault : struct, IFault
    {
        using PageTable<Scripted<AmdV1, TFault>> table = Mapped<TFault>(Large);
        Assert.Equal(Large, table.Unmap(Here, Large));
        ReclaimAll();
        ulong seen = 0;
        bool found = false;
        // The last question before the fill: of the walk to the table above there are some first.
        for (int skip = 0; skip < 8 && !found; skip++)
        {
            ulong physical = (ulong)(3 + skip) * Large;
            Script.At(
                StepPoint.TableValue,
                skip,
                () => found = table.TryTranslate(Elsewhere, out seen) && seen != physical
            );
            Assert.Equal(Errno.OK, table.Map(Elsewhere, physical, Large, Both, MapOptions.PageByPage));
            Assert.Equal(Large, table.Unmap(Elsewhere, Large));
            ReclaimAll();
        }

        return found;
    }

    private static bool WalkerReadsNextLife<TFault>()
        where TFault : struct, IFault
    {
        using PageTable<Scripted<AmdV1, TFault>> table = Mapped<TFault>(Large);
        // The cache knows the table above, so the first pointer that is followed leads to the leaf table.
        Script.At(StepPoint.TableAddress, 0, () => GiveTableToOthers(table));
        return table.TryTranslate(Here, out IopteTranslation found) && found.Physical >= 3 * Large;
    }

    private static bool TranslationReadsNextLife<TFault>()
        where TFault : struct, IFault
    {
        using PageTable<Scripted<AmdV1, TFault>> table = Mapped<TFault>(Large);
        // Without a grace period no epoch begins between the unlinking and the next life.
        bool grace = TFault.Fault != OrderingFault.NoGracePeriod;
        ReclaimAll();
        // The cache knows the table above, so the first pointer that is followed leads to the leaf table.
        Script.At(StepPoint.TableAddress, 0, () => GiveTableToOthers(table, grace));
        return table.TryTranslate(Here, out ulong physical) && physical >= 3 * Large;
    }

    private static void GiveTableToOthers<TFault>(PageTable<Scripted<AmdV1, TFault>> table, bool grace = true)
        where TFault : struct, IFault
    {
        Assert.Equal(Large, table.Unmap(Here, Large));
        if (grace)
        {
            ReclaimAll();
        }

        // More than one, because other free pages may be taken first.
        for (ulong i = 0; i < 16; i++)
        {
            table.Map(Elsewhere + (i * Large), (3 + i) * Large, Large, Both, MapOptions.PageByPage);
        }
    }

    /// <summary>
    /// A level-1 table becomes a leaf table between the moment in which a translation finds it and the one in which it reads its item. In
    /// VT-d's bits a small page's word looks like a pointer one level up: it would lead out of the tables.
    /// </summary>
    private static unsafe bool WordOfNextLifeIsFollowed<TFault>()
        where TFault : struct, IFault
    {
        const ulong Huge = 1UL << 30;
        using var table = new PageTable<Scripted<VtdSecondStage, TFault>>();
        Assert.Equal(Errno.OK, table.Map(Huge, Large, Huge, Both));
        // Fills the cache, and makes the tables for what comes later.
        Assert.Equal(Errno.OK, table.Map(4 * Huge, 0, Page, Both));
        // In place of a device's page, memory in which the fault may read.
        void* page = NativeMemory.AlignedAlloc((nuint)Page, (nuint)Page);
        NativeMemory.Clear(page, (nuint)Page);
        ulong leaf = (ulong)page | (ulong)Both;
        Script.Watched = leaf;
        // The cache is asked for twice before the item is found.
        Script.At(
            StepPoint.GranuleShift,
            2,
            () =>
            {
                Assert.Equal(Huge, table.Unmap(Huge, Huge));
                ReclaimAll();
                for (ulong i = 1; i < 17; i++)
                {
                    Assert.Equal(Errno.OK, table.Map((4 * Huge) + (i * Large), (ulong)page, Page, Both));
                }
            }
        );
        Assert.False(table.TryTranslate(Huge, out ulong _));
        bool followed = Script.Watched == 0;
        Script.Watched = 0;
        NativeMemory.AlignedFree(page);
        return followed;
    }

    private static bool CacheLeadsToNextLife<TFault>()
        where TFault : struct, IFault
    {
        const ulong Huge = 1UL << 30;
        bool found = false;
        // The question between unlinking and forgetting is one of the first.
        for (int skip = 0; skip < 8 && !found; skip++)
        {
            using var table = new PageTable<Scripted<AmdV1, TFault>>();
            Assert.Equal(Errno.OK, table.Map(Huge, Large, Huge, Both));
            Script.At(
                StepPoint.TableValue,
                skip,
                () =>
                {
                    ReclaimAll();
                    for (ulong i = 0; i < 16; i++)
                    {
                        table.Map((4 * Huge) + (i * Large), 8 * Huge, Large, Both, MapOptions.PageByPage);
                    }

                    found = table.TryTranslate(Huge, out ulong physical) && physical >= 8 * Huge;
                }
            );
            Assert.Equal(Huge, table.Unmap(Huge, Huge));
            Script.At(default, 0, () => { });
        }

        return found;
    }

    private static bool ReaderTranslatesAfterUnmap<TFault>(bool walkInBetween = false)
        where TFault : struct, IFault
    {
        using PageTable<Scripted<AmdV1, TFault>> table = Mapped<TFault>(Large);
        using var between = new SemaphoreSlim(0);
        using var walked = new SemaphoreSlim(0);
        using var unmapped = new SemaphoreSlim(0);
        bool translates = false;
        var device = new Thread(() =>
        {
            using PageTable<Scripted<AmdV1, TFault>>.Reader reader = table.OpenReader();
            between.Wait(TimeSpan.FromSeconds(20));
            reader.TryTranslate(Here, out _);
            walked.Release();
            unmapped.Wait(TimeSpan.FromSeconds(20));
            translates = reader.TryTranslate(Here, out _);
        });
        device.Start();
        if (walkInBetween)
        {
            // With this fault the third question asked while unmapping stands between count and unlinking.
            Script.At(StepPoint.TableValue, 2, () => Meet(between, walked));
        }
        else
        {
            Meet(between, walked);
        }

        Assert.Equal(Large, table.Unmap(Here, Large));
        if (walkInBetween)
        {
            Script.At(default, 0, () => { });
        }

        unmapped.Release();
        device.Join();
        return translates;
    }

    private static void Meet(SemaphoreSlim between, SemaphoreSlim walked)
    {
        between.Release();
        Assert.True(walked.Wait(TimeSpan.FromSeconds(20)));
    }

    private static bool MarkIsLostInSplit<TFault>()
        where TFault : struct, IFault
    {
        bool lost = false;
        for (int skip = 0; skip < 12; skip++)
        {
            using var table = new PageTable<Scripted<AmdV1, TFault>>();
            Assert.Equal(Errno.OK, table.Map(Here, 0, 16 * Page, Both));
            Script.At(StepPoint.TableValue, skip, () => Assert.Equal(Errno.OK, table.SetDirty(Here)));
            Assert.Equal(Errno.OK, table.Split(new IovaRange(Here, Here + (16 * Page) - 1), Page));
            Script.At(default, 0, () => { });
            table.TryTranslate(Here, out IopteTranslation translation);
            lost |= !translation.Dirty;
        }

        return lost;
    }

    private static bool MarkIsLostInMerge<TFault>()
        where TFault : struct, IFault
    {
        using PageTable<Scripted<AmdV1, TFault>> table = Mapped<TFault>(Large);
        using var found = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        bool wrote = false;
        var device = new Thread(() =>
        {
            Script.At(
                StepPoint.Permissions,
                0,
                () =>
                {
                    found.Release();
                    // Without the fault the merge waits for us, and we go on when the time is over.
                    goOn.Wait(TimeSpan.FromMilliseconds(200));
                }
            );
            wrote = table.TryAccess(Here + (5 * Page), IoptePermissions.Write, markDirty: true, out _);
        });
        device.Start();
        Assert.True(found.Wait(TimeSpan.FromSeconds(20)));
        Assert.Equal(Errno.OK, table.Merge(Here, Large));
        goOn.Release();
        device.Join();
        table.TryTranslate(Here, out IopteTranslation translation);
        Assert.True(wrote);
        return !translation.Dirty;
    }

    /// <summary>Frees what this thread has unlinked, unless a reader (this thread perhaps) stays in its section.</summary>
    private static void ReclaimAll()
    {
        TableReclamation.ThreadTables tables = TableReclamation.ThreadTables.Current;
        for (int tries = 0; tries < 200 && tables.Waiting != 0; tries++)
        {
            tables.Reclaim();
            Thread.Yield();
        }
    }

    /// <summary>A table in which a run of single pages is mapped.</summary>
    private static PageTable<Scripted<AmdV1, TFault>> Mapped<TFault>(ulong length)
        where TFault : struct, IFault
    {
        var table = new PageTable<Scripted<AmdV1, TFault>>();
        Assert.Equal(Errno.OK, table.Map(Here, 0, length, Both, MapOptions.PageByPage));
        return table;
    }
}
