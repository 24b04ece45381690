using Akka.Actor;

namespace Akka.Dispatch.MessageQueues;

/// <summary>A queue of a mailbox that is not the built-in one.</summary>
public interface IMessageQueue
{
    void Enqueue(IActorRef receiver, Envelope envelope);
    bool TryDequeue(out Envelope envelope);
    void CleanUp(IActorRef owner, IMessageQueue deadletters);
    bool HasMessages { get; }
    int Count { get; }
}
