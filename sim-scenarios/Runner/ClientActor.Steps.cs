using Akka.Actor;
using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Iommufd.Scenarios.Drill;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Vocabulary;
using Iommufd.Scenarios.Shrink;
using Iommufd.Scenarios.Steps;
using Scope = Iommufd.Scenarios.Language.Expressions.Scope;

namespace Iommufd.Scenarios.Runner;

internal sealed partial class ClientActor
{
    // A fiber that only loops and computes lets the others of the client in after so many steps.
    private const int StepsInOneGo = 1000;

    private void Resume(long fiberId)
    {
        if (!_fibers.TryGetValue(fiberId, out Fiber? fiber))
        {
            return;
        }

        if (fiber.Waiting is null)
        {
            Advance(fiber);
        }
        else if (fiber.Script is { Pending: PauseRequest } script)
        {
            OnPartAnswered(fiber, script, fiberId);
        }
    }

    private void Advance(Fiber fiber)
    {
        _run.Metrics.AddProgress();
        if (_isHeld)
        {
            Park(fiber);
            return;
        }

        try
        {
            for (int i = 0; i < StepsInOneGo; i++)
            {
                if (fiber.Next(out Scope scope) is not { } step)
                {
                    EndFiber(fiber);
                    return;
                }

                if (!RunOrSkip(fiber, step, scope))
                {
                    return;
                }
            }

            Self.Tell(new ResumeFiber(fiber.Id), Self);
        }
        catch (EvaluationException wrong)
        {
            Break(wrong);
        }
    }

    private bool RunOrSkip(Fiber fiber, Step step, Scope scope)
    {
        try
        {
            return Run(fiber, step, scope);
        }
        catch (NotYetKnownException) when (_isDisturbed)
        {
            // The step that would have saved the number was struck, or skipped. A loop that asks for it whether to go on is
            // over: the next time round knows no more, and there may be a million.
            _run.Metrics.AddSkipped();
            if (step.Kind is LeaveStep)
            {
                fiber.LeaveLoop();
            }

            return true;
        }
    }

    private void EndFiber(Fiber fiber)
    {
        _fibers.Remove(fiber.Id);
        if (fiber.Parent is { } parent)
        {
            if (--parent.RunningBranches == 0)
            {
                Advance(parent);
            }
        }
        else
        {
            Close();
        }
    }

    /// <summary>Runs one step; false when the fiber has to wait for something.</summary>
    private bool Run(Fiber fiber, Step step, Scope scope)
    {
        switch (step.Kind)
        {
            case OperationKind operation:
                return RunOperation(fiber, step, operation, scope);
            case DrillStep:
                return StartDrill(fiber, step, scope);
            case RepeatStep:
                fiber.EnterLoop(
                    step.Values.Get(RepeatStep.Body)!,
                    scope,
                    RepeatStep.Times.Evaluate(step.Values.Get(RepeatStep.Times)!, scope),
                    step.Values.Get(RepeatStep.Index)
                );
                return true;
            case ParallelStep:
                return RunParallel(fiber, step, scope);
            case LeaveStep:
                if (
                    !step.Values.Has(LeaveStep.Condition)
                    || LeaveStep.Condition.Evaluate(step.Values.Get(LeaveStep.Condition)!, scope) != 0
                )
                {
                    fiber.LeaveLoop();
                }

                return true;
            case ChooseStep:
                RunChoose(fiber, step, scope);
                return true;
            case IfStep:
                bool holds = IfStep.Condition.Evaluate(step.Values.Get(IfStep.Condition)!, scope) != 0;
                fiber.Enter(step.Values.Get(holds ? IfStep.Then : IfStep.Else) ?? [], scope);
                return true;
            case LetStep:
                foreach (LetBinding binding in step.Values.Get(LetStep.Bindings)!)
                {
                    scope = scope.With(binding.Name, binding.Value.Evaluate(scope));
                }

                fiber.Top!.Scope = scope;
                return true;
            case BarrierStep:
                Record(fiber, step, scope);
                string meeting = step.Values.Get(BarrierStep.Meeting)!.Render(scope);
                Int128 parties = BarrierStep.Parties.Evaluate(step.Values.Get(BarrierStep.Parties)!, scope);
                Context.Parent.Tell(new AtBarrier(meeting, (long)parties, fiber.Id), Self);
                return false;
            default:
                Record(fiber, step, scope);
                Int128 nanoseconds = PauseStep.Time.Evaluate(step.Values.Get(PauseStep.Time)!, scope);
                TimeSpan time = JumpsClock() ? TimeSpan.Zero : TimeSpan.FromTicks((long)(nanoseconds / 100));
                Timers.StartSingleTimer(fiber.Id, new ResumeFiber(fiber.Id), time);
                return false;
        }
    }

    private bool RunParallel(Fiber fiber, Step step, Scope scope)
    {
        // Every branch draws from a generator of its own: what it does does not depend on who runs when.
        ulong seed = scope.Random.Next();
        var branches = new List<Fiber>();
        TraceBranches? trace = fiber.Trace?.Fork();
        if (step.Values.Get(ParallelStep.Branches) is { } lists)
        {
            foreach (IReadOnlyList<Step> list in lists)
            {
                Fiber branch = NewFiber(fiber, trace?.Add());
                branch.Enter(list, scope.Drawing(SeededRandom.For(seed, (ulong)branches.Count)));
                branches.Add(branch);
            }
        }
        else
        {
            Int128 count = ParallelStep.Count.Evaluate(step.Values.Get(ParallelStep.Count)!, scope);
            for (Int128 i = 0; i < count; i++)
            {
                Fiber branch = NewFiber(fiber, trace?.Add());
                string? index = step.Values.Get(ParallelStep.Index);
                Scope own = scope.Drawing(SeededRandom.For(seed, (ulong)i));
                branch.Enter(step.Values.Get(ParallelStep.Body)!, index is null ? own : own.With(index, i));
                branches.Add(branch);
            }
        }

        // Counted before any starts: a branch without an operation ends at once.
        fiber.RunningBranches = branches.Count;
        foreach (Fiber branch in branches)
        {
            Self.Tell(new ResumeFiber(branch.Id), Self);
        }

        return branches.Count == 0;
    }

    private void Record(Fiber fiber, Step step, Scope scope)
    {
        if (fiber.Trace is { } trace)
        {
            _trace!.Add(trace, step, scope);
        }
    }

    private static void RunChoose(Fiber fiber, Step step, Scope scope)
    {
        IReadOnlyList<FieldValues> ways = step.Values.Get(ChooseStep.Ways)!;
        Int128 total = 0;
        foreach (FieldValues way in ways)
        {
            total += Weight(way);
        }

        if (total == 0)
        {
            return;
        }

        Int128 drawn = scope.Random.Between(0, total - 1);
        foreach (FieldValues way in ways)
        {
            drawn -= Weight(way);
            if (drawn < 0)
            {
                fiber.Enter(way.Get(ChooseStep.Body)!, scope);
                return;
            }
        }

        Int128 Weight(FieldValues way) =>
            way.Get(ChooseStep.Weight) is { } weight ? ChooseStep.Weight.Evaluate(weight, scope) : 1;
    }

    private bool RunOperation(Fiber fiber, Step step, OperationKind operation, Scope scope)
    {
        var own = new StepScope(step, scope, _objects);
        StepRequest request;
        try
        {
            request = operation.Prepare(own);
        }
        catch (MissingObjectException)
        {
            // Its maker failed, which was noted there unless it was expected.
            _run.Metrics.AddSkipped();
            return true;
        }

        if (!CanAsk(request))
        {
            if (_isDisturbed)
            {
                // What would have held the context open was struck.
                _run.Metrics.AddSkipped();
            }
            else
            {
                _run.Metrics.AddFailure(Failure(own, "an open context", "the context is closed"));
            }

            return true;
        }

        if (fiber.Trace is { } trace)
        {
            _trace!.Add(trace, own);
        }

        fiber.Waiting = own;
        fiber.SentAt = _run.Metrics.Clock();
        fiber.Explained.Clear();
        return Send(fiber, request);
    }

    // Memory and VFIO's descriptors are there without an iommufd, and devices do what they do after its descriptor is closed.
    private bool CanAsk(StepRequest request) =>
        request switch
        {
            MemoryRequest => true,
            CommandRequest { Command: var command } when VfioCalls.Has(command) => true,
            DmaRequest or StopDmaRequest => _isOpen || _isIommufdClosed,
            _ => _isOpen && !_isIommufdClosed,
        };

    /// <summary>Sends what an operation asks for; true when it is answered already.</summary>
    private bool Send(Fiber fiber, StepRequest request)
    {
        switch (request)
        {
            case ScriptRequest script:
                fiber.Script = script.Script;
                return ContinueScript(fiber);
            case MachineRequest machine:
                _machineCalls.Enqueue(fiber);
                _run.Machine.Tell(machine.Make(_processId), Self);
                return false;
            case CommandRequest command:
                _calls.Add(++_lastTag, fiber);
                _history?.Make(_lastTag, command.Command);
                _usesVfio |= command.Command is OpenVfioDevice;
                IActorRef called = VfioCalls.Has(command.Command) ? _run.Machine : _context;
                called.Tell(new IoctlRequest(_lastTag, command.ProcessId ?? _processId, command.Command), Self);
                DieIfStruck(command.Command);
                return false;
            case MemoryRequest memory:
                _isLimited |= memory.Message is ChangeLimits;
                AskMemory(fiber, memory.Message);
                return false;
            case CloseRequest:
                _closing = fiber;
                _history?.Close();
                _context.Tell(new CloseIommufd(), Self);
                return false;
            case DmaRequest dma:
                return StartDma(fiber, dma);
            default:
                return StopDma(fiber, ((StopDmaRequest)request).Name);
        }
    }

    private void Answered(Fiber fiber, object answer)
    {
        if (AnsweredDrill(fiber, answer))
        {
            return;
        }

        if (fiber.Script is { } script)
        {
            OnPartAnswered(fiber, script, answer);
            return;
        }

        try
        {
            Complete(fiber, answer);
        }
        catch (EvaluationException wrong)
        {
            Break(wrong);
        }

        Advance(fiber);
    }

    private void Complete(Fiber fiber, object answer)
    {
        StepScope own = fiber.Waiting!;
        fiber.Waiting = null;
        _run.Metrics.AddProgress();
        var operation = (OperationKind)own.Step.Kind;
        StepOutcome outcome = operation.Complete(own, answer);
        if (operation is CommandKind)
        {
            CountOperation(operation.Name, outcome.Errno, fiber.SentAt);
        }

        Save(fiber, own, outcome);
        Compare(fiber, own, outcome);
    }

    private void CountOperation(string step, Errno errno, long sentAt)
    {
        long count = _run.Metrics.AddOperation(step, errno, sentAt);
        if (_run.CheckEvery is { } every && count % every == 0)
        {
            Context.Parent.Tell(new CheckDue(), Self);
        }
    }

    private static void Save(Fiber fiber, StepScope own, StepOutcome outcome)
    {
        foreach (SavedOutput save in own.Step.Saves)
        {
            if (fiber.Top is { } frame)
            {
                Int128 value =
                    save.Output is SavedOutput.Errno
                        ? (int)outcome.Errno
                        : outcome.Find(save.Output) ?? SavedOutput.Missing;
                frame.Scope = frame.Scope.With(save.Name, value);
            }
        }
    }

    private void Compare(Fiber fiber, StepScope own, StepOutcome outcome)
    {
        StepExpectation? expect = own.Step.Expect;
        bool allowed = expect?.Allows(outcome.Errno) ?? outcome.Errno == Errno.OK;
        if (_run.Faults is not null && Tolerates(fiber, outcome.Errno, allowed))
        {
            return;
        }

        if (!allowed)
        {
            _run.Metrics.AddFailure(Failure(own, expect?.Expected ?? "OK", $"{outcome.Errno}"));
            return;
        }

        if (expect is null || outcome.Errno != Errno.OK)
        {
            return;
        }

        foreach ((string output, Comparison value) in expect.Outputs)
        {
            if (outcome.Find(output) is not { } actual || !value.Holds(actual, own.Numbers))
            {
                string shown = outcome.Find(output) is { } number ? $"{number}" : "nothing";
                _run.Metrics.AddFailure(Failure(own, $"{output}: {value.Text}", $"{output}: {shown}"));
            }
        }
    }

    private FailedExpectation Failure(StepScope own, string expected, string actual) =>
        new(own.Step.At, _process!.Name, own.Step.Kind.Name, expected, actual);
}
