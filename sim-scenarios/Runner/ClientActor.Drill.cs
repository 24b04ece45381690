using Akka.Actor;
using Iommufd.Core.Faults;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
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
        fiber.Drill = new CommandDrill(_processId, device).Run().GetEnumerator();
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
        switch (fiber.Drill.Current)
        {
            case DrillCall call:
                _calls.Add(++_lastTag, fiber);
                _context.Tell(new IoctlRequest(_lastTag, _processId, call.Command), Self);
                DieIfStruck(call.Command);
                break;
            case DrillMessage { ToMachine: true } ask:
                _machineCalls.Enqueue(fiber);
                _run.Machine.Tell(ask.Message, Self);
                break;
            case DrillMessage ask:
                _memoryCalls.Enqueue(fiber);
                _memory.Tell(ask.Message, Self);
                break;
        }

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
        long count = _run.Metrics.AddOperation(OperationWords.Of(call.Command), errno, fiber.SentAt);
        if (_run.CheckEvery is { } every && count % every == 0)
        {
            Context.Parent.Tell(new CheckDue(), Self);
        }

        bool allowed = errno == call.Expected;
        if ((_run.Faults is not null && Tolerates(errno, allowed)) || allowed)
        {
            return;
        }

        string step = $"drill {OperationWords.Of(call.Command)}";
        _run.Metrics.AddFailure(
            new FailedExpectation(fiber.Waiting!.Step.At, _process!.Name, step, $"{call.Expected}", $"{errno}")
        );
    }

    private void OnMachineAnswer(object answer)
    {
        if (_machineCalls.TryDequeue(out Fiber? fiber))
        {
            AnsweredDrill(fiber, answer);
        }
    }
}
