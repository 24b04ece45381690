using Iommufd.Core.Faults;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Drill;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Vocabulary;
using Iommufd.Scenarios.Steps;
using Scope = Iommufd.Scenarios.Language.Expressions.Scope;

namespace Iommufd.Scenarios.Runner;

// A drill: a step that issues one command after another.
internal sealed partial class ClientActor
{
    private bool StartDrill(Fiber fiber, Step step, Scope scope)
    {
        string? device = step.Values.Get(DrillStep.Device)?.Render(scope);
        fiber.Waiting = new StepScope(step, scope, _objects);
        if (fiber.Trace is { } trace)
        {
            _trace!.Add(trace, fiber.Waiting);
        }

        fiber.Drill = new CommandDrill(device, _objects.Iommufd).Run().GetEnumerator();
        return GoOnWithDrill(fiber);
    }

    /// <summary>Asks for the next thing; true when the drill is over.</summary>
    private bool GoOnWithDrill(Fiber fiber)
    {
        if (!_isOpen || _isStopping || _isDead || !fiber.Drill!.MoveNext())
        {
            fiber.Drill = null;
            fiber.Waiting = null;
            return true;
        }

        fiber.SentAt = _run.Metrics.Clock();
        fiber.Explained.Clear();
        StepRequest request = fiber.Drill.Current is DrillCall call
            ? new CommandRequest(call.Command)
            : new MemoryRequest(((DrillMessage)fiber.Drill.Current).Message);
        Send(fiber, request);
        return false;
    }

    /// <summary>An answer for a fiber that is in a drill; false for any other fiber.</summary>
    private bool AnsweredDrill(Fiber fiber, object answer)
    {
        if (fiber.Drill is not { } drill)
        {
            return false;
        }

        switch (drill.Current)
        {
            case DrillCall call:
                call.Result = (IoctlResult)answer;
                NoteDrillCall(fiber, call);
                break;
            case DrillMessage ask:
                ask.Answer = answer;
                break;
        }

        if (_isHeld)
        {
            // Stands still between two commands until the invariants are checked.
            fiber.IsHeldInDrill = true;
            Park(fiber);
        }
        else if (GoOnWithDrill(fiber))
        {
            Advance(fiber);
        }

        return true;
    }

    private void NoteDrillCall(Fiber fiber, DrillCall call)
    {
        _run.Metrics.AddProgress();
        Errno errno = call.Result!.Errno;
        CountOperation(OperationWords.Of(call.Command), errno, fiber.SentAt);
        bool allowed = errno == call.Expected;
        if ((_run.Faults is not null && Tolerates(fiber, errno, allowed)) || allowed)
        {
            return;
        }

        string step = $"drill {OperationWords.Of(call.Command)}";
        _run.Metrics.AddFailure(
            new FailedExpectation(fiber.Waiting!.Step.At, _process!.Name, step, $"{call.Expected}", $"{errno}")
        );
    }
}
