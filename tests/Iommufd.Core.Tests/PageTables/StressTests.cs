using System.Globalization;
using Iommufd.Core.PageTables;
using Iommufd.Core.PageTables.Formats;
using Iommufd.Messages;
using Xunit;
using Xunit.Abstractions;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>The protocol under load, and the load against protocols with one ordering missing.</summary>
public sealed class StressTests(ITestOutputHelper output)
{
    private static readonly TimeSpan EnoughToFail = TimeSpan.FromSeconds(8);

    /// <summary>Three seconds, or IOMMUFD_STRESS_SECONDS.</summary>
    private static TimeSpan Time
    {
        get
        {
            string? asked = Environment.GetEnvironmentVariable("IOMMUFD_STRESS_SECONDS");
            return TimeSpan.FromSeconds(asked is null ? 3 : double.Parse(asked, CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public void Every_translation_is_one_that_existed_while_it_was_made()
    {
        var run = new StressRun<AmdV1>(devices: 2, mappers: 2);

        Assert.Null(run.Run(Time));
        output.WriteLine(
            $"{run.Translations:n0} translations, {run.Operations:n0} maps and unmaps, {Time.TotalSeconds} s"
        );
    }

    [Fact]
    public void Every_translation_is_legal_when_threads_dawdle_between_the_steps()
    {
        var run = new StressRun<JitteryAmdV1<Faults.None>>(devices: 2, mappers: 2);

        Assert.Null(run.Run(Time));
        output.WriteLine(
            $"{run.Translations:n0} translations, {run.Operations:n0} maps and unmaps, {Time.TotalSeconds} s"
        );
    }

    [Fact]
    public void Marking_dirty_by_a_plain_store_is_caught() => Fails<Faults.PlainDirtyMark>();

    [Fact]
    public void Clearing_dirty_by_a_plain_store_is_caught() => Fails<Faults.PlainDirtyClear>();

    [Fact]
    public void Linking_a_table_before_it_is_filled_is_caught() => Fails<Faults.LinkBeforeFill>();

    [Fact]
    public void Reusing_a_table_without_a_grace_period_is_caught() => Fails<Faults.NoGracePeriod>();

    [Fact]
    public void Reading_outside_a_read_section_is_caught() => Fails<Faults.ReadOutsideSection>();

    [Fact]
    public void Taking_a_table_off_without_counting_it_is_caught() => Fails<Faults.NoDetachCount>();

    [Fact]
    public void Counting_a_table_off_before_it_is_unlinked_is_caught() => Fails<Faults.CountBeforeUnlink>();

    [Fact]
    public void Merging_without_waiting_for_devices_is_caught() => Fails<Faults.NoMergeWait>();

    [Fact]
    public void Replacing_a_live_entry_by_a_plain_store_is_caught() => Fails<Faults.PlainReplace>();

    [Fact]
    public void Two_writers_that_miss_the_same_table_both_keep_their_pages() =>
        Assert.Equal(0, LostPages<Faults.None>(2000));

    [Fact]
    public void Linking_a_missing_table_by_a_plain_store_is_caught() =>
        Assert.NotEqual(0, LostPages<Faults.PlainLink>(200_000));

    private void Fails<TFault>()
        where TFault : struct, IFault
    {
        var run = new StressRun<JitteryAmdV1<TFault>>(devices: 2, mappers: 2);

        string? violation = run.Run(EnoughToFail);

        Assert.NotNull(violation);
        output.WriteLine(violation);
    }

    /// <summary>Two threads map neighbouring pages where no table is yet, again and again; gives back how many pages were lost.</summary>
    private static int LostPages<TFault>(int rounds)
        where TFault : struct, IFault
    {
        using var table = new PageTable<JitteryAmdV1<TFault>>();
        int lost = 0;
        bool over = false;
        using var barrier = new Barrier(
            2,
            at =>
            {
                ulong first = (ulong)at.CurrentPhaseNumber << 21;
                bool both = table.TryTranslate(first, out ulong _) && table.TryTranslate(first + 4096, out ulong _);
                lost += both ? 0 : 1;
                over = lost > 0 || at.CurrentPhaseNumber + 1 >= rounds;
            }
        );
        var other = new Thread(() => Work(4096));
        other.Start();
        Work(0);
        other.Join();
        return lost;

        void Work(ulong offset)
        {
            for (ulong round = 0; !over; round++)
            {
                Errno errno = table.Map((round << 21) + offset, offset, 4096, IoptePermissions.Read);
                lost += errno == Errno.OK ? 0 : 1;
                barrier.SignalAndWait();
            }
        }
    }
}
