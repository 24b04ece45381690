namespace Iommufd.Messages.Events;

/// <summary>
/// Is told what contexts give to their journals and when they reply: to log it, or to compare it with an earlier run. Called on the
/// contexts' own threads, for one context one call at a time; must not throw.
/// </summary>
public interface IJournalWitness
{
    /// <summary>An event was given to the journal. It is not durable yet.</summary>
    /// <param name="context">The context's number.</param>
    /// <param name="sequence">The event's number in the context's stream, from 1.</param>
    /// <param name="change">The event.</param>
    void Recorded(int context, long sequence, ContextEvent change);

    /// <summary>A reply leaves: every event up to a number is durable.</summary>
    /// <param name="context">The context's number.</param>
    /// <param name="sequence">The last event that the reply may show.</param>
    /// <param name="tag">The client's number for the request; 0 for a close.</param>
    /// <param name="errno">How the command ended.</param>
    void Replied(int context, long sequence, long tag, Errno errno);
}
