using Akka.Actor;

namespace Akka.Persistence;

/// <summary>
/// The stash that a persistent actor's own code sees. What it unstashes goes before the commands that wait inside for
/// events to be written, not past them into the mailbox.
/// </summary>
internal sealed class PersistentStash(IStash user, Func<IStash> waiting) : IStash
{
    private bool _isClosed;

    /// <inheritdoc/>
    public int Count => user.Count;

    /// <inheritdoc/>
    public bool IsEmpty => user.IsEmpty;

    /// <inheritdoc/>
    public bool NonEmpty => user.NonEmpty;

    /// <inheritdoc/>
    public bool IsFull => user.IsFull;

    /// <inheritdoc/>
    public int Capacity => user.Capacity;

    /// <inheritdoc/>
    public void Stash() => user.Stash();

    /// <summary>
    /// Puts the oldest stashed command before all others in the mailbox, past those that wait inside.
    /// </summary>
    public void Unstash() => user.Unstash();

    /// <inheritdoc/>
    public void UnstashAll() => UnstashAll(static _ => true);

    /// <inheritdoc/>
    public void UnstashAll(Func<Envelope, bool> predicate)
    {
        if (_isClosed || waiting() is not { } stash)
            user.UnstashAll(predicate);
        else
            stash.Prepend(user.ClearStash().Where(predicate).ToArray());
    }

    /// <inheritdoc/>
    public IEnumerable<Envelope> ClearStash() => user.ClearStash();

    /// <inheritdoc/>
    public void Prepend(IEnumerable<Envelope> envelopes) => user.Prepend(envelopes);

    /// <summary>The incarnation is ending: everything goes straight back into the mailbox.</summary>
    public void Close() => _isClosed = true;
}
