using Akka.Actor;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

/// <summary>
/// The calls of one process in one context: some are worked on, the rest stand in line. A call is a thread that stands in an ioctl; of a
/// process with very many only some have a processor, and those of another process do not wait behind them. See docs/decisions/0013-fairness.md.
/// Only the context's actor touches it.
/// </summary>
internal sealed class CallLine
{
    // Most processes never have more under way than are worked on.
    private Queue<(IoctlRequest Request, IActorRef Sender)>? _line;
    private int _running;

    /// <summary>Calls that stand in line.</summary>
    public int Waiting => _line?.Count ?? 0;

    /// <summary>Whether a call can begin now; it then counts as running until <see cref="Ended"/>.</summary>
    public bool TryBegin(int most)
    {
        if (_running >= most)
        {
            return false;
        }

        _running++;
        return true;
    }

    /// <summary>Puts a call in line; false when the process has as many under way as it can.</summary>
    public bool TryWait(IoctlRequest request, IActorRef sender, int most)
    {
        if (_running + Waiting >= most)
        {
            return false;
        }

        (_line ??= new()).Enqueue((request, sender));
        return true;
    }

    /// <summary>A running call has ended: the next in line takes its place.</summary>
    /// <returns>Whether there is one.</returns>
    public bool Ended(out IoctlRequest? request, out IActorRef? sender)
    {
        (request, sender) = (null, null);
        if (_line is not null && _line.TryDequeue(out var next))
        {
            (request, sender) = next;
            return true;
        }

        _running--;
        return false;
    }
}
