using Iommufd.Core.PageTables;
using Iommufd.Core.PageTables.Formats;

namespace Iommufd.Bench.Iopte;

/// <summary>
/// Two threads against one: CPU time of a thread for an operation, so that a machine with other work, or with one core, gives
/// the same answer.
/// </summary>
internal static class ThreadScaling
{
    private const string Area = "iopte";
    private const ulong Page = 4096;
    private const int Operations = 400_000;
    private const int Rounds = 7;

    internal static void Add(List<BenchRow> rows)
    {
        AddPair(rows, "two threads map + unmap 4K, disjoint ranges", 0, 1UL << 32);
        AddPair(rows, "two threads map + unmap 4K, one leaf table", 0, 256 * Page);
        AddReadWhileWriting(rows);
    }

    private static void AddPair(List<BenchRow> rows, string name, ulong first, ulong second)
    {
        double alone = double.MaxValue;
        double together = double.MaxValue;
        using var table = new PageTable<VtdSecondStage>();
        for (int round = 0; round < Rounds; round++)
        {
            alone = Math.Min(alone, MapAndUnmap(table, first));
            double[] costs = InParallel(() => MapAndUnmap(table, first), () => MapAndUnmap(table, second));
            together = Math.Min(together, costs.Max());
        }

        rows.Add(new BenchRow(Area, name, "thread-CPU ns", together, "one thread", alone, together / alone));
    }

    private static void AddReadWhileWriting(List<BenchRow> rows)
    {
        double idle = double.MaxValue;
        double busy = double.MaxValue;
        using var table = new PageTable<VtdSecondStage>();
        table.Map(0, 1UL << 36, 4096 * Page, IoptePermissions.Read);
        for (int round = 0; round < Rounds; round++)
        {
            idle = Math.Min(idle, Translate(table));
            bool stop = false;
            double[] costs = InParallel(
                () =>
                {
                    double cost = Translate(table);
                    Volatile.Write(ref stop, true);
                    return cost;
                },
                () =>
                {
                    while (!Volatile.Read(ref stop))
                    {
                        table.Map(1UL << 40, Page, 1024 * Page, IoptePermissions.Read);
                        table.Unmap(1UL << 40, 1024 * Page);
                    }

                    return 0;
                }
            );
            busy = Math.Min(busy, costs[0]);
        }

        string name = "translate while a writer maps and unmaps elsewhere";
        rows.Add(new BenchRow(Area, name, "thread-CPU ns", busy, "no writer", idle, busy / idle));
    }

    private static double[] InParallel(Func<double> first, Func<double> second)
    {
        var results = new double[2];
        using var start = new Barrier(2);
        var threads = new Thread[2];
        Func<double>[] works = [first, second];
        for (int i = 0; i < 2; i++)
        {
            int me = i;
            threads[i] = new Thread(() =>
            {
                start.SignalAndWait();
                results[me] = works[me]();
            });
            threads[i].Start();
        }

        Array.ForEach(threads, thread => thread.Join());
        return results;
    }

    private static double MapAndUnmap(PageTable<VtdSecondStage> table, ulong iova)
    {
        double start = NativeCalls.ThreadNanoseconds();
        for (ulong i = 0; i < Operations; i++)
        {
            ulong at = iova + ((i & 127) * Page);
            table.Map(at, at, Page, IoptePermissions.ReadWrite);
            table.Unmap(at, Page);
        }

        return (NativeCalls.ThreadNanoseconds() - start) / Operations;
    }

    private static double Translate(PageTable<VtdSecondStage> table)
    {
        double start = NativeCalls.ThreadNanoseconds();
        ulong sum = 0;
        for (ulong i = 0; i < Operations; i++)
        {
            table.TryTranslate((i & 4095) * Page, out ulong physical);
            sum += physical;
        }

        GC.KeepAlive(sum);
        return (NativeCalls.ThreadNanoseconds() - start) / Operations;
    }
}
