using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>
/// A step that asks the simulator for something and ends with an errno. It turns its keys into one request and the
/// answer into an outcome; it never sends anything itself.
/// </summary>
public abstract class OperationKind : StepKind
{
    /// <inheritdoc/>
    public override bool HasOutcome => true;

    /// <summary>Builds the request.</summary>
    /// <exception cref="EvaluationException">A key cannot be computed.</exception>
    /// <exception cref="MissingObjectException">An object that the step uses was never made, because its step failed.</exception>
    public abstract StepRequest Prepare(StepScope scope);

    /// <summary>Reads the answer: notes the objects that were made, and reports errno and outputs.</summary>
    public abstract StepOutcome Complete(StepScope scope, object answer);
}

/// <summary>A step that is one ioctl or driver call.</summary>
public abstract class CommandKind : OperationKind
{
    /// <inheritdoc/>
    public sealed override StepRequest Prepare(StepScope scope) => new CommandRequest(Command(scope));

    /// <inheritdoc/>
    public sealed override StepOutcome Complete(StepScope scope, object answer)
    {
        var result = (IoctlResult)answer;
        return result.IsOk ? Succeeded(scope, result) : Failed(result);
    }

    /// <summary>The command to send.</summary>
    protected abstract IoctlCommand Command(StepScope scope);

    /// <summary>Notes what a successful command made.</summary>
    protected virtual StepOutcome Succeeded(StepScope scope, IoctlResult result) => StepOutcome.Ok;

    /// <summary>Some commands write outputs back with an error too.</summary>
    protected virtual StepOutcome Failed(IoctlResult result) => new(result.Errno, []);
}

/// <summary>What a step asks for, and of whom.</summary>
public abstract record StepRequest;

/// <summary>An ioctl or driver call to the client's context.</summary>
/// <param name="Command">The call.</param>
/// <param name="ProcessId">Another process of the client that calls; null for its own.</param>
public sealed record CommandRequest(IoctlCommand Command, int? ProcessId = null) : StepRequest;

/// <summary>A message to the client's process memory.</summary>
/// <param name="Message">One of the memory messages of Messages.Host.</param>
public sealed record MemoryRequest(object Message) : StepRequest;

/// <summary>The client's context is closed.</summary>
public sealed record CloseRequest : StepRequest;

/// <summary>How a step ended.</summary>
/// <param name="Errno">OK or the error.</param>
/// <param name="Outputs">The outputs that can be compared, by name.</param>
public readonly record struct StepOutcome(Errno Errno, (string Name, Int128 Value)[] Outputs)
{
    /// <summary>Success without outputs.</summary>
    public static StepOutcome Ok => new(Errno.OK, []);

    /// <summary>Success with outputs.</summary>
    public static StepOutcome With(params (string Name, Int128 Value)[] outputs) => new(Errno.OK, outputs);

    /// <summary>An output by name, or null.</summary>
    public Int128? Find(string name)
    {
        foreach ((string candidate, Int128 value) in Outputs)
        {
            if (string.Equals(candidate, name, StringComparison.Ordinal))
            {
                return value;
            }
        }

        return null;
    }
}
