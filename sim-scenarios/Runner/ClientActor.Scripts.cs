using System.Numerics;
using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Steps;

namespace Iommufd.Scenarios.Runner;

internal sealed partial class ClientActor
{
    private readonly Queue<Fiber> _machineCalls = new();
    private readonly SortedDictionary<ulong, Stack<ScratchBuffer>> _freeBuffers = [];

    /// <summary>Sends the next request of a fiber's script; true when the step is over, and completed.</summary>
    private bool ContinueScript(Fiber fiber)
    {
        StepScript script = fiber.Script!;
        while (HasNextPart(fiber, script))
        {
            StepRequest part = script.Parts.Current;
            script.Pending = part;
            switch (part)
            {
                case BufferRequest buffer when TakeFree(buffer) is { } free:
                    script.Lend(free);
                    script.Answer = free;
                    continue;
                case BufferRequest buffer:
                    AskMemory(
                        fiber,
                        new MapMemory(
                            null,
                            SizeOf(buffer),
                            MemoryKind.Anonymous,
                            MemoryProtection.Read | MemoryProtection.Write
                        )
                    );
                    return false;
                case PauseRequest pause:
                    Timers.StartSingleTimer(fiber.Id, new ResumeFiber(fiber.Id), pause.Time);
                    return false;
                default:
                    Send(fiber, part);
                    return false;
            }
        }

        if (fiber.Script is not null)
        {
            EndScript(fiber, script);
            Complete(fiber, script.Outcome);
        }

        return true;
    }

    // A script that cannot go on is over without an outcome.
    private bool HasNextPart(Fiber fiber, StepScript script)
    {
        try
        {
            return script.Parts.MoveNext();
        }
        catch (MissingObjectException)
        {
            EndScript(fiber, script);
            fiber.Waiting = null;
            _run.Metrics.AddSkipped();
            return false;
        }
        catch (EvaluationException)
        {
            EndScript(fiber, script);
            fiber.Waiting = null;
            throw;
        }
    }

    private void EndScript(Fiber fiber, StepScript script)
    {
        foreach (ScratchBuffer buffer in script.Buffers)
        {
            if (!_freeBuffers.TryGetValue(buffer.Size, out Stack<ScratchBuffer>? free))
            {
                _freeBuffers[buffer.Size] = free = [];
            }

            free.Push(buffer);
        }

        fiber.Script = null;
    }

    private void OnPartAnswered(Fiber fiber, StepScript script, object answer)
    {
        _run.Metrics.AddProgress();
        if (answer is IoctlResult result && script.Pending is CommandRequest)
        {
            CountOperation(fiber.Waiting!.Step.Kind.Name, result.Errno, fiber.SentAt);
        }

        if (script.Pending is BufferRequest buffer && answer is MemoryMapped mapped)
        {
            var made = new ScratchBuffer(mapped.Address, SizeOf(buffer));
            script.Lend(made);
            answer = made;
        }

        script.Answer = answer;
        script.Pending = null;
        GoOnWithScript(fiber);
    }

    // The next request of a script waits, like the next step, while the invariants are checked.
    private void GoOnWithScript(Fiber fiber)
    {
        if (_isHeld)
        {
            Park(fiber);
            return;
        }

        fiber.SentAt = _run.Metrics.Clock();
        try
        {
            if (!ContinueScript(fiber))
            {
                return;
            }
        }
        catch (EvaluationException wrong)
        {
            Break(wrong);
        }

        Advance(fiber);
    }

    private void OnMachineAnswer(object answer)
    {
        if (_machineCalls.TryDequeue(out Fiber? fiber))
        {
            Answered(fiber, answer);
        }
    }

    // Both answer with these; a client has one of the two kinds of call under way only where it runs branches.
    private void OnMemoryOrMachineAnswer(object answer)
    {
        if (Sender.Equals(_memory))
        {
            OnMemoryAnswer(answer);
        }
        else
        {
            OnMachineAnswer(answer);
        }
    }

    private ScratchBuffer? TakeFree(BufferRequest wanted) =>
        _freeBuffers.TryGetValue(SizeOf(wanted), out Stack<ScratchBuffer>? free) && free.Count > 0 ? free.Pop() : null;

    private static ulong SizeOf(BufferRequest wanted) =>
        BitOperations.RoundUpToPowerOf2(Math.Max(wanted.Size, HostPage.Size));
}
