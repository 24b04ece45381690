using Akka.Actor;
using Iommufd.Core.Faults;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;

namespace Iommufd.Scenarios.Runner;

// What a client puts up with when faults are injected. An operation that was struck may end with an errno that the fault explains;
// the client goes on. From then on it is disturbed: outputs that its scenario expects are not compared (they were computed
// for a run in which everything is there), and an operation may also fail because of what is missing since then. Everything
// else is a failure as ever, and the invariants make no exception at all.
internal sealed partial class ClientActor
{
    private bool _isDisturbed;
    private bool _isDead;

    // What an unmap, a copy or a close that was struck has left counts against the limits of the process.
    private bool _isLimited;

    /// <summary>What using a thing that an earlier fault kept from being made, or from going away, ends with.</summary>
    private bool IsConsequence(Errno errno) =>
        errno is Errno.ENOENT or Errno.EBUSY or Errno.EEXIST or Errno.EINVAL or Errno.EADDRINUSE or Errno.ENODEV
        || (_isLimited && errno is Errno.ENOMEM or Errno.EMFILE);

    private void NoteHits(Fiber fiber, long tag)
    {
        if (_run.Faults is not { } faults)
        {
            return;
        }

        // What a device asks is not a call of the client's, but its scenario may count on it.
        _isDisturbed |= faults.TakeHardwareHit(_contextNumber);
        foreach (FaultPoint hit in faults.TakeHits(_contextNumber, tag))
        {
            fiber.Explained.UnionWith(hit.Explains);
            _isDisturbed |= hit.Effect is FaultEffect.Refusal or FaultEffect.Removal or FaultEffect.Loss;
        }
    }

    private void NoteDma(Errno errno)
    {
        if (errno != Errno.OK && _run.Faults is not null)
        {
            _isDisturbed = true;
        }
    }

    /// <summary>Whether the way a step ended needs no further look.</summary>
    private bool Tolerates(Fiber fiber, Errno errno, bool isAllowed)
    {
        if (_isDead)
        {
            return true;
        }

        bool explained = fiber.Explained.Contains(errno) || _run.Faults!.IsExplainedByLoss(_contextNumber, errno);
        if (!isAllowed && errno != Errno.OK && explained)
        {
            _isDisturbed = true;
            _run.Metrics.AddTolerated();
            return true;
        }

        if (!_isDisturbed)
        {
            return false;
        }

        if (isAllowed || errno == Errno.OK || IsConsequence(errno))
        {
            _run.Metrics.AddTolerated();
            return true;
        }

        return false;
    }

    private bool JumpsClock() =>
        _run.Faults is { } faults
        && faults.ShouldFail(FaultPoints.ClockJump, new FaultSite(_contextNumber, 0, Operation: "pause"));

    // As when a process is killed: its memory goes first, then the last descriptor is closed, with calls still under way.
    private void DieIfStruck(IoctlCommand command)
    {
        var site = new FaultSite(_contextNumber, 0, Operation: OperationWords.Of(command));
        if (_run.Faults is not { } faults || !faults.ShouldFail(FaultPoints.ClientDeath, site))
        {
            return;
        }

        _isDead = true;
        _isClosing = true;
        _history?.Close();
        foreach (Fiber fiber in _fibers.Values)
        {
            fiber.Abandon();
        }

        _memory.Tell(new EndProcess(), ActorRefs.NoSender);
        CloseVfio();
        if (!_isOpen)
        {
            End();
        }
        else if (!_isIommufdClosed)
        {
            _context.Tell(new CloseIommufd(), Self);
        }
    }
}
