using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>
/// A step that takes several requests: it fills buffers of the process, calls, reads what came back, perhaps waits and calls again.
/// It yields one request after the other and reads each answer from the script; the runner sends them. Ioctls in it are counted as
/// operations of the step.
/// </summary>
public abstract class ScriptKind : OperationKind
{
    /// <inheritdoc/>
    public sealed override StepRequest Prepare(StepScope scope)
    {
        var script = new StepScript();
        script.Parts = Run(scope, script);
        return new ScriptRequest(script);
    }

    /// <inheritdoc/>
    public sealed override StepOutcome Complete(StepScope scope, object answer) => (StepOutcome)answer;

    /// <summary>The requests, one after the other; sets the outcome on its way.</summary>
    protected abstract IEnumerator<StepRequest> Run(StepScope scope, StepScript script);
}

/// <summary>An operation of several requests, half done. Used by the client's actor alone.</summary>
public sealed class StepScript
{
    private readonly List<ScratchBuffer> _buffers = [];

    /// <summary>The requests.</summary>
    public IEnumerator<StepRequest> Parts { get; set; } = null!;

    /// <summary>The answer to the last request.</summary>
    public object? Answer { get; set; }

    /// <summary>How the step ends.</summary>
    public StepOutcome Outcome { get; set; } = StepOutcome.Ok;

    /// <summary>The run is being stopped: nothing is waited for any more.</summary>
    public bool IsStopped { get; set; }

    /// <summary>The last request, while its answer is missing.</summary>
    public StepRequest? Pending { get; set; }

    /// <summary>Buffers that were lent to it.</summary>
    public IReadOnlyList<ScratchBuffer> Buffers => _buffers;

    /// <summary>The answer to an ioctl or a driver call.</summary>
    public IoctlResult Result => (IoctlResult)Answer!;

    /// <summary>Where a buffer lies that was asked for.</summary>
    public ulong Address => ((ScratchBuffer)Answer!).Address;

    /// <summary>The answer as what it is.</summary>
    public T As<T>() => (T)Answer!;

    /// <summary>Ends the step with an errno.</summary>
    public void Fail(Errno errno) => Outcome = new StepOutcome(errno, []);

    /// <summary>Notes a buffer that was lent.</summary>
    internal void Lend(ScratchBuffer buffer) => _buffers.Add(buffer);
}

/// <summary>A buffer in the client's process for the structs and arrays of ioctls.</summary>
/// <param name="Address">First byte.</param>
/// <param name="Size">Bytes, a power of two of whole pages.</param>
public sealed record ScratchBuffer(ulong Address, ulong Size);

/// <summary>An operation of several requests.</summary>
/// <param name="Script">What it does.</param>
public sealed record ScriptRequest(StepScript Script) : StepRequest;

/// <summary>Part of a script: lends it a buffer of its process; the answer is a <see cref="ScratchBuffer"/>.</summary>
/// <param name="Size">Bytes.</param>
public sealed record BufferRequest(ulong Size) : StepRequest;

/// <summary>A message to the machine that it answers itself.</summary>
/// <param name="Make">Makes the message for the client's process.</param>
public sealed record MachineRequest(Func<int, object> Make) : StepRequest;

/// <summary>Part of a script: lets time pass.</summary>
/// <param name="Time">How long.</param>
public sealed record PauseRequest(TimeSpan Time) : StepRequest;
