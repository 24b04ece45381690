using Iommufd.Scenarios.Language.Tree;

namespace Iommufd.Scenarios.Shrink;

/// <summary>A step of a case. Compared by identity: the same words at two places are two steps.</summary>
internal sealed class CaseStep(TreeNode node)
{
    private const string GivesName = "as";

    // Keys whose values name something that another step made.
    private static readonly HashSet<string> UsingKeys = new(StringComparer.Ordinal)
    {
        "ioas",
        "memory",
        "area",
        "device",
        "to",
        "from",
        "access",
        "pin",
        "hwpt",
        "dma",
    };

    /// <summary>The step as a scenario has it.</summary>
    public TreeNode Node { get; } = node;

    /// <summary>Its word: map, unmap, dma …</summary>
    public string Word => Node is TreeMapping mapping ? mapping.Entries[0].Key.Text : ((TreeScalar)Node).Text;

    /// <summary>The name that it gives; null for none.</summary>
    public string? Given =>
        Value switch
        {
            TreeMapping keys => (keys.Find(GivesName) as TreeScalar)?.Text,
            TreeScalar name when Word is "ioas-alloc" => name.Text,
            _ => null,
        };

    /// <summary>The machine's device that it binds; null for none.</summary>
    public string? BoundDevice =>
        Word is "bind" && Value is TreeMapping keys ? (keys.Find("device") as TreeScalar)?.Text : null;

    /// <summary>The step's value: its keys, or what its short form says.</summary>
    public TreeNode? Value => Node is TreeMapping mapping ? mapping.Entries[0].Value : null;

    /// <summary>Whether it uses something by a name.</summary>
    public bool Uses(string name) =>
        Value switch
        {
            TreeMapping keys => keys.Entries.Any(e =>
                UsingKeys.Contains(e.Key.Text)
                && e.Value is TreeScalar scalar
                && string.Equals(scalar.Text, name, StringComparison.Ordinal)
            ),
            TreeScalar scalar => Word is not "ioas-alloc" && string.Equals(scalar.Text, name, StringComparison.Ordinal),
            _ => false,
        };
}

/// <summary>Where in a case a step is.</summary>
/// <param name="Step">The step.</param>
/// <param name="Client">Its client.</param>
/// <param name="Way">The branches on the way to it: which group of them, which of the group, and so on.</param>
internal sealed record PlacedStep(CaseStep Step, int Client, IReadOnlyList<int> Way);

/// <summary>A list of steps, and of branches that run at the same time. Immutable.</summary>
internal sealed class CaseBody
{
    private readonly IReadOnlyList<object> _items;

    private CaseBody(IReadOnlyList<object> items) => _items = items;

    /// <summary>Whether there is no step in it.</summary>
    public bool IsEmpty => _items.Count == 0;

    /// <summary>Whether anything in it runs at the same time.</summary>
    public bool HasBranches => _items.Any(i => i is CaseBody[]);

    /// <summary>Takes over what a line of execution did.</summary>
    public static CaseBody Of(FiberTrace trace) =>
        Tidy(
            trace.Items.Select(item =>
                item is TraceStep step
                    ? new CaseStep(step.Step)
                    : (object)((TraceBranches)item).Branches.Select(Of).ToArray()
            )
        );

    /// <summary>All steps, in the order of the text.</summary>
    public IEnumerable<PlacedStep> Leaves(int client, IReadOnlyList<int> way)
    {
        int group = 0;
        foreach (object item in _items)
        {
            if (item is CaseStep step)
            {
                yield return new PlacedStep(step, client, way);
                continue;
            }

            group++;
            var branches = (CaseBody[])item;
            for (int i = 0; i < branches.Length; i++)
            {
                foreach (PlacedStep inner in branches[i].Leaves(client, [.. way, group, i]))
                {
                    yield return inner;
                }
            }
        }
    }

    /// <summary>Without some steps; branches of which only one is left join the list around them.</summary>
    public CaseBody Without(IReadOnlySet<CaseStep> gone) =>
        Tidy(
            _items
                .Where(i => i is not CaseStep step || !gone.Contains(step))
                .Select(i => i is CaseBody[] branches ? branches.Select(b => b.Without(gone)).ToArray() : i)
        );

    /// <summary>With one step changed.</summary>
    public CaseBody Replace(CaseStep step, TreeNode by) =>
        new(
            [
                .. _items.Select(i =>
                    ReferenceEquals(i, step) ? new CaseStep(by)
                    : i is CaseBody[] branches ? branches.Select(b => b.Replace(step, by)).ToArray()
                    : i
                ),
            ]
        );

    /// <summary>With all branches one after another.</summary>
    public CaseBody Flattened() =>
        new(
            [.. _items.SelectMany(i => i is CaseBody[] branches ? branches.SelectMany(b => b.Flattened()._items) : [i])]
        );

    /// <summary>As a scenario has it.</summary>
    public TreeNode ToTree() => TreeWriter.List([.. _items.Select(ItemOf)]);

    private static TreeNode ItemOf(object item) =>
        item is CaseStep step
            ? step.Node
            : TreeWriter.Mapping(
                TreeWriter.Entry("parallel", TreeWriter.List([.. ((CaseBody[])item).Select(b => b.ToTree())]))
            );

    private static CaseBody Tidy(IEnumerable<object> items)
    {
        var tidy = new List<object>();
        foreach (object item in items)
        {
            if (item is not CaseBody[] branches)
            {
                tidy.Add(item);
                continue;
            }

            CaseBody[] left = [.. branches.Where(b => !b.IsEmpty)];
            if (left.Length > 1)
            {
                tidy.Add(left);
            }
            else if (left.Length == 1)
            {
                tidy.AddRange(left[0]._items);
            }
        }

        return new CaseBody(tidy);
    }
}
