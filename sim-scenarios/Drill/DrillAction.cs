// A drill issues every command that there is, in an order in which each can succeed. DrillAction: one thing it asks for;
// CommandDrill and its parts: the order; ClientActor.Drill: who carries it out in a run.
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Drill;

/// <summary>One thing that a drill asks for. Its answer is noted in it before the drill goes on.</summary>
public abstract class DrillAction;

/// <summary>A command to the context.</summary>
/// <param name="command">The command.</param>
/// <param name="expected">How it ends where nothing is made to fail.</param>
public sealed class DrillCall(IoctlCommand command, Errno expected) : DrillAction
{
    /// <summary>The command.</summary>
    public IoctlCommand Command { get; } = command;

    /// <summary>How it ends where nothing is made to fail.</summary>
    public Errno Expected { get; } = expected;

    /// <summary>How it ended.</summary>
    public IoctlResult? Result { get; set; }

    /// <summary>Whether it succeeded.</summary>
    public bool IsOk => Result is { IsOk: true };

    /// <summary>The struct that was written back; as it was sent where nothing was.</summary>
    public T Back<T>()
        where T : IoctlCommand => Result?.WriteBack as T ?? (T)Command;
}

/// <summary>A message to the process's memory that is answered without an errno that matters.</summary>
/// <param name="message">What is asked.</param>
public sealed class DrillMessage(object message) : DrillAction
{
    /// <summary>What is asked.</summary>
    public object Message { get; } = message;

    /// <summary>The answer.</summary>
    public object? Answer { get; set; }
}
