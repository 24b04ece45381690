using System.Runtime.InteropServices;

namespace Iommufd.Core.PageTables;

// Variants of single steps with one ordering taken away; reached only with formats that ask for it (see OrderingFault).
public sealed unsafe partial class PageTable<TFormat>
{
    private bool LinkWeakened(ref ulong item, int level, out ulong word)
    {
        word = 0;
        if (TFormat.Weakened == OrderingFault.PlainLink)
        {
            word = TFormat.TableWord((ulong)NewTable(), level);
            Volatile.Write(ref item, word);
            return true;
        }

        if (TFormat.Weakened != OrderingFault.LinkBeforeFill)
        {
            return false;
        }

        nint page = TableReclamation.ThreadTables.Current.TakeUsed();
        word = TFormat.TableWord((ulong)page, level);
        Volatile.Write(ref item, word);
        NativeMemory.Clear((void*)page, TableArena.PageBytes);
        return true;
    }

    private static bool LinkWholeWeakened(ref ulong item, nint page, ulong leaf)
    {
        if (TFormat.Weakened != OrderingFault.LinkBeforeFill)
        {
            return false;
        }

        Volatile.Write(ref item, TFormat.TableWord((ulong)page, 1));
        _ = TFormat.TableValue(1);
        ItemRuns.Fill((ulong*)page, Items, leaf, AddressStep(1UL << TFormat.GranuleShift));
        return true;
    }

    private bool DetachWeakened(ref ulong item, ulong* child, int level)
    {
        switch (TFormat.Weakened)
        {
            case OrderingFault.NoGracePeriod:
                Volatile.Write(ref item, 0);
                Forget(child, level);
                _detached.Bump();
                TableReclamation.ThreadTables.Current.GiveBack((nint)child, clean: false);
                return true;
            case OrderingFault.NoDetachCount:
                Volatile.Write(ref item, 0);
                Forget(child, level);
                TableReclamation.ThreadTables.Current.Retire((nint)child, clean: false);
                return true;
            case OrderingFault.CountBeforeUnlink:
                _detached.Bump();
                _ = TFormat.TableValue(1);
                Volatile.Write(ref item, 0);
                Forget(child, level);
                TableReclamation.ThreadTables.Current.Retire((nint)child, clean: false);
                return true;
            case OrderingFault.ForgetAfterRetire:
                Volatile.Write(ref item, 0);
                _detached.Bump();
                TableReclamation.ThreadTables.Current.Retire((nint)child, clean: false);
                _ = TFormat.TableValue(1);
                Forget(child, level);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Exchanges a word, or with a fault asked for, just stores it.</summary>
    private static ulong Replace(ref ulong item, ulong word, ulong expected, OrderingFault fault)
    {
        if (TFormat.Weakened == fault)
        {
            _ = TFormat.TableValue(1);
            Volatile.Write(ref item, word);
            return expected;
        }

        return Interlocked.CompareExchange(ref item, word, expected);
    }
}
