using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Language.Vocabulary;
using Iommufd.Scenarios.Runner;
using Iommufd.Scenarios.Steps;
using Scope = Iommufd.Scenarios.Language.Expressions.Scope;

namespace Iommufd.Scenarios.Shrink;

/// <summary>
/// What every client of a seeded run really did: loops unrolled, choices made, numbers drawn. The same steps written as a scenario run
/// the same way under the same seed, and single ones of them can be left out.
/// </summary>
/// <param name="limit">Steps recorded; a run that takes more is not recorded whole.</param>
public sealed class RunTrace(int limit)
{
    private readonly List<ClientTrace> _clients = [];
    private int _steps;

    /// <summary>Why the record is not the whole run; null when it is.</summary>
    public string? Missing { get; private set; }

    /// <summary>Steps recorded.</summary>
    public int Steps => _steps;

    internal IReadOnlyList<ClientTrace> Clients => _clients;

    internal ClientTrace Begin(ClientAssignment client)
    {
        var trace = new ClientTrace(this, client);
        _clients.Add(trace);
        return trace;
    }

    internal void Add(FiberTrace fiber, Func<TreeNode> step)
    {
        if (Missing is not null)
        {
            return;
        }

        if (++_steps > limit)
        {
            Missing = $"the run takes more than {limit} steps";
            return;
        }

        try
        {
            fiber.Items.Add(new TraceStep(step()));
        }
        catch (NotSupportedException unknown)
        {
            Missing = unknown.Message;
        }
    }
}

/// <summary>What one client did. Used by its actor alone, under a seed.</summary>
internal sealed class ClientTrace(RunTrace run, ClientAssignment client)
{
    /// <summary>Which client.</summary>
    public ClientAssignment Client { get; } = client;

    /// <summary>What it did before, between and after its branches.</summary>
    public FiberTrace Main { get; } = new();

    /// <summary>An operation is about to be sent.</summary>
    public void Add(FiberTrace fiber, StepScope step) => run.Add(fiber, () => ConcreteStep.Of(step));

    /// <summary>A step without an outcome begins.</summary>
    public void Add(FiberTrace fiber, Step step, Scope scope) => run.Add(fiber, () => ConcreteStep.Of(step, scope));
}

/// <summary>What one line of execution did: steps, and branches that ran at the same time.</summary>
internal sealed class FiberTrace
{
    /// <summary>In order.</summary>
    public List<TraceItem> Items { get; } = [];

    /// <summary>A <c>parallel</c> begins.</summary>
    public TraceBranches Fork()
    {
        var branches = new TraceBranches();
        Items.Add(branches);
        return branches;
    }
}

/// <summary>A step, or branches.</summary>
internal abstract class TraceItem;

/// <summary>A step as it ran.</summary>
internal sealed class TraceStep(TreeNode step) : TraceItem
{
    public TreeNode Step { get; } = step;
}

/// <summary>Branches that ran at the same time.</summary>
internal sealed class TraceBranches : TraceItem
{
    public List<FiberTrace> Branches { get; } = [];

    public FiberTrace Add()
    {
        var branch = new FiberTrace();
        Branches.Add(branch);
        return branch;
    }
}
