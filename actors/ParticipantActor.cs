using Akka.Actor;
using Iommufd.Core.Participants;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

/// <summary>
/// The shell of a participant: takes steps from contexts, does them one at a time, answers. All state is in the cell, which the
/// actor's Props hold: a restarted actor finds the step it died in and does it again or answers it.
/// </summary>
public abstract class ParticipantActor(ParticipantCell cell) : UntypedActor
{
    /// <summary>The state and the steps not answered yet.</summary>
    protected ParticipantCell Cell { get; } = cell;

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case FlowStep step:
                Cell.Add(step, Sender);
                DoPending();
                break;
            case Resume:
                DoPending();
                break;
            case ParticipantDone:
                Context.Stop(Self);
                break;
            default:
                if (!OnOther(message))
                {
                    Unhandled(message);
                }

                break;
        }
    }

    /// <summary>Handles what is not a step; false when it is unknown.</summary>
    protected virtual bool OnOther(object message) => false;

    /// <summary>A step is done: answers it. A participant whose step has an effect elsewhere answers later.</summary>
    protected virtual void Answer(FlowStep step, IActorRef replyTo, FlowResponse response)
    {
        if (step.WantsReply)
        {
            replyTo.Tell(new FlowReply(step.Flow, step.Step, response));
        }
    }

    // Here, and not where it is told that its object is gone: a context that stops takes its children with it, before they have
    // read what it told them last. A restart does not come by here.
    /// <inheritdoc/>
    protected override void PostStop() => (Cell.State as IDisposable)?.Dispose();

    /// <inheritdoc/>
    protected override void PreRestart(Exception reason, object message)
    {
        // Children and state stay; what was being done is in the cell.
    }

    /// <inheritdoc/>
    protected override void PostRestart(Exception reason)
    {
        if (Cell.HasPending)
        {
            Self.Tell(Resume.Instance);
        }
    }

    private void DoPending()
    {
        while (Cell.HasPending)
        {
            var (step, replyTo, response) = Cell.DoNext();
            Answer(step, (IActorRef)replyTo, response);
            Cell.Answered();
        }
    }

    private sealed class Resume
    {
        public static readonly Resume Instance = new();
    }
}

/// <summary>Restarts a participant whatever happened to it, Kill included: its state is not in the actor.</summary>
public static class ParticipantSupervision
{
    /// <summary>The strategy of whoever has participants as children.</summary>
    public static SupervisorStrategy Strategy() =>
        new OneForOneStrategy(reason => reason is ActorInitializationException ? Directive.Stop : Directive.Restart);
}
