using Akka.Actor;

namespace Akka.Persistence;

/// <summary>
/// The stash that a persistent actor's own code sees. What it unstashes goes before the commands that wait inside for
/// events to be written, not past them into the mailbox.
/// </summary>
internal sealed class PersistentStash(IStash user, Func<IStash> waiting) : IStash
{
    private bool _isClosed;

    public int Count => user.Count;
    public bool IsEmpty => user.IsEmpty;
    public bool NonEmpty => user.NonEmpty;
    public bool IsFull => user.IsFull;
    public int Capacity => user.Capacity;

    public void Stash() => user.Stash();

    public void Unstash() => user.Unstash();

    public void UnstashAll() => UnstashAll(static _ => true);

    public void UnstashAll(Func<Envelope, bool> predicate)
    {
        if (_isClosed || waiting() is not { } stash)
            user.UnstashAll(predicate);
        else
            stash.Prepend(user.ClearStash().Where(predicate).ToArray());
    }

    public IEnumerable<Envelope> ClearStash() => user.ClearStash();

    public void Prepend(IEnumerable<Envelope> envelopes) => user.Prepend(envelopes);

    /// <summary>The incarnation is ending: everything goes straight back into the mailbox.</summary>
    public void Close() => _isClosed = true;
}
