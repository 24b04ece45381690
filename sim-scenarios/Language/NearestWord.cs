namespace Iommufd.Scenarios.Language;

/// <summary>Finds the valid word that a mistyped one was probably meant to be.</summary>
public static class NearestWord
{
    /// <summary>
    /// The closest of <paramref name="valid"/> by edits (insert, drop, change, swap two neighbours), or null when none
    /// is close enough to be a likely typing mistake. Ties go to the word listed first.
    /// </summary>
    public static string? Of(string word, IEnumerable<string> valid)
    {
        string? best = null;
        int bestDistance = Math.Max(2, word.Length / 3) + 1;
        foreach (string candidate in valid)
        {
            // A word that someone stopped typing is as good as one with a single slip.
            bool begun = word.Length >= 3 && Folded(candidate).StartsWith(Folded(word), StringComparison.Ordinal);
            int distance = begun ? 1 : Distance(Folded(word), Folded(candidate));
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best;
    }

    /// <summary>The hint to append to a message: <c>; did you mean 'x'?</c>, else the whole list when it is short.</summary>
    public static string Hint(string word, IReadOnlyCollection<string> valid)
    {
        string? nearest = Of(word, valid);
        if (nearest is not null)
        {
            return $"; did you mean '{nearest}'?";
        }

        return valid.Count is > 0 and <= 16 ? $"; valid here: {string.Join(", ", valid)}" : string.Empty;
    }

    private static string Folded(string word) => word.ToLowerInvariant().Replace('_', '-');

    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            rows[i, 0] = i;
        }

        for (int j = 0; j <= b.Length; j++)
        {
            rows[0, j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int change = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(change, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if (swapped)
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }
}
