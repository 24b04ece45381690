using Akka.Actor;

namespace Akka.Dispatch.MessageQueues;

/// <summary>A queue of a mailbox that is not the built-in one.</summary>
public interface IMessageQueue
{
    /// <summary>Takes a message. Called by any number of threads at once.</summary>
    void Enqueue(IActorRef receiver, Envelope envelope);

    /// <summary>Gives the next message; false when there is none. Only one thread at a time calls it.</summary>
    bool TryDequeue(out Envelope envelope);

    /// <summary>
    /// Part of the interface of Akka.NET; not called here, where the mailbox itself turns what is left into dead
    /// letters.
    /// </summary>
    void CleanUp(IActorRef owner, IMessageQueue deadletters);

    /// <summary>Whether there is a message. May be called by any thread.</summary>
    bool HasMessages { get; }

    /// <summary>How many messages there are; may be out of date at once.</summary>
    int Count { get; }
}
