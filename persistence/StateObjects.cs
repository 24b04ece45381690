using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>An object that is not the same in two states.</summary>
/// <param name="Name">Its kind and id; <c>context</c> for what belongs to none.</param>
/// <param name="OnlyInOurs">Lines of the one state.</param>
/// <param name="OnlyInTheirs">Lines of the other.</param>
public sealed record ObjectDifference(
    string Name,
    IReadOnlyList<string> OnlyInOurs,
    IReadOnlyList<string> OnlyInTheirs
);

/// <summary>The lines of a context's description, by object.</summary>
public static class StateObjects
{
    private const string Context = "context";
    private const string Suffix = "Object";

    /// <summary>Takes a description apart.</summary>
    public static IReadOnlyDictionary<string, List<string>> Of(IReadOnlyList<string> lines)
    {
        var objects = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        List<string>? current = null;
        foreach (var line in lines)
        {
            var name = NameIn(line) ?? (current is null ? Context : null);
            if (name is not null)
            {
                objects[name] = current = [];
            }

            current!.Add(line);
        }

        return objects;
    }

    /// <summary>The objects of a context; none of one that is closed or was never opened.</summary>
    public static IReadOnlyDictionary<string, List<string>> Of(ReplayedContext context) =>
        Of(context.Applied == 0 || context.ClosedWith is not null ? [] : context.Describe(withText: true).Lines);

    /// <summary>What differs between two states, in the order of the one, then of the other.</summary>
    public static IReadOnlyList<ObjectDifference> Differences(
        IReadOnlyDictionary<string, List<string>> ours,
        IReadOnlyDictionary<string, List<string>> theirs
    )
    {
        var found = new List<ObjectDifference>();
        foreach (var name in ours.Keys.Union(theirs.Keys, StringComparer.Ordinal))
        {
            var left = ours.GetValueOrDefault(name) ?? [];
            var right = theirs.GetValueOrDefault(name) ?? [];
            if (!left.SequenceEqual(right, StringComparer.Ordinal))
            {
                var (mine, other) = WithoutCommon(left, right);
                found.Add(new ObjectDifference(name, mine, other));
            }
        }

        return found;
    }

    /// <summary>The objects that an event names, as they are in a state.</summary>
    public static IReadOnlyList<string> NamedBy(ContextEvent change, IReadOnlyDictionary<string, List<string>> state) =>
        WithIds(EventObjects.Of(change).ToHashSet(), state);

    /// <summary>The objects that have one of some ids, as they are in a state.</summary>
    public static IReadOnlyList<string> WithIds(
        IReadOnlySet<uint> ids,
        IReadOnlyDictionary<string, List<string>> state
    ) => [.. state.Where(o => IdOf(o.Key) is { } id && ids.Contains(id)).SelectMany(o => o.Value)];

    // A description has an object's lines behind "KindObject ID users N".
    private static string? NameIn(string line)
    {
        var words = line.Split(' ', 3);
        return
            words.Length == 3 && words[0].EndsWith(Suffix, StringComparison.Ordinal) && uint.TryParse(words[1], out _)
            ? $"{words[0][..^Suffix.Length]} {words[1]}"
            : null;
    }

    private static uint? IdOf(string name) =>
        uint.TryParse(name.AsSpan(name.LastIndexOf(' ') + 1), out var id) ? id : null;

    // The lines between the common beginning and the common end.
    private static (IReadOnlyList<string> Ours, IReadOnlyList<string> Theirs) WithoutCommon(
        List<string> ours,
        List<string> theirs
    )
    {
        var shorter = Math.Min(ours.Count, theirs.Count);
        var start = 0;
        while (start < shorter && string.Equals(ours[start], theirs[start], StringComparison.Ordinal))
        {
            start++;
        }

        var end = 0;
        while (end < shorter - start && string.Equals(ours[^(end + 1)], theirs[^(end + 1)], StringComparison.Ordinal))
        {
            end++;
        }

        return (ours[start..^end], theirs[start..^end]);
    }
}
