using Iommufd.Messages;

namespace Iommufd.Core.Pages;

// Charging pinned pages to the owner, and changing the owner.
public sealed partial class PageSet
{
    /// <summary>Pinned pages that the owner's counters know of; differs from the pinned ones inside an operation only.</summary>
    private long _accounted;

    /// <summary>How the pages are charged.</summary>
    public AccountingMode Accounting { get; }

    /// <summary>Pages charged against a limit now; 0 in mode NONE.</summary>
    public long ChargedPages => Accounting == AccountingMode.None ? 0 : _accounted;

    /// <summary>Charges what was pinned, or gives back what was unpinned, since the last time.</summary>
    /// <returns>ENOMEM with nothing charged when the limit would be exceeded.</returns>
    public Errno Settle()
    {
        long change = PinnedPages - _accounted;
        if (change == 0)
        {
            return Errno.OK;
        }

        bool refused = change > 0 && _fault is { FailsPins: false };
        Errno result = refused ? Errno.ENOMEM : Owner.Charge(Accounting, change);
        if (result == Errno.OK)
        {
            _accounted = PinnedPages;
        }

        return result;
    }

    /// <summary>CHANGE_PROCESS, first pass: only the page sets of files can change hands.</summary>
    /// <returns>EINVAL for user memory and dma-bufs.</returns>
    public Errno CheckOwnerChange() => IsFile ? Errno.OK : Errno.EINVAL;

    /// <summary>
    /// CHANGE_PROCESS, second pass: pages that a new owner is charged for. 0 when nothing moves: mode NONE always; MM when
    /// the mm stays; USER when user and mm stay.
    /// </summary>
    public long PagesToCharge(ProcessMemory caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        bool stays = Accounting switch
        {
            AccountingMode.None => true,
            AccountingMode.Mm => ReferenceEquals(caller, Owner),
            _ => ReferenceEquals(caller, Owner) && ReferenceEquals(caller.User, Owner.User),
        };
        return stays ? 0 : _accounted;
    }

    /// <summary>
    /// CHANGE_PROCESS, third pass: gives the old owner's charge back and makes the caller, who has been charged, the
    /// owner. In mode NONE only the owner changes; later unpins count on the new one all the same.
    /// </summary>
    public void SwitchOwner(ProcessMemory caller)
    {
        long moved = PagesToCharge(caller);
        if (moved != 0)
        {
            Owner.Charge(Accounting, -moved);
        }

        _owner = caller;
    }

    /// <summary>CHANGE_PROCESS for all page sets of a context: all of them change hands, or none.</summary>
    /// <param name="sets">The page sets of all areas, in the order in which errors are met; repetitions count once.</param>
    /// <param name="caller">The new owner.</param>
    /// <returns>EINVAL when one is not a file's; ENOMEM when the caller's limit has no room for their charges.</returns>
    public static Errno ChangeOwner(IEnumerable<PageSet> sets, ProcessMemory caller)
    {
        ArgumentNullException.ThrowIfNull(sets);
        ArgumentNullException.ThrowIfNull(caller);
        var each = new List<PageSet>();
        var seen = new HashSet<PageSet>(ReferenceEqualityComparer.Instance);
        foreach (PageSet set in sets)
        {
            Errno allowed = set.CheckOwnerChange();
            if (allowed != Errno.OK)
            {
                return allowed;
            }

            if (seen.Add(set))
            {
                each.Add(set);
            }
        }

        long user = 0;
        long mm = 0;
        foreach (PageSet set in each)
        {
            long pages = set.PagesToCharge(caller);
            user += set.Accounting == AccountingMode.User ? pages : 0;
            mm += set.Accounting == AccountingMode.Mm ? pages : 0;
        }

        if (user > 0 && caller.Charge(AccountingMode.User, user) != Errno.OK)
        {
            return Errno.ENOMEM;
        }

        if (mm > 0 && caller.Charge(AccountingMode.Mm, mm) != Errno.OK)
        {
            caller.Charge(AccountingMode.User, -user);
            return Errno.ENOMEM;
        }

        foreach (PageSet set in each)
        {
            set.SwitchOwner(caller);
        }

        return Errno.OK;
    }
}
