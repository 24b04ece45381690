namespace Iommufd.Core.Pages;

/// <summary>
/// The locked pages of one user, shared by all of the user's processes. Safe from any thread.
/// </summary>
public sealed class UserAccount
{
    private long _lockedPages;

    /// <summary>Pages charged now.</summary>
    public long LockedPages => Volatile.Read(ref _lockedPages);

    /// <summary>Charges pages unless the user would then be above a limit; the limit is the charging process's.</summary>
    /// <returns>False (ENOMEM) with nothing charged.</returns>
    public bool TryCharge(long pages, long limitPages) => LockedPageCounter.TryAdd(ref _lockedPages, pages, limitPages);

    /// <summary>Takes a charge back.</summary>
    public void Uncharge(long pages) => Interlocked.Add(ref _lockedPages, -pages);
}

/// <summary>A counter with a limit that is given at each charge.</summary>
internal static class LockedPageCounter
{
    public static bool TryAdd(ref long counter, long pages, long limit)
    {
        long seen = Volatile.Read(ref counter);
        while (seen + pages <= limit)
        {
            long found = Interlocked.CompareExchange(ref counter, seen + pages, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }
}

/// <summary>Which counter the pages of a page set are charged to; fixed when the page set is made.</summary>
public enum AccountingMode
{
    /// <summary>No limit; only the statistic VmPin of the owner's mm moves.</summary>
    None,

    /// <summary>The locked pages of the owner's user, limited by the owner's RLIMIT_MEMLOCK.</summary>
    User,

    /// <summary>The locked pages of the owner's mm (VmLck), limited by the owner's RLIMIT_MEMLOCK.</summary>
    Mm,
}
