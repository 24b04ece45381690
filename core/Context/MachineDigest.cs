using Iommufd.Core.Participants;

namespace Iommufd.Core.Context;

/// <summary>The digest of a whole run: every context's, in the order of their numbers.</summary>
public static class MachineDigest
{
    /// <summary>Folds the contexts' digests; of a closed context it is the one taken just before the close.</summary>
    public static ulong Of(IReadOnlyDictionary<int, ulong> byContext)
    {
        var hash = Fnv1a.Empty;
        foreach (var (number, digest) in byContext.OrderBy(d => d.Key))
        {
            hash = hash.Add((ulong)number).Add(digest);
        }

        return hash.Value;
    }
}
