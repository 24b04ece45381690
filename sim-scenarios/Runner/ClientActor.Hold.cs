using Akka.Actor;

namespace Iommufd.Scenarios.Runner;

internal sealed partial class ClientActor
{
    private readonly Queue<Fiber> _parked = new();
    private bool _isHeld;
    private bool _isCloseParked;

    // DMA that runs in the background goes on: it changes nothing that is checked.
    private bool IsQuiet =>
        _calls.Count == _waitingForPages
        && _memoryCalls.Count == 0
        && _machineCalls.Count == 0
        && _closing is null
        && !_isClosing
        && !_isOpening;

    private void Hold()
    {
        _isHeld = true;
        ReportIfQuiet();
    }

    private void Park(Fiber fiber)
    {
        _parked.Enqueue(fiber);
        ReportIfQuiet();
    }

    private void ReportIfQuiet()
    {
        if (_isHeld && IsQuiet)
        {
            Context.Parent.Tell(new ClientHeld(), Self);
        }
    }

    private void Release()
    {
        _isHeld = false;
        for (int i = _parked.Count; i > 0; i--)
        {
            Fiber fiber = _parked.Dequeue();
            if (fiber.IsHeldInDrill)
            {
                fiber.IsHeldInDrill = false;
                if (GoOnWithDrill(fiber))
                {
                    Advance(fiber);
                }

                continue;
            }

            if (_fibers.ContainsKey(fiber.Id) && fiber.Waiting is null)
            {
                Advance(fiber);
            }
            else if (fiber.Script is not null)
            {
                GoOnWithScript(fiber);
            }
        }

        if (_isCloseParked)
        {
            _isCloseParked = false;
            Close();
        }
    }
}
