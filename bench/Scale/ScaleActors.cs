using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Actors.Protocol;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;

namespace Iommufd.Bench.Scale;

/// <summary>Which devices of a fleet a client binds and attaches.</summary>
/// <param name="Machine">The simulated machine.</param>
/// <param name="First">The first device's number.</param>
/// <param name="Count">How many.</param>
internal sealed record ScaleClientPlan(IActorRef Machine, int First, int Count);

/// <summary>Client → observer: every device is attached, or the context is closed.</summary>
/// <param name="Leaked">What the close left.</param>
internal sealed record ScaleClientDone(int Leaked);

/// <summary>Observer → client: close the context with everything attached.</summary>
internal sealed record CloseScaleClient;

/// <summary>A process with one context: an IOAS with one page mapped, and its devices, bound and attached one after another.</summary>
internal sealed class ScaleClient : UntypedActor
{
    private readonly ScaleClientPlan _plan;
    private readonly IActorRef _observer;
    private IActorRef _context = ActorRefs.Nobody;
    private int _process;
    private int _attached;

    public ScaleClient(ScaleClientPlan plan, IActorRef observer) => (_plan, _observer) = (plan, observer);

    /// <summary>The name of a device, by its number.</summary>
    public static string DeviceName(int number) => FormattableString.Invariant($"dev-{number}");

    protected override void PreStart() => _plan.Machine.Tell(new StartProcess(new ProcessSpec("scale")));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case ProcessStarted started:
                _process = started.ProcessId;
                _plan.Machine.Tell(new OpenIommufd(_process));
                break;
            case IommufdOpened opened:
                _context = opened.Context;
                Call(new IoasAlloc());
                break;
            case IoctlAnswer answer:
                OnAnswer(answer);
                break;
            case CloseScaleClient:
                _context.Tell(new CloseIommufd());
                break;
            case IommufdClosed closed:
                _observer.Tell(new ScaleClientDone(closed.Leaked));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void OnAnswer(IoctlAnswer answer)
    {
        switch (answer.Result)
        {
            case { IsOk: false }:
                throw new InvalidOperationException($"the benchmark's call ended with {answer.Result.Errno}");
            case { WriteBack: BindDevice bound }:
                Call(new AttachDevice(bound.OutDeviceId, PtId: 1));
                break;
            case { WriteBack: AttachDevice } when ++_attached == _plan.Count:
                _observer.Tell(new ScaleClientDone(0));
                break;
            default:
                Call(new BindDevice(DeviceName(_plan.First + _attached)));
                break;
        }
    }

    private void Call(IoctlCommand command) => _context.Tell(new IoctlRequest(0, _process, command));
}

/// <summary>Ends a task when so many have reported.</summary>
internal sealed class ScaleObserver : UntypedActor
{
    private readonly TaskCompletionSource<int> _done;
    private int _expected;
    private int _leaked;

    public ScaleObserver(int expected, TaskCompletionSource<int> done) => (_expected, _done) = (expected, done);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case ScaleClientDone done:
                _leaked += done.Leaked;
                break;
            case HostResult:
                break;
            default:
                Unhandled(message);
                return;
        }

        if (--_expected == 0)
        {
            _done.TrySetResult(_leaked);
        }
    }
}

/// <summary>Passes what clients report to the observer of the moment.</summary>
internal sealed class ScaleDesk : UntypedActor
{
    private IActorRef _observer = ActorRefs.Nobody;

    protected override void OnReceive(object message)
    {
        if (message is IActorRef observer)
        {
            _observer = observer;
        }
        else
        {
            _observer.Forward(message);
        }
    }
}
