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
    private const int Operations = 1_000_000;
    private const int Rounds = 7;

    internal static void Add(List<BenchRow> rows)
    {
        AddWriters(rows);
        AddReadWhileWriting(rows);
    }

    /// <summary>
    /// Two writers in one table, and as controls two writers with a table each, and two threads of plain arithmetic: what those cost
    /// more than one thread is the machine's, not the page table's.
    /// </summary>
    private static void AddWriters(List<BenchRow> rows)
    {
        using var table = new PageTable<VtdSecondStage>();
        using var other = new PageTable<VtdSecondStage>();
        double alone = double.MaxValue;
        double aloneArithmetic = double.MaxValue;
        (string Name, Func<double> First, Func<double> Second)[] pairs =
        [
            ("disjoint ranges", () => MapAndUnmap(table, 0), () => MapAndUnmap(table, 1UL << 32)),
            ("one leaf table", () => MapAndUnmap(table, 0), () => MapAndUnmap(table, 256 * Page)),
            ("a table each", () => MapAndUnmap(table, 0), () => MapAndUnmap(other, 0)),
        ];
        var together = new double[pairs.Length];
        Array.Fill(together, double.MaxValue);
        double arithmetic = double.MaxValue;
        double aloneStores = double.MaxValue;
        double stores = double.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            alone = Math.Min(alone, Alone(() => MapAndUnmap(table, 0)));
            aloneArithmetic = Math.Min(aloneArithmetic, Alone(Arithmetic));
            aloneStores = Math.Min(aloneStores, Alone(Stores));
            for (int i = 0; i < pairs.Length; i++)
            {
                together[i] = Math.Min(together[i], InParallel(pairs[i].First, pairs[i].Second).Max());
            }

            arithmetic = Math.Min(arithmetic, InParallel(Arithmetic, Arithmetic).Max());
            stores = Math.Min(stores, InParallel(Stores, Stores).Max());
        }

        for (int i = 0; i < pairs.Length; i++)
        {
            string name = $"two threads map + unmap 4K, {pairs[i].Name}";
            rows.Add(new BenchRow(Area, name, "thread-CPU ns", together[i], "one thread", alone, together[i] / alone));
        }

        for (int i = 0; i < 2; i++)
        {
            string name = $"two threads map + unmap 4K, {pairs[i].Name}";
            double ratio = together[i] / together[2];
            rows.Add(new BenchRow(Area, name, "thread-CPU ns", together[i], "a table each", together[2], ratio));
        }

        rows.Add(
            new BenchRow(
                Area,
                "two threads, arithmetic on memory of their own",
                "thread-CPU ns",
                arithmetic,
                "one thread",
                aloneArithmetic,
                arithmetic / aloneArithmetic
            )
        );
        rows.Add(
            new BenchRow(
                Area,
                "two threads, loads and stores on memory of their own",
                "thread-CPU ns",
                stores,
                "one thread",
                aloneStores,
                stores / aloneStores
            )
        );
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

    /// <summary>On a thread of its own, as the pairs are.</summary>
    private static double Alone(Func<double> work)
    {
        double result = 0;
        var thread = new Thread(() => result = work());
        thread.Start();
        thread.Join();
        return result;
    }

    /// <summary>Loads and stores that do not wait for each other, on 4 KiB that no other thread knows: they fill a core, as a short walk does.</summary>
    private static double Stores()
    {
        var memory = new ulong[512];
        double start = NativeCalls.ThreadNanoseconds();
        for (ulong i = 0; i < Operations; i++)
        {
            int at = (int)(i & 127) * 4;
            memory[at] += i;
            memory[at + 1] ^= i;
            memory[at + 2] += 3;
            memory[at + 3] ^= 5;
        }

        double cost = (NativeCalls.ThreadNanoseconds() - start) / Operations;
        GC.KeepAlive(memory);
        return cost;
    }

    /// <summary>About as many instructions as a map and its unmap, on 4 KiB that no other thread knows.</summary>
    private static double Arithmetic()
    {
        var memory = new ulong[512];
        ulong state = 1;
        double start = NativeCalls.ThreadNanoseconds();
        for (ulong i = 0; i < Operations; i++)
        {
            for (int step = 0; step < 8; step++)
            {
                state = (state * 6364136223846793005) + 1442695040888963407;
                memory[state >> 55] += i;
            }
        }

        double cost = (NativeCalls.ThreadNanoseconds() - start) / Operations;
        GC.KeepAlive(memory);
        return cost;
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
