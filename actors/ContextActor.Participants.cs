using System.Globalization;
using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Flows;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

public sealed partial class ContextActor
{
    /// <inheritdoc/>
    void IParticipantHost.Open(Participant participant, IFlowParticipant state)
    {
        var props = Props.CreateBy(new RoomCell(participant, state, _room));
        _room.Children.Add(participant, Context.ActorOf(props, FreeName(participant)));
    }

    /// <inheritdoc/>
    void IParticipantHost.Close(Participant participant)
    {
        _room.Children.Remove(participant)?.Tell(ParticipantDone.Instance);
    }

    /// <inheritdoc/>
    void IParticipantHost.Send(Participant to, FlowStep step)
    {
        if (to.Kind == ParticipantKind.Context)
        {
            _room.MachineActor.Tell(new ContextStep((int)to.Id, step), Self);
            return;
        }

        var target = to.Kind == ParticipantKind.Memory ? _room.Options.Memories[(int)to.Id] : _room.Children[to];
        target.Tell(step, Self);
    }

    /// <inheritdoc/>
    void IParticipantHost.Committed(ContextEvent change) => Record(change);

    /// <inheritdoc/>
    void IParticipantHost.Completed(Flow flow)
    {
        foreach (var change in flow.Journalled)
        {
            Record(change);
        }

        switch (flow)
        {
            case DescribeContextFlow { ThenClose: true } described:
                _room.FinalDigest = described.Digest;
                Record(new DigestRecorded(described.Digest));
                var close = new CloseFlow(_room.Core, _room.Machine.Process(_room.OpenedBy));
                close.ReplyTo = flow.ReplyTo;
                _room.Core.Engine.Start(close);
                break;
            default:
                ReleaseWhenDurable(flow);
                break;
        }

        if (flow.Account is CallLine calls)
        {
            flow.Account = null;
            GoOnWith(calls);
        }
    }

    private void Release(Flow flow, long sequence)
    {
        var replyTo = (IActorRef?)flow.ReplyTo ?? Nobody.Instance;
        switch (flow)
        {
            case DescribeContextFlow described:
                replyTo.Tell(new StateDigest(described.Digest, described.Lines));
                EndAlone();
                break;
            case CheckContextFlow check:
                _room.ReportedCrashes = _room.Core.Engine.Crashes.Count;
                replyTo.Tell(
                    new InvariantReport(
                        check.Checked,
                        [
                            .. check.Broken.Select(b => new InvariantViolation(
                                b.Invariant,
                                Self.Path.Name + "/" + b.Where,
                                b.What
                            )),
                        ]
                    )
                );
                EndAlone();
                break;
            case ClearImportsFlow { Question: { } question }:
                replyTo.Tell(new ContextStepDone(_room.Number, question.Context, question.Flow, question.Step));
                break;
            case CloseFlow close:
                Witness(sequence, 0, Errno.OK);
                _room.MachineActor.Tell(new ContextEnded(_room.Number, _room.FinalDigest));
                replyTo.Tell(new IommufdClosed(close.Leaked + LeftBehind()) { Crashes = UnreportedCrashes() });
                Context.Stop(Self);
                break;
            default:
                Witness(sequence, flow.Tag, flow.Result.Errno);
                replyTo.Tell(new IoctlAnswer(flow.Tag, flow.Result));
                break;
        }
    }

    // Flows that ended in an exception since the last check of the invariants, the close itself among them.
    private string[] UnreportedCrashes() => [.. _room.Core.Engine.Crashes.Skip(_room.ReportedCrashes)];

    // Participants whose objects are gone, and events that are not in the journal, are left as much as objects are.
    private int LeftBehind() =>
        _room.Children.Count + _room.Unwritten.Count + _room.Outbox.Count + _room.Calls.Values.Sum(c => c.Waiting);

    // A dying actor keeps its name until it is gone, and ids are used again at once: a later one of the same id gets a suffix.
    private string FreeName(Participant participant)
    {
        var name = ParticipantNames.Of(participant);
        if (!_room.Children.MayHaveBeen(participant.Id))
        {
            return name;
        }

        var free = name;
        for (var life = 2; !Context.Child(free).Equals(ActorRefs.Nobody); life++)
        {
            free = string.Create(CultureInfo.InvariantCulture, $"{name}.{life}");
        }

        return free;
    }
}

/// <summary>Context → participant: your object is gone. Comes after its last step.</summary>
internal sealed class ParticipantDone
{
    public static readonly ParticipantDone Instance = new();
}

/// <summary>Context → machine: a context was closed.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Digest">The digest of its state just before.</param>
internal sealed record ContextEnded(int Number, ulong Digest);
